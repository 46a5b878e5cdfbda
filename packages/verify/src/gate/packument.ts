import {
  cleanText,
  CoreError,
  isObject,
  isPackageName,
  isVersion,
  parseJson,
  type Json,
  type JsonObject,
} from "@touchmark/core";
import { VerifyError } from "../errors.ts";
import { parseIntegrity } from "../npm/integrity.ts";
import { addressFits } from "../npm/registry-address.ts";
import { compareVersions, isPrerelease } from "../npm/semver.ts";
import type { Decision, OfferedVersion } from "./decision.ts";
import { servesTarball, type Upstream } from "./upstream.ts";

export interface PackumentLimits {
  bytes: number;
  versions: number;
}

export const PACKUMENT_LIMITS: PackumentLimits = { bytes: 64 * 2 ** 20, versions: 50_000 };

export interface Packument {
  name: string;
  content: JsonObject;
  /** The versions that are well-formed and served from where they may be. */
  offered: Map<string, OfferedVersion>;
  /** The others, and why not. */
  broken: Map<string, Extract<Decision, { allow: false }>>;
}

const MAX_DEPTH = 64;
/** Sent to no client: nobody installs by them, and the last two are npm's own way of offering versions beside `versions`. */
const DROPPED = new Set(["readme", "readmeFilename", "_attachments", "users", "stagedVersions", "policyRestrictions"]);
const MAX_LINES = 10;

/**
 * Reads a registry's document about one package (full or abbreviated). Throws `PACKUMENT_MALFORMED`, `PACKUMENT_TOO_LARGE` when it is
 * unusable as a whole; a version that is not well-formed is only left out.
 */
export function parsePackument(
  bytes: Uint8Array,
  name: string,
  upstream: Upstream,
  limits: PackumentLimits,
): Packument {
  const content = parseContent(bytes, limits);
  const versions = content["versions"] ?? {};
  if (content["name"] !== name || !isObject(versions)) throw malformed("is not about this package");
  const entries = Object.entries(versions);
  if (entries.length > limits.versions) {
    throw new VerifyError(
      "PACKUMENT_TOO_LARGE",
      `The registry's document has ${entries.length} versions; at most ${limits.versions} are read.`,
    );
  }
  const times = isObject(content["time"]) ? content["time"] : {};
  const packument: Packument = { name, content, offered: new Map(), broken: new Map() };
  for (const [version, manifest] of entries) {
    const found = parseVersion(name, version, manifest, upstream);
    if ("allow" in found) packument.broken.set(version, found);
    else packument.offered.set(version, { ...found, publishTime: textOf(times[version]) });
  }
  return packument;
}

/**
 * The document without the versions that aren't allowed. `latest` never moves up: where its version went, the newest remaining release below takes its place;
 * other tags go with their version.
 *
 * Refused versions stand in `policyRestrictions`, npm's own field for them: npm (10, 11 and 12 alike) then picks another version for any range that has one,
 * and for an exact version, or a range of refused ones only, stops with E403 and our message. Other clients don't know the field and see no such version.
 */
export function filterPackument(
  packument: Packument,
  refused: ReadonlyMap<string, Extract<Decision, { allow: false }>>,
): JsonObject {
  const { content, name } = packument;
  const versions = isObject(content["versions"]) ? content["versions"] : {};
  const kept = Object.entries(versions).filter(([version]) => packument.offered.has(version) && !refused.has(version));
  const keys = Object.entries(content).filter(([key]) => !DROPPED.has(key));
  const result: JsonObject = Object.fromEntries(keys);
  result["versions"] = Object.fromEntries(kept);
  result["dist-tags"] = remainingTags(content["dist-tags"], new Set(kept.map(([version]) => version)));
  const listed = [...refused.keys()].filter(isVersion).toSorted(compareVersions).toReversed();
  if (listed.length > 0) {
    const lines = listed.slice(0, MAX_LINES).map((version) => refusalLine(version, refused.get(version)!));
    if (listed.length > MAX_LINES) lines.push(`and ${listed.length - MAX_LINES} older versions`);
    result["policyRestrictions"] = {
      message: lines.join("\n"),
      versions: Object.fromEntries(listed.map((version) => [version, { name, version }])),
    };
  }
  return result;
}

function parseContent(bytes: Uint8Array, limits: PackumentLimits): JsonObject {
  try {
    const content = parseJson(bytes, { bytes: limits.bytes, depth: MAX_DEPTH });
    if (isObject(content)) return content;
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    const code = cause.code === "TOO_LARGE" ? "PACKUMENT_TOO_LARGE" : "PACKUMENT_MALFORMED";
    throw new VerifyError(code, `The registry's document can't be read: ${cleanText(cause.message)}`, "", cause);
  }
  throw malformed("is not an object");
}

type Broken = Extract<Decision, { allow: false }>;

function parseVersion(
  name: string,
  version: string,
  manifest: Json | undefined,
  upstream: Upstream,
): Omit<OfferedVersion, "publishTime"> | Broken {
  if (!isVersion(version)) return broken("It is no semantic version.");
  if (!isObject(manifest) || manifest["name"] !== name || manifest["version"] !== version) {
    return broken("Its entry is about another release.");
  }
  const dist = isObject(manifest["dist"]) ? manifest["dist"] : {};
  const tarball = textOf(dist["tarball"]);
  if (tarball === undefined || !URL.canParse(tarball)) return broken("It has no tarball.");
  const url = new URL(tarball);
  if (!servesTarball(upstream, url)) {
    const where = cleanText(url.host, 80);
    return {
      allow: false,
      code: "PACKUMENT_HOST",
      reason: `Its tarball lies at ${where}, which is not this registry.`,
      hint: "",
    };
  }
  if (!addressFits(url, name, version) || pathMeansSomethingElse(url))
    return broken("Its tarball's address is that of something else.");
  return { version, tarballUrl: url.href, integrity: parseIntegrity(textOf(dist["integrity"])) };
}

/** A tarball at the address of a package's document or of the registry's own functions could be asked for only in their stead. */
function pathMeansSomethingElse(url: URL): boolean {
  const path = decodeURIComponent(url.pathname).slice(1);
  return path.startsWith("-/") || isPackageName(path);
}

function remainingTags(tags: Json | undefined, kept: ReadonlySet<string>): JsonObject {
  const result: [string, Json][] = [];
  for (const [tag, version] of isObject(tags) ? Object.entries(tags) : []) {
    if (typeof version !== "string") continue;
    const target = kept.has(version) ? version : tag === "latest" ? newestBelow(version, kept) : undefined;
    if (target !== undefined) result.push([tag, target]);
  }
  return Object.fromEntries(result);
}

function newestBelow(version: string, kept: ReadonlySet<string>): string | undefined {
  if (!isVersion(version)) return undefined;
  const below = [...kept].filter((other) => !isPrerelease(other) && compareVersions(other, version) < 0);
  return below.toSorted(compareVersions).at(-1);
}

function refusalLine(version: string, { code, reason, hint }: Broken): string {
  return cleanText(`${version}: ${reason} (${code})${hint === "" ? "" : ` - ${hint}`}`, 400);
}

function broken(reason: string): Broken {
  return { allow: false, code: "PACKUMENT_MALFORMED", reason, hint: "" };
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function malformed(what: string): VerifyError {
  return new VerifyError("PACKUMENT_MALFORMED", `The registry's document ${what}.`);
}
