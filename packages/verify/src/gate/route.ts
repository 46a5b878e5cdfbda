import { isPackageName } from "@touchmark/core";

export type Route =
  | { kind: "packument"; name: string }
  | { kind: "tarball"; path: string }
  /** One of the registry's own functions that an install may use; `path` as the client wrote it, with its query. */
  | { kind: "service"; path: string; name: string | undefined }
  | { kind: "unknown" };

const SERVICES = [
  "npm/v1/security/",
  "npm/v1/attestations/",
  "npm/v1/keys",
  "npm/v1/user",
  "ping",
  "whoami",
  "v1/search",
];

/** What a client asks the gate for, by method and target. The gate reads; whatever would write is unknown to it. */
export function parseRoute(method: string, target: string): Route {
  if (!URL.canParse(target, "http://gate.invalid")) return { kind: "unknown" };
  const url = new URL(target, "http://gate.invalid");
  const path = decodePath(url.pathname);
  if (path === undefined) return { kind: "unknown" };
  const service = path.startsWith("-/") ? SERVICES.find((known) => isUnder(path.slice(2), known)) : undefined;
  if (service !== undefined) {
    const posting = method === "POST" && service === "npm/v1/security/";
    const name = service === "npm/v1/attestations/" ? releaseName(path.slice(2 + service.length)) : undefined;
    return posting || method === "GET"
      ? { kind: "service", path: url.pathname.slice(1) + url.search, name }
      : { kind: "unknown" };
  }
  if (method !== "GET") return { kind: "unknown" };
  if (isPackageName(path)) return { kind: "packument", name: path };
  return { kind: "tarball", path };
}

/** A URL's path without the slash it begins with, or `undefined` if it is not well-formed. */
export function decodePath(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname.slice(1));
  } catch {
    return undefined;
  }
}

/** The release that a tarball's path names in the usual layout. */
export function releaseOfPath(path: string): { name: string; version: string } | undefined {
  const [, before, file] = /^(.*)\/-\/(?:@[^/]+\/)?([^/]+)\.tgz$/s.exec(path) ?? [];
  if (before === undefined || file === undefined) return undefined;
  const segments = before.split("/");
  const plain = segments.at(-1)!;
  const scope = segments.at(-2)?.startsWith("@") ? `${segments.at(-2)}/` : "";
  return file.startsWith(`${plain}-`) ? { name: scope + plain, version: file.slice(plain.length + 1) } : undefined;
}

function isUnder(path: string, known: string): boolean {
  return known.endsWith("/") ? path.startsWith(known) : path === known;
}

function releaseName(release: string): string | undefined {
  const name = release.slice(0, Math.max(release.lastIndexOf("@"), 0));
  return isPackageName(name) ? name : undefined;
}
