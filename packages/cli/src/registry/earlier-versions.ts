import { createHash } from "node:crypto";
import {
  cleanText,
  compareText,
  isObject,
  isVersion,
  type Json,
  MAX_EARLIER,
  parseJson,
  parsePackageId,
} from "@touchmark/core";
import { parseIntegrity, type Policy, registriesOf } from "@touchmark/verify";
import { CliError } from "../error.ts";
import type { Io } from "../io.ts";
import type { Ui } from "../ui.ts";
import { askRegistry } from "./ask-registry.ts";

/** Version and hex SHA-512 of each, in byte order of the versions [S-15]. */
export type EarlierVersions = [version: string, sha512: string][];

const MAX_PACKUMENT = 64 * 1024 * 1024;
const MAX_TARBALL = 512 * 1024 * 1024;
const PACKUMENT_TYPE = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8";

/**
 * The versions of a package that its registry has today. A version for which the registry gives no sha512 is downloaded and hashed.
 * Throws `NOT_PUBLISHED`, `REGISTRY_ANSWER`, and what the network throws.
 */
export async function fetchEarlierVersions(
  packageId: string,
  policy: Policy,
  io: Io,
  ui: Ui,
): Promise<EarlierVersions> {
  const { registry, name } = parsePackageId(packageId);
  const base = policy.registries.get(registry)?.[0];
  if (!base) throw new CliError("REGISTRY_UNKNOWN", `The policy knows no registry "${registry}".`);
  const url = new URL(name.replace("/", "%2f"), base);
  const versions = readVersions(await readAll(askRegistry(io, url, PACKUMENT_TYPE, MAX_PACKUMENT)), name, ui);
  if (versions.size > MAX_EARLIER)
    throw new CliError(
      "REGISTRY_ANSWER",
      `${name} has ${versions.size} versions; a claim lists at most ${MAX_EARLIER}.`,
    );
  const earlier: EarlierVersions = [];
  for (const [version, dist] of versions) {
    const integrity = parseIntegrity(textOf(dist, "integrity"));
    if (integrity.ok) earlier.push([version, integrity.sha512]);
    else earlier.push([version, await hashTarball({ name, version, dist }, policy, io, ui)]);
  }
  return earlier.toSorted(([a], [b]) => compareText(a, b));
}

function readVersions(bytes: Uint8Array, name: string, ui: Ui): Map<string, Json> {
  const packument = parseJson(bytes, { bytes: MAX_PACKUMENT, depth: 64 });
  const versions = isObject(packument) && packument["name"] === name ? packument["versions"] : undefined;
  if (!isObject(versions)) throw new CliError("REGISTRY_ANSWER", `The registry's document is not about ${name}.`);
  const good = new Map<string, Json>();
  for (const [version, manifest] of Object.entries(versions)) {
    if (isVersion(version) && isObject(manifest)) good.set(version, manifest["dist"] ?? null);
    else ui.warn(`${name} has "${cleanText(version, 80)}", which is no semantic version and is left out`);
  }
  return good;
}

async function hashTarball(
  { name, version, dist }: { name: string; version: string; dist: Json },
  policy: Policy,
  io: Io,
  ui: Ui,
): Promise<string> {
  const address = textOf(dist, "tarball") ?? "";
  const url = URL.parse(address);
  if (url === null || registriesOf(policy)(url) === undefined) {
    throw new CliError(
      "REGISTRY_ANSWER",
      `The tarball of ${name}@${version} has no sha512, and lies at ${cleanText(address, 120)}, which is no address of the registry.`,
    );
  }
  ui.progress(`fetching ${name}@${version}, for which the registry gives no sha512`);
  const sha512 = createHash("sha512");
  const sha1 = createHash("sha1");
  for await (const piece of askRegistry(io, url, "*/*", MAX_TARBALL)) {
    sha512.update(piece);
    sha1.update(piece);
  }
  const expected = textOf(dist, "shasum");
  if (expected !== undefined && sha1.digest("hex") !== expected)
    throw new CliError(
      "REGISTRY_ANSWER",
      `The tarball of ${name}@${version} is not the one that the registry's document names.`,
    );
  return sha512.digest("hex");
}

async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Uint8Array.from(Buffer.concat(all));
}

function textOf(value: Json | undefined, key: string): string | undefined {
  const text = isObject(value) ? value[key] : undefined;
  return typeof text === "string" ? text : undefined;
}
