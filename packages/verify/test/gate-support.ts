import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Decide, Decision } from "../src/gate/decision.ts";
import { encodeIntegrity } from "../src/npm/integrity.ts";
import { tgz } from "./tarball-builder.ts";

export interface TestRegistry {
  url: string;
  requests: { method: string; url: string; headers: IncomingMessage["headers"] }[];
  /** Path to what is answered; taken before packages. */
  routes: Map<string, (request: IncomingMessage, response: ServerResponse) => void>;
  /** Adds a release; `bytes` are what is served, `integrity` what the document says. */
  publish(
    name: string,
    version: string,
    more?: { bytes?: Buffer; integrity?: string; tarball?: string; tag?: string },
  ): Buffer;
  /** The document of a package, to be changed at will. */
  document(name: string): TestDocument;
  close(): Promise<void>;
}

export interface TestDocument {
  name: string;
  "dist-tags": Record<string, string>;
  versions: Record<string, Record<string, unknown>>;
  time: Record<string, string>;
  [more: string]: unknown;
}

/** A registry that says whatever the test wants. */
export async function startTestRegistry(): Promise<TestRegistry> {
  const documents = new Map<string, TestDocument>();
  const tarballs = new Map<string, Buffer>();
  const routes: TestRegistry["routes"] = new Map();
  const requests: TestRegistry["requests"] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, "http://x").pathname.slice(1));
    requests.push({ method: request.method!, url: request.url!, headers: request.headers });
    const route = routes.get(path);
    const document = documents.get(path);
    if (route) route(request, response);
    else if (document) response.end(JSON.stringify(document));
    else if (tarballs.has(path)) response.end(tarballs.get(path));
    else response.writeHead(404).end(JSON.stringify({ error: "no such\u001b[31m thing" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const document = (name: string): TestDocument => {
    const known = documents.get(name) ?? { name, "dist-tags": {}, versions: {}, time: {} };
    documents.set(name, known);
    return known;
  };
  return {
    url,
    requests,
    routes,
    document,
    publish(name, version, more = {}) {
      const bytes = more.bytes ?? tarballOf(name, version);
      const path = `${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
      tarballs.set(path, bytes);
      const known = document(name);
      const dist = { tarball: more.tarball ?? url + path, integrity: more.integrity ?? integrityOf(bytes) };
      known.versions[version] = { name, version, dist };
      known.time[version] = "2026-01-01T00:00:00.000Z";
      known["dist-tags"][more.tag ?? "latest"] = version;
      return bytes;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function tarballOf(name: string, version: string, extra = ""): Buffer {
  return tgz({ path: "package/package.json", body: JSON.stringify({ name, version, extra }) });
}

export function sha512Of(bytes: Uint8Array): string {
  return createHash("sha512").update(bytes).digest("hex");
}

export function integrityOf(bytes: Uint8Array): string {
  return encodeIntegrity(sha512Of(bytes));
}

export const REFUSED: Decision = {
  allow: false,
  code: "THRESHOLD",
  reason: "Signed by 1 of 2 holders.",
  hint: "Wait for the second.",
};

/** Refuses the releases named (`name@version`) by version, and by tarball those whose digest is named. */
export function refusing(...refused: string[]): Decide {
  const decide = (...names: string[]): Decision =>
    names.some((name) => refused.includes(name)) ? REFUSED : { allow: true, line: "signed by alice and bob" };
  return {
    decideVersions: async (name, _, versions) =>
      new Map(versions.map(({ version }) => [version, decide(`${name}@${version}`)])),
    decideTarball: async (name, _, version, { sha512 }) => decide(`${name}@${version}`, sha512),
  };
}
