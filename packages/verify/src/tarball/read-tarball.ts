import { createHash } from "node:crypto";
import { isObject, type Json, type JsonObject } from "@touchmark/core";
import { VerifyError } from "../errors.ts";
import { gunzip } from "./gunzip.ts";
import { TARBALL_LIMITS, type TarballLimits } from "./limits.ts";
import { scanTar } from "./scan-tar.ts";

export interface PackageJson {
  name: string | undefined;
  version: string | undefined;
  /** Script name to command. */
  scripts: Map<string, string>;
  /** The whole of it, as every client reads it. */
  content: JsonObject;
}

export interface Tarball {
  /** SHA-512 of the .tgz, hex. */
  sha512: string;
  /** SHA-512 of the tar in it, hex. */
  tarSha512: string;
  entries: number;
  packageJson: PackageJson;
}

/**
 * Reads a package's .tgz in one pass and bounded memory. Accepts what npm, pnpm, yarn, git archive and the usual tars make of a package;
 * refuses whatever two clients could unpack to two different trees, and what is out of all proportion. Throws `TARBALL_*`.
 */
export async function readTarball(
  input: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits: Partial<TarballLimits> = {},
): Promise<Tarball> {
  const all = { ...TARBALL_LIMITS, ...limits };
  const outer = createHash("sha512");
  const inner = createHash("sha512");
  const scan = scanTar(all);
  await gunzip(hashed(input instanceof Uint8Array ? [input] : input, outer), all, (content) => {
    inner.update(content);
    scan.push(content);
  });
  const { entries, packageJson } = scan.end();
  return {
    sha512: outer.digest("hex"),
    tarSha512: inner.digest("hex"),
    entries,
    packageJson: parsePackageJson(packageJson),
  };
}

async function* hashed(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of input) {
    hash.update(piece);
    yield piece;
  }
}

/** Deliberately the plain `JSON.parse` that every client uses: a key that stands twice is common in old packages, and the last one counts for all. */
function parsePackageJson(bytes: Buffer | undefined): PackageJson {
  if (!bytes) throw broken("it has no package.json");
  let content: Json;
  try {
    content = JSON.parse(bytes.toString("utf8").replace(/^\ufeff/, "")) as Json;
  } catch (cause) {
    throw broken("its package.json is not JSON", cause);
  }
  if (!isObject(content)) throw broken("its package.json is not an object");
  const scripts = isObject(content["scripts"]) ? Object.entries(content["scripts"]) : [];
  return {
    name: textOf(content["name"]),
    version: textOf(content["version"]),
    scripts: new Map(scripts.filter((entry): entry is [string, string] => typeof entry[1] === "string")),
    content,
  };
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function broken(what: string, cause?: unknown): VerifyError {
  return new VerifyError("TARBALL_PACKAGE_JSON", `The tarball is refused: ${what}.`, "", cause);
}
