import { timingSafeEqual } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VerifyError } from "../errors.ts";
import type { TarballLimits } from "../tarball/limits.ts";
import { answerRefusal } from "./answers.ts";
import { createCatalogue, type ExpectedTarball } from "./catalogue.ts";
import { refusalOf, refusalOfError, type ClientRequest, type GateContext } from "./context.ts";
import type { Decide, GateEvent, Refusal } from "./decision.ts";
import { PACKUMENT_LIMITS, type PackumentLimits } from "./packument.ts";
import { parseRoute } from "./route.ts";
import { servePackument } from "./serve-packument.ts";
import { serveService } from "./serve-service.ts";
import { serveTarball } from "./serve-tarball.ts";
import type { FetchEdge, Upstream } from "./upstream.ts";

export interface GateOptions {
  /** Where names without a scope, and scopes without a registry of their own, are asked for. */
  registry: Upstream;
  /** By scope, `@` included; `null` for a scope whose registry the policy doesn't name, and from which nothing passes. */
  scopes?: Readonly<Record<string, Upstream | null>>;
  decide: Decide;
  /** The lockfile's tarballs; where one is listed, only these bytes pass under its name. */
  expected?: readonly ExpectedTarball[];
  onRefusal?: (refusal: Refusal) => void;
  onProgress?: (event: GateEvent) => void;
  fetch?: FetchEdge;
  /** If set, clients must send it as their bearer token; it goes no further. Keeps other users of the machine out. */
  clientToken?: string;
  packumentLimits?: Partial<PackumentLimits>;
  tarballLimits?: Partial<TarballLimits>;
}

export interface Gate {
  /** `http://127.0.0.1:<port>/` */
  url: string;
  /** Every refusal so far, each once. */
  refusals(): Refusal[];
  close(): Promise<void>;
}

/**
 * Starts a registry on loopback that lives as long as the install. It offers only versions that `decide` allows, and sends a tarball only after all of its
 * bytes were allowed. Trust: the client is the user's own; the registries behind are not trusted for anything but to answer; `decide` is trusted.
 */
export async function startGate(options: GateOptions): Promise<Gate> {
  const closing = new AbortController();
  const directory = await mkdtemp(join(tmpdir(), "touchmark-gate-"));
  const refusals = new Map<string, Refusal>();
  const context: GateContext = {
    registry: options.registry,
    upstreamFor: (name) => findUpstream(options, name) ?? refuseScope(name),
    decide: options.decide,
    fetchEdge: options.fetch ?? fetch,
    catalogue: createCatalogue(options.expected ?? [], (name) => findUpstream(options, name)),
    packumentLimits: { ...PACKUMENT_LIMITS, ...options.packumentLimits },
    tarballLimits: options.tarballLimits ?? {},
    directory,
    signal: closing.signal,
    report(refusal) {
      const key = JSON.stringify([refusal.what, refusal.name, refusal.version, refusal.code]);
      if (refusals.has(key)) return;
      refusals.set(key, refusal);
      options.onRefusal?.(refusal);
    },
    progress: (event) => options.onProgress?.(event),
  };
  const server = createServer((request, response) => {
    handle(context, options, (server.address() as AddressInfo).port, request, response).catch((error: unknown) => {
      answerRefusal(response, refusalOfError("request", request.url ?? "", undefined, error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    refusals: () => [...refusals.values()],
    async close() {
      closing.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function findUpstream({ registry, scopes }: GateOptions, name: string | undefined): Upstream | null {
  const scope = name?.startsWith("@") ? name.slice(0, name.indexOf("/")) : "";
  const own = new Map(Object.entries(scopes ?? {})).get(scope);
  return own === undefined ? registry : own;
}

function refuseScope(name: string | undefined): never {
  const hint = 'Add its address to "registries" in touchmark.json.';
  throw new VerifyError("REGISTRY_UNKNOWN", `The registry of the scope of ${name} is not in the policy.`, hint);
}

async function handle(
  context: GateContext,
  options: GateOptions,
  port: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refuse = (reason: string): void => {
    const refusal = refusalOf("request", `${request.method} ${request.url}`, undefined, {
      allow: false,
      code: "REQUEST_REFUSED",
      reason,
      hint: "",
    });
    context.report(refusal);
    answerRefusal(response, refusal);
  };
  // A web page can reach loopback under a name of its own; it can't fake this header.
  if (request.headers.host !== `127.0.0.1:${port}`) return refuse("It was sent to another host than the gate.");
  const { authorization } = request.headers;
  if (options.clientToken !== undefined && !sameText(authorization ?? "", `Bearer ${options.clientToken}`)) {
    return refuse("It doesn't carry the gate's token.");
  }
  const client: ClientRequest = {
    authorization: options.clientToken === undefined ? authorization : undefined,
    accept: acceptOf(request),
  };
  const route = parseRoute(request.method ?? "", request.url ?? "");
  switch (route.kind) {
    case "packument":
      return servePackument(context, client, route.name, response);
    case "tarball":
      return serveTarball(context, client, route.path, response);
    case "service":
      return serveService(context, client, route, request, response);
    case "unknown":
      return refuse("Only what an install needs passes the gate.");
  }
}

function acceptOf(request: IncomingMessage): string {
  const { accept } = request.headers;
  return accept !== undefined && accept.length <= 300 ? accept : "application/json";
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
