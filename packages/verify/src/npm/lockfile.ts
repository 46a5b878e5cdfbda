import { cleanText, CoreError, isObject, parseJson, type Json, type JsonObject } from "@touchmark/core";
import { VerifyError } from "../errors.ts";
import { parseIntegrity, type Integrity } from "./integrity.ts";
import { addressFits, type RegistryOf } from "./registry-address.ts";

/**
 * Where npm takes an entry from. `registry`: an address of a registry in the policy, or none recorded (npm then asks the configured one).
 * `remote-tarball`: any other http address. `file`: a tarball or directory on disk, a link out of the project or into another package.
 * `link` and `workspace`: the project's own. `bundled`: lies inside the tarball of `bundler`.
 */
export type SourceKind = "registry" | "remote-tarball" | "git" | "file" | "link" | "workspace" | "bundled";

export interface LockedPackage {
  /** The package's own name; where it is installed under another, that stands in `aliases`. */
  name: string;
  aliases: string[];
  version: string | undefined;
  kind: SourceKind;
  /** The policy's name of the registry, where the entry has an address in one. */
  registry: string | undefined;
  resolved: string | undefined;
  /** False if the address is in a registry's usual layout and names another release. */
  addressFits: boolean;
  integrity: Integrity;
  /** Path of the package whose tarball it is bundled in. */
  bundler: string | undefined;
  hasInstallScript: boolean;
  dev: boolean;
  optional: boolean;
  /** Where it lies, relative to the project. */
  paths: string[];
}

export interface Lockfile {
  lockfileVersion: 2 | 3;
  packages: LockedPackage[];
  /** The entries as they stand, by path. */
  entries: JsonObject;
}

const MAX_BYTES = 64 * 2 ** 20; // [C-15]
const MAX_PACKAGES = 200_000; // [C-15]
const INSTALLED = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/@][^/]*)$/s;

/**
 * Reads package-lock.json, npm-shrinkwrap.json or node_modules/.package-lock.json (versions 2 and 3; of version 2 the part that npm 7 and later go by).
 * Entries that are the same package from the same place are one element with several paths. A missing or weak integrity is a finding in the element,
 * never an error. Throws `LOCKFILE_MALFORMED`, `LOCKFILE_VERSION`, `LOCKFILE_TOO_LARGE`.
 */
export function parseLockfile(bytes: Uint8Array, registryOf: RegistryOf): Lockfile {
  const content = parseContent(bytes);
  const lockfileVersion = content["lockfileVersion"];
  if (lockfileVersion !== 2 && lockfileVersion !== 3) throw wrongVersion(lockfileVersion);
  const entries = content["packages"];
  if (!isObject(entries)) throw malformed("it has no packages");
  const paths = Object.entries(entries);
  if (paths.length > MAX_PACKAGES)
    throw new VerifyError("LOCKFILE_TOO_LARGE", `The lockfile has over ${MAX_PACKAGES} packages.`);
  const merged = new Map<string, LockedPackage>();
  for (const [path, entry] of paths) {
    if (path === "") continue;
    if (!isObject(entry)) throw malformed(`its entry ${show(path)} is not an object`);
    merge(merged, parseEntry(path, entry, entries, registryOf));
  }
  return { lockfileVersion, packages: [...merged.values()], entries };
}

/** A path or a name as file systems may read it that don't tell upper from lower case, or drop dots and spaces at an end. */
export function foldPath(path: string): string {
  const folded = path.normalize("NFD").toUpperCase().toLowerCase();
  return /[. ](?:\/|$)/.test(folded) ? folded.split("/").map(withoutEnd).join("/") : folded;
}

// By hand: an expression would look at each of many spaces from each of them.
function withoutEnd(segment: string): string {
  let end = segment.length;
  while (end > 1 && " .".includes(segment[end - 1]!)) end--;
  return /^\.+$/.test(segment) ? segment : segment.slice(0, end);
}

function parseContent(bytes: Uint8Array): JsonObject {
  let content: Json;
  try {
    content = parseJson(bytes, { bytes: MAX_BYTES });
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    const code = cause.code === "TOO_LARGE" ? "LOCKFILE_TOO_LARGE" : "LOCKFILE_MALFORMED";
    throw new VerifyError(code, `The lockfile can't be read: ${cleanText(cause.message)}`, cause.hint, cause);
  }
  if (!isObject(content)) throw malformed("it is not an object");
  return content;
}

function parseEntry(path: string, entry: JsonObject, all: JsonObject, registryOf: RegistryOf): LockedPackage {
  if (isUnsafe(path)) throw malformed(`${show(path)} is no place in the project`);
  const installedAs = INSTALLED.exec(path)?.[1];
  const name = optionalText(entry, "name", path) ?? installedAs ?? path.slice(path.lastIndexOf("/") + 1);
  const version = optionalText(entry, "version", path);
  const resolved = optionalText(entry, "resolved", path);
  for (const key of ["link", "inBundle"] as const) {
    // npm asks only whether they are anything; what is read here in two ways would be checked as one thing and installed as the other.
    if (entry[key] !== undefined && typeof entry[key] !== "boolean")
      throw malformed(`${key} of ${show(path)} is neither true nor false`);
  }
  const bundler = bundlerOf(path, entry, all);
  const address = resolved === undefined ? undefined : parseAddress(resolved);
  const registry = address && registryOf(address);
  return {
    name,
    aliases: [installedAs, besideIt(path, all)].filter((alias) => alias !== undefined && alias !== name) as string[],
    version,
    kind: kindOf(path, entry, resolved, registry, bundler),
    registry,
    resolved,
    addressFits: !address || registry === undefined || addressFits(address, name, version ?? ""),
    integrity: parseIntegrity(optionalText(entry, "integrity", path)),
    bundler,
    hasInstallScript: entry["hasInstallScript"] === true,
    dev: entry["dev"] === true || entry["devOptional"] === true,
    optional: entry["optional"] === true || entry["devOptional"] === true,
    paths: [path],
  };
}

