import { encodeUtf8 } from "./bytes.ts";
import type { Crypto } from "./crypto.ts";
import { CoreError } from "./errors.ts";
import { cleanText } from "./text.ts";

/** A package's identity: the registry's name in the policy, and the npm name [C-9]. */
export interface PackageId {
  registry: string;
  name: string;
}

/** What a subject id names [C-17]. */
export type SubjectId =
  | { kind: "package"; registry: string; name: string }
  | { kind: "committee"; name: string }
  | { kind: "log"; origin: string };

const COMMITTEE = "committee:";
const LOG = "log:";
const REGISTRY = /^[a-z0-9][a-z0-9.-]{0,62}$/;
const NAME = /^(?:@[A-Za-z0-9~-][A-Za-z0-9._~-]*\/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$/;
// The grammar of semver.org, version 2.0.0.
const VERSION =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const HOLDER = /^[a-z0-9][a-z0-9._-]{0,38}$/;
const ORIGIN = /^[\x21-\x2a\x2c-\x7e]{1,128}$/;

export function isRegistryName(text: string): boolean {
  return REGISTRY.test(text);
}

export function isPackageName(text: string): boolean {
  return text.length <= 214 && NAME.test(text); // [C-9]
}

export function isVersion(text: string): boolean {
  return text.length <= 256 && VERSION.test(text); // [C-10]
}

export function isHolder(text: string): boolean {
  return HOLDER.test(text); // [C-12]
}

export function isLogOrigin(text: string): boolean {
  return ORIGIN.test(text); // [C-13]
}

/** A package name, `@scope/*` or `*` [P-4]. */
export function isPackagePattern(text: string): boolean {
  if (text === "*") return true;
  return isPackageName(text.startsWith("@") && text.endsWith("/*") ? `${text.slice(0, -1)}x` : text);
}

export function isPackageId(text: string): boolean {
  return splitPackageId(text) !== null;
}

/** `committee:` and a name [C-17]. */
export function isCommitteeId(text: string): boolean {
  return text.startsWith(COMMITTEE) && isRegistryName(text.slice(COMMITTEE.length));
}

/** The id of a log's own authority: `log:` and its origin [C-17]. */
export function isLogId(text: string): boolean {
  return text.startsWith(LOG) && isLogOrigin(text.slice(LOG.length));
}

/** What a statement can be about: a package, a committee or a log [C-17]. */
export function isSubjectId(text: string): boolean {
  return isPackageId(text) || isCommitteeId(text) || isLogId(text);
}

/** `npm:registry/name` to its parts. Throws `MALFORMED` [C-9]. */
export function parsePackageId(text: string): PackageId {
  const id = splitPackageId(text);
  if (id === null) {
    throw new CoreError(
      "MALFORMED",
      "C-9",
      `"${cleanText(text, 80)}" is not a package id.`,
      "A package id reads npm:<registry>/<name>.",
    );
  }
  return id;
}

/** Throws `MALFORMED` by [C-9] for what begins as a package id, by [C-17] for everything else. */
export function parseSubjectId(text: string): SubjectId {
  if (text.startsWith("npm:")) return { kind: "package", ...parsePackageId(text) };
  if (isCommitteeId(text)) return { kind: "committee", name: text.slice(COMMITTEE.length) };
  if (isLogId(text)) return { kind: "log", origin: text.slice(LOG.length) };
  throw new CoreError(
    "MALFORMED",
    "C-17",
    `"${cleanText(text, 80)}" is the id of no package, committee or log.`,
    "An id reads npm:<registry>/<name>, committee:<name> or log:<origin>.",
  );
}

/** The text of a package id. Throws `MALFORMED` if a part is not well-formed [C-9]. */
export function encodePackageId(id: PackageId): string {
  const text = `npm:${id.registry}/${id.name}`;
  parsePackageId(text);
  return text;
}

/** `npm:registry/name@version` to package id and version. Throws `MALFORMED` [C-11]. */
export function parseReleaseId(text: string): { packageId: string; version: string } {
  const at = text.lastIndexOf("@");
  const packageId = text.slice(0, Math.max(at, 0));
  const version = text.slice(at + 1);
  if (at < 0 || !isVersion(version)) {
    throw new CoreError(
      "MALFORMED",
      "C-11",
      `"${cleanText(text, 80)}" is not a release id.`,
      "A release id reads npm:<registry>/<name>@<version>.",
    );
  }
  parsePackageId(packageId);
  return { packageId, version };
}

/** SHA-256 of the bytes of a package id, or of another subject id [C-14]. */
export function packageIdHash(crypto: Crypto, subjectId: string): Uint8Array {
  return crypto.sha256(encodeUtf8(subjectId));
}

function splitPackageId(text: string): PackageId | null {
  const slash = text.indexOf("/");
  const id = { registry: text.slice(4, slash), name: text.slice(slash + 1) };
  return text.startsWith("npm:") && slash >= 0 && isRegistryName(id.registry) && isPackageName(id.name) ? id : null;
}
