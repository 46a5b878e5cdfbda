import { basename, dirname, join } from "node:path";
import { cleanText, type Statement } from "@touchmark/core";
import { readTarball } from "@touchmark/verify/tarball";
import { usageError } from "../command.ts";
import { readIfThere, readWhole } from "../files/read-file.ts";
import { count } from "../ui.ts";
import { compareTarballs } from "./changed-files.ts";
import type { HeldTarball } from "./draft-release.ts";

const MAX_TARBALL = 512 * 2 ** 20;

interface Base {
  path: string;
  bytes: Uint8Array;
}

/**
 * Release id → how much changed against the base, where the release names one. The base's tarball is one of `named`, or lies beside
 * the new one under the name that npm pack gives it; nothing but its own package.json says that it is that version.
 */
export async function describeChanges(
  statement: Statement,
  held: readonly HeldTarball[],
  named: readonly string[],
): Promise<Map<string, string>> {
  const said = new Map<string, string>();
  if (statement.kind !== "release") return said;
  const bases = new Map<string, Base>();
  for (const path of named) {
    const bytes = readWhole(path, MAX_TARBALL);
    bases.set(await releaseIn(bytes), { path, bytes });
  }
  for (const tarball of held) {
    const version = statement.releases.get(tarball.releaseId)?.base ?? null;
    if (version === null) continue;
    const release = `${tarball.name}@${version}`;
    const base = bases.get(release) ?? (await findBeside(tarball, version));
    bases.delete(release);
    said.set(
      tarball.releaseId,
      base === null
        ? "not compared: no tarball of the base is at hand"
        : compare(base, readWhole(tarball.path, MAX_TARBALL)),
    );
  }
  const [unused] = bases.values();
  if (unused) throw usageError("sign", `${cleanText(basename(unused.path))} is the base of none of the tarballs.`);
  return said;
}

async function findBeside({ path, name }: HeldTarball, version: string): Promise<Base | null> {
  const beside = join(dirname(path), `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
  const bytes = readIfThere(beside, MAX_TARBALL);
  if (bytes === null || (await releaseIn(bytes)) !== `${name}@${version}`) return null;
  return { path: beside, bytes };
}

async function releaseIn(bytes: Uint8Array): Promise<string> {
  const { name, version } = (await readTarball(bytes)).packageJson;
  return `${name}@${version}`;
}

function compare({ path, bytes }: Base, next: Uint8Array): string {
  const file = cleanText(basename(path));
  const changes = compareTarballs(bytes, next);
  if (changes === null) return `not compared: too large, or of a kind that is not compared (${file})`;
  const { changed, added, removed, files } = changes;
  return `${changed} of ${count(files, "file")} changed, ${added} new, ${removed} removed, against ${file}`;
}