/** The name of another entry whose place it has on file systems that don't tell upper from lower case. */
function besideIt(path: string, all: JsonObject): string | undefined {
  if (!/[A-Z]|[^\0-\x7f]|[. ](?:\/|$)/.test(path)) return undefined;
  const folded = foldPath(path);
  return folded !== path && Object.hasOwn(all, folded) ? INSTALLED.exec(folded)?.[1] : undefined;
}

function kindOf(
  path: string,
  entry: JsonObject,
  resolved: string | undefined,
  registry: string | undefined,
  bundler: string | undefined,
): SourceKind {
  if (entry["link"] === true) {
    if (resolved === undefined) throw malformed(`the link ${show(path)} leads nowhere`);
    return isUnsafe(resolved) || isForeign(resolved) || /^[a-z+]+:/i.test(resolved) ? "file" : "link";
  }
  if (!INSTALLED.test(path)) {
    if (resolved !== undefined) throw malformed(`${show(path)} is not installed and yet has an address`);
    return isForeign(path) ? "file" : "workspace";
  }
  if (bundler !== undefined) return "bundled";
  if (resolved === undefined) return "registry";
  if (/^https?:/i.test(resolved)) return registry === undefined ? "remote-tarball" : "registry";
  if (/^file:/i.test(resolved)) return "file";
  return "git"; // git+ssh:, git+https:, git:, github: and whatever else makes npm run git
}

/** Not a plain relative path: absolute, with empty or dot segments, or climbing other than at its start. */
function isUnsafe(path: string): boolean {
  const segments = path.split("/");
  const climbs = segments.findIndex((segment) => segment !== "..");
  const odd = segments.some((segment, i) => segment === "" || segment === "." || (segment === ".." && i > climbs));
  if ((odd && climbs >= 0) || /^[A-Za-z]:/.test(path)) return true;
  // Compiling the second expression costs a millisecond, and nearly all paths are plain.
  return !/^[ !-[\]-~]*$/.test(path) && /[\p{Cc}\\]/u.test(path);
}

/** Not the repository's own: outside of it, or inside another package. */
export function isForeign(path: string): boolean {
  return path === ".." || path.startsWith("../") || foldPath(path).split("/").includes("node_modules");
}

/**
 * `inBundle` alone proves nothing: with an address npm might fetch it, at the top it is installed like any other, and a package that bundles nothing
 * has no bundle. Such an entry is taken for a registry package, which it then has to be.
 */
function bundlerOf(path: string, entry: JsonObject, all: JsonObject): string | undefined {
  if (entry["inBundle"] !== true || entry["resolved"] !== undefined) return undefined;
  for (let at = path.lastIndexOf("/node_modules/"); at > 0; at = path.lastIndexOf("/node_modules/", at - 1)) {
    const parentPath = path.slice(0, at);
    const parent = all[parentPath];
    if (!INSTALLED.test(parentPath) || !isObject(parent)) return undefined;
    if (parent["inBundle"] === true && parent["resolved"] === undefined) continue;
    const bundle = parent["bundleDependencies"];
    return bundle === true || (Array.isArray(bundle) && bundle.length > 0) ? parentPath : undefined;
  }
  return undefined;
}

function parseAddress(resolved: string): URL | undefined {
  return /^https?:/i.test(resolved) && URL.canParse(resolved) ? new URL(resolved) : undefined;
}

function merge(all: Map<string, LockedPackage>, found: LockedPackage): void {
  const { name, version, kind, resolved, integrity, bundler } = found;
  const key = JSON.stringify([name, version, kind, resolved, integrity, bundler]);
  const known = all.get(key);
  if (!known) {
    all.set(key, found);
    return;
  }
  known.paths.push(...found.paths);
  known.aliases.push(...found.aliases.filter((alias) => !known.aliases.includes(alias)));
  known.hasInstallScript ||= found.hasInstallScript;
  known.dev &&= found.dev;
  known.optional &&= found.optional;
}

function optionalText(entry: JsonObject, key: string, path: string): string | undefined {
  const value = entry[key];
  if (value !== undefined && typeof value !== "string") throw malformed(`${key} of ${show(path)} is not text`);
  return value;
}

function wrongVersion(version: Json | undefined): VerifyError {
  const shown = typeof version === "number" ? `version ${version}` : "no known version";
  return new VerifyError(
    "LOCKFILE_VERSION",
    `The lockfile has ${shown}; versions 2 and 3 are read.`,
    version === 1 ? "Let npm 7 or later write it again: npm install --package-lock-only" : "",
  );
}

function malformed(what: string): VerifyError {
  return new VerifyError("LOCKFILE_MALFORMED", `The lockfile can't be read: ${what}.`);
}

function show(path: string): string {
  return JSON.stringify(cleanText(path, 120));
}
