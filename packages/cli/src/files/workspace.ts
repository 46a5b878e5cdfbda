// The packages of the repository in the current folder, as npm, pnpm and yarn declare them.
import { existsSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { isObject, isPackageName, type Json, type JsonObject, parseJson, parseUtf8 } from "@touchmark/core";
import { readIfThere } from "./read-file.ts";
import { writeWhole } from "./write-file.ts";

/** A package.json of the repository with a name that can be published. */
export interface LocalPackage {
  name: string;
  /** Where its package.json is, from the current folder. */
  file: string;
}

const MAX_MANIFEST = 1024 * 1024;
const MOST = 500;
const DEEPEST = 4;

/** The root's package and those of its workspaces, without private ones; what can't be read is left out. */
export function localPackages(folder: string): LocalPackage[] {
  const root = readManifest(join(folder, "package.json"));
  const patterns = [...workspacesOf(root), ...pnpmWorkspaces(folder)];
  const excluded = new Set(
    patterns.filter((pattern) => pattern.startsWith("!")).flatMap((pattern) => expand(folder, pattern.slice(1))),
  );
  const folders = patterns
    .filter((pattern) => !pattern.startsWith("!"))
    .flatMap((pattern) => expand(folder, pattern))
    .filter((one) => !excluded.has(one));
  const files = [...new Set([folder, ...folders])].map((one) => join(one, "package.json")).slice(0, MOST);
  return files.flatMap((file) => {
    const manifest = readManifest(file);
    const name = manifest?.["name"];
    if (typeof name !== "string" || !isPackageName(name) || manifest?.["private"] === true) return [];
    return [{ name, file: relative(folder, file) }];
  });
}

/** Writes the authority's digest into a package.json, which is proof (a) once a version with it is published. False if it stands there. */
export async function writeAuthority(folder: string, file: string, authority: string): Promise<boolean> {
  const path = resolve(folder, file);
  const bytes = readIfThere(path, MAX_MANIFEST);
  const manifest = bytes === null ? null : parseJson(bytes, { bytes: MAX_MANIFEST });
  if (bytes === null || manifest === null || !isObject(manifest)) return false;
  const before = manifest["touchmark"];
  const member: JsonObject = isObject(before) ? { ...before } : {};
  if (member["authority"] === authority) return false;
  const text = parseUtf8(bytes);
  const indent = /^\{\r?\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  const after = { ...manifest, touchmark: { ...member, authority } };
  await writeWhole(path, `${JSON.stringify(after, null, indent)}${text.endsWith("\n") ? "\n" : ""}`);
  return true;
}

function readManifest(file: string): JsonObject | null {
  const bytes = readIfThere(file, MAX_MANIFEST);
  if (bytes === null) return null;
  try {
    const manifest = parseJson(bytes, { bytes: MAX_MANIFEST });
    return isObject(manifest) ? manifest : null;
  } catch {
    return null;
  }
}

function workspacesOf(manifest: JsonObject | null): string[] {
  const declared = manifest?.["workspaces"];
  const list: Json | undefined = isObject(declared) ? declared["packages"] : declared;
  return Array.isArray(list) ? list.filter((pattern) => typeof pattern === "string") : [];
}

// Only the list under `packages:` is read.
function pnpmWorkspaces(folder: string): string[] {
  const bytes = readIfThere(join(folder, "pnpm-workspace.yaml"), MAX_MANIFEST);
  if (bytes === null) return [];
  const lines = parseUtf8(bytes).split(/\r?\n/);
  const from = lines.findIndex((line) => /^packages:\s*(?:#.*)?$/.test(line));
  if (from < 0) return [];
  const patterns: string[] = [];
  for (const line of lines.slice(from + 1)) {
    if (/^\s*(?:#.*)?$/.test(line)) continue;
    const [, pattern] = /^\s*-\s*["']?([^"'#]+?)["']?\s*(?:#.*)?$/.exec(line) ?? [];
    if (pattern === undefined) break;
    patterns.push(pattern);
  }
  return patterns;
}

/** The folders that a pattern means: literal parts, `*` for one, `**` for some. */
function expand(folder: string, pattern: string): string[] {
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  let folders = [folder];
  for (const part of parts) {
    if (part === "..") return [];
    if (part === "**") folders = folders.flatMap((one) => below(one, DEEPEST));
    else if (part.includes("*")) {
      const matching = new RegExp(`^${part.split("*").map(escaped).join("[^/]*")}$`);
      folders = folders.flatMap((one) =>
        foldersIn(one)
          .filter((name) => matching.test(name))
          .map((name) => join(one, name)),
      );
    } else folders = folders.map((one) => join(one, part)).filter((one) => existsSync(one));
  }
  return folders;
}

function below(folder: string, levels: number): string[] {
  if (levels === 0) return [folder];
  return [folder, ...foldersIn(folder).flatMap((name) => below(join(folder, name), levels - 1))];
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
      .map(({ name }) => name)
      .toSorted();
  } catch {
    return [];
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.+?()[\]{}|]/g, "\\$&");
}
