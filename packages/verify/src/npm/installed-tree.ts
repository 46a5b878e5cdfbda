import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cleanText, isObject, isVersion, type Json, type JsonObject } from "@touchmark/core";
import type { LockedPackage, Lockfile } from "./lockfile.ts";
import { readIfThere } from "./project-files.ts";
import { cleanVersion } from "./semver.ts";

/** A place in node_modules that isn't as verified. */
export interface TreeDifference {
  path: string;
  /** One sentence. */
  reason: string;
  hint: string;
}

export const HIDDEN_LOCKFILE = "node_modules/.package-lock.json";

/**
 * Compares what npm says it has installed (`installed`, its hidden lockfile) and what lies on disk with what was verified. Every installed package must be a
 * verified one, in its place, with the same digest; what is left out (other platforms, `--omit`) is no difference. Closes the gap between the check and npm's own
 * reading of the lockfile. `held` are the places of packages that their holders signed for: what those depend on, too, is theirs to say.
 */
export function compareInstalled(
  project: string,
  installed: Lockfile,
  verified: Lockfile,
  held: ReadonlySet<string> = new Set(),
): TreeDifference[] {
  const wanted = byPath(verified);
  const differences: Pick<TreeDifference, "path" | "reason">[] = [];
  for (const [path, found] of byPath(installed)) {
    const entry = held.has(path) ? installed.entries[path] : undefined;
    const reason = differenceOf(found, wanted.get(path)) ?? differenceOnDisk(project, path, found, entry);
    if (reason !== undefined) differences.push({ path, reason });
  }
  for (const path of topLevel(project)) {
    if (!wanted.has(path))
      differences.push({ path, reason: "It lies in node_modules, and the lockfile doesn't have it." });
  }
  const hint = "Install again; if that doesn't help, restore the lockfile from git, and ask who runs the registry.";
  return differences.map(({ path, reason }) => ({ path: cleanText(path, 200), reason: cleanText(reason), hint }));
}

function differenceOf(found: LockedPackage, wanted: LockedPackage | undefined): string | undefined {
  if (!wanted) return "npm installed it, and the lockfile doesn't have it.";
  if (found.name !== wanted.name || found.version !== wanted.version)
    return "npm installed another version than the lockfile's.";
  if (found.kind !== wanted.kind || found.bundler !== wanted.bundler)
    return "npm took it from another kind of source than the lockfile's.";
  const [a, b] = [found.integrity, wanted.integrity];
  const same = a.ok && b.ok ? a.sha512 === b.sha512 : !a.ok && !b.ok && a.code === b.code;
  return same ? undefined : "npm installed it with another digest than the lockfile's.";
}

/** An install over an older tree keeps what it takes for up to date; so the name and version on disk are read as well. */
function differenceOnDisk(
  project: string,
  path: string,
  found: LockedPackage,
  entry: Json | undefined,
): string | undefined {
  const bundled = found.kind === "bundled" && entry !== undefined;
  if (!bundled && found.kind !== "registry" && found.kind !== "remote-tarball") return undefined;
  const bytes = readIfThere(join(project, path, "package.json"));
  if (!bytes) return "npm installed it, and it isn't there.";
  try {
    const manifest = JSON.parse(bytes.toString("utf8").replace(/^\ufeff/, "")) as JsonObject;
    const { name, version } = manifest;
    const expected = found.version ?? "";
    const same = typeof version === "string" && isVersion(expected) && cleanVersion(version) === cleanVersion(expected);
    if (!bundled && (name !== found.name || !same)) return "What lies there is another package than the lockfile's.";
    const strange = isObject(entry) ? strangeDependency(entry, manifest) : undefined;
    return strange === undefined
      ? undefined
      : `The registry or the lockfile makes it depend on ${strange}, and what its holders signed does not.`;
  } catch {
    return "Its package.json can't be read.";
  }
}

// [V-45]: npm goes by what the registry's document says, which nobody signed.
function strangeDependency(entry: JsonObject, manifest: JsonObject): string | undefined {
  const own = new Set(dependenciesOf(manifest));
  return dependenciesOf(entry).find((dependency) => !own.has(dependency));
}

const DEPENDENCIES = ["dependencies", "optionalDependencies", "peerDependencies", "acceptDependencies"];

/** Each as `name@spec`, and what the package brings along as `name@bundled`. Of which kind it is doesn't count: registries enter optional ones under two. */
function dependenciesOf(manifest: JsonObject): string[] {
  const named = DEPENDENCIES.flatMap((key) => (isObject(manifest[key]) ? Object.entries(manifest[key]) : []));
  const bundle = manifest["bundleDependencies"] ?? manifest["bundledDependencies"];
  const bundled = bundle === true ? named.map(([name]) => name) : Array.isArray(bundle) ? bundle : [];
  return [
    ...named.flatMap(([name, spec]) => (typeof spec === "string" ? [`${name}@${plainSpec(spec)}`] : [])),
    ...bundled.flatMap((name) => (typeof name === "string" ? [`${name}@bundled`] : [])),
  ];
}

/** Publishing trims what stands there, and writes GitHub's short form in full. */
function plainSpec(spec: string): string {
  const trimmed = spec.trim().replace(/^github:/, "");
  return trimmed === "" ? "*" : trimmed;
}

function byPath({ packages }: Lockfile): Map<string, LockedPackage> {
  return new Map(packages.flatMap((locked) => locked.paths.map((path) => [path, locked] as const)));
}

/** The packages that lie directly in the project's node_modules. Deeper ones may be part of a verified tarball. */
function topLevel(project: string): string[] {
  const root = join(project, "node_modules");
  const names = list(root).flatMap((name) =>
    name.startsWith("@") ? list(join(root, name)).map((plain) => `${name}/${plain}`) : [name],
  );
  return names.filter((name) => isPackage(join(root, name))).map((name) => `node_modules/${name}`);
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
}

function isPackage(directory: string): boolean {
  return lstatSync(directory).isSymbolicLink() || readIfThere(join(directory, "package.json")) !== undefined;
}
