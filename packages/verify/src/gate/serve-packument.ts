import type { ServerResponse } from "node:http";
import { cleanText, isVersion } from "@touchmark/core";
import { VerifyError } from "../errors.ts";
import { answerJson, answerRefusal } from "./answers.ts";
import { ask, refusalOf, refusalOfError, type ClientRequest, type GateContext } from "./context.ts";
import type { Decision } from "./decision.ts";
import { filterPackument, parsePackument, type Packument } from "./packument.ts";
import { readBody, upstreamUrl, type Upstream } from "./upstream.ts";

const ABBREVIATED = "application/vnd.npm.install-v1+json";
const MAX_ERROR = 64 * 1024;

/** Answers with the registry's document without the versions that aren't allowed, or with the registry's own 4xx. */
export async function servePackument(
  context: GateContext,
  client: ClientRequest,
  name: string,
  response: ServerResponse,
): Promise<void> {
  try {
    const upstream = context.upstreamFor(name);
    const found = await fetchPackument(context, client, name, upstream);
    if ("status" in found) {
      // npm asks here for any tarball, wherever a dependency says that it lies.
      if (found.status === 404 && /\.(?:tgz|tar|tar\.gz)$/.test(name)) throw unknownTarball();
      answerJson(response, found.status, { error: found.error }, found.headers);
      return;
    }
    const refused = await decideAll(context, found, upstream);
    for (const [version, decision] of refused) {
      // Old packages have versions from before semver was kept to; that those can't be had is no news.
      if (isVersion(version)) context.report(refusalOf("version", name, version, decision));
    }
    context.progress({ kind: "packument", name, offered: found.offered.size, refused: refused.size });
    answerJson(response, 200, filterPackument(found, refused), { "content-type": contentType(client.accept) });
  } catch (error) {
    const refusal = refusalOfError("package", name, undefined, error);
    context.report(refusal);
    answerRefusal(response, refusal);
  }
}

/** The registry's 4xx answer, passed on. */
export interface UpstreamRefusal {
  status: number;
  error: string;
  headers: Record<string, string>;
}

/** Fetches and reads the document, and notes where its tarballs lie. */
export async function fetchPackument(
  context: GateContext,
  client: ClientRequest,
  name: string,
  upstream: Upstream,
): Promise<Packument | UpstreamRefusal> {
  const url = upstreamUrl(upstream, name.replace("/", "%2f"));
  const response = await ask(context, client, upstream, { url, headers: { accept: client.accept } });
  if (response.status >= 400 && response.status < 500 && response.status !== 429) return passOn(response, upstream);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new VerifyError(
      "UPSTREAM_ANSWER",
      `The registry ${upstream.name} answered with status ${response.status}.`,
      "Try again later.",
    );
  }
  const bytes = await readBody(response, context.packumentLimits.bytes);
  if (!bytes) {
    throw new VerifyError(
      "PACKUMENT_TOO_LARGE",
      `The registry's document is over ${context.packumentLimits.bytes} bytes.`,
    );
  }
  const packument = parsePackument(bytes, name, upstream, context.packumentLimits);
  context.catalogue.addPackument(packument, upstream);
  return packument;
}

/** The refusal of a tarball that no registry has. */
export function unknownTarball(): VerifyError {
  return new VerifyError(
    "TARBALL_UNKNOWN",
    "The registry offers no such tarball.",
    "Only tarballs of the configured registries pass the gate.",
  );
}

async function decideAll(
  context: GateContext,
  packument: Packument,
  upstream: Upstream,
): Promise<Map<string, Extract<Decision, { allow: false }>>> {
  const refused = new Map(packument.broken);
  const decisions = await context.decide.decideVersions(packument.name, upstream.name, [...packument.offered.values()]);
  for (const version of packument.offered.keys()) {
    const decision = decisions.get(version) ?? undecided();
    if (!decision.allow) refused.set(version, decision);
  }
  return refused;
}

function undecided(): Decision {
  return { allow: false, code: "CHECK_FAILED", reason: "Nothing was decided about it.", hint: "", unchecked: true };
}

async function passOn(response: Response, upstream: Upstream): Promise<UpstreamRefusal> {
  const body = (await readBody(response, MAX_ERROR))?.toString("utf8") ?? "";
  const challenge = response.headers.get("www-authenticate");
  return {
    status: response.status,
    error: cleanText(`${upstream.name}: ${errorOf(body) ?? `status ${response.status}`}`),
    headers: challenge === null ? {} : { "www-authenticate": cleanText(challenge, 300).replace(/[^\x20-\x7e]/gu, "?") },
  };
}

function errorOf(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === "string" ? error : undefined;
  } catch {
    return undefined;
  }
}

function contentType(accept: string): string {
  return accept.includes(ABBREVIATED) ? ABBREVIATED : "application/json";
}
