import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { VerifyError } from "../errors.ts";
import { cleanVersion } from "../npm/semver.ts";
import { readTarball, type Tarball } from "../tarball/read-tarball.ts";
import { answerRefusal } from "./answers.ts";
import type { TarballSource } from "./catalogue.ts";
import { ask, refusalOf, refusalOfError, type ClientRequest, type GateContext } from "./context.ts";
import { releaseOfPath } from "./route.ts";
import { fetchPackument, unknownTarball } from "./serve-packument.ts";
import { createSpool, type Spool } from "./spool.ts";
import { bodyOf } from "./upstream.ts";

/** Fetches a tarball, reads and judges the whole of it, and only then sends the first byte on. */
export async function serveTarball(
  context: GateContext,
  client: ClientRequest,
  path: string,
  response: ServerResponse,
): Promise<void> {
  const named = releaseOfPath(path);
  let source: TarballSource | undefined;
  const spool = createSpool(context.directory);
  try {
    source = await findSource(context, client, path);
    const { name, version, upstream } = source;
    const tarball = await fetchTarball(context, client, source, spool);
    const decision = await context.decide.decideTarball(name, upstream.name, version, tarball);
    if (!decision.allow) {
      const refusal = refusalOf("tarball", name, version, decision);
      context.report(refusal);
      answerRefusal(response, refusal);
      return;
    }
    checkIdentity(source, tarball);
    context.progress({ kind: "tarball", name, version, line: decision.line });
    // Kept by the client's cache under its digest, which it checks whenever it takes it out.
    const headers = {
      "content-type": "application/octet-stream",
      "content-length": spool.size(),
      "cache-control": "public, immutable, max-age=31557600",
    };
    response.writeHead(200, headers);
    await pipeline(spool.read(), response).catch(() => response.destroy()); // the client went away
  } catch (error) {
    const refusal = refusalOfError(
      "tarball",
      source?.name ?? named?.name ?? path,
      source?.version ?? named?.version,
      error,
    );
    context.report(refusal);
    answerRefusal(response, refusal);
  } finally {
    await spool.dispose();
  }
}

/** With a frozen lockfile no client asks for documents, so the gate does where it doesn't know a path. */
async function findSource(context: GateContext, client: ClientRequest, path: string): Promise<TarballSource> {
  const known = context.catalogue.byPath(path);
  if (known) return known;
  const release = releaseOfPath(path);
  if (release) {
    const accept = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";
    const upstream = context.upstreamFor(release.name);
    const found = await fetchPackument(context, { ...client, accept }, release.name, upstream);
    const source = context.catalogue.byPath(path) ?? context.catalogue.byRelease(release.name, release.version);
    if (source) return source;
    if ("broken" in found) {
      const reason = found.broken.get(release.version)?.reason;
      if (reason !== undefined) throw new VerifyError("PACKUMENT_MALFORMED", reason);
    }
  }
  throw unknownTarball();
}

async function fetchTarball(
  context: GateContext,
  client: ClientRequest,
  source: TarballSource,
  spool: Spool,
): Promise<Tarball> {
  const { upstream, url } = source;
  const headers = { accept: "*/*", "accept-encoding": "identity" };
  const response = await ask(context, client, upstream, { url, headers });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new VerifyError("UPSTREAM_ANSWER", `The registry ${upstream.name} answered with status ${response.status}.`);
  }
  return readTarball(spooled(response, spool), context.tarballLimits);
}

async function* spooled(response: Response, spool: Spool): AsyncGenerator<Uint8Array> {
  for await (const piece of bodyOf(response)) {
    await spool.write(piece);
    yield piece;
  }
}

/** Allowed bytes under another name would be installed under that name, so the tarball itself must say which release it is. */
function checkIdentity(source: TarballSource, tarball: Tarball): void {
  const others = [...source.sha512].filter((sha512) => sha512 !== tarball.sha512);
  if (others.length > 0) {
    throw new VerifyError(
      "INTEGRITY_MISMATCH",
      "The registry serves other bytes than its document or the lockfile says.",
    );
  }
  const { name, version } = tarball.packageJson;
  if (name !== source.name || version === undefined || cleanVersion(version) !== cleanVersion(source.version)) {
    throw new VerifyError("TARBALL_OTHER_PACKAGE", "The package.json in the tarball names another release.");
  }
}
