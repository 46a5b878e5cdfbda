/** What is asked for by [L-20], [L-21] and [L-53], read strictly. */
import {
  compareText,
  CoreError,
  encodeEarlierLeaf,
  isCommitteeId,
  isObject,
  isVersion,
  type Json,
  type JsonObject,
  MAX_EARLIER,
  parseJson,
  parseReleaseId,
  parseSubjectId,
} from "@touchmark/core";
import { leafHash, rootOfLeaves } from "@touchmark/log";
import type { EarlierText } from "./admission.ts";
import { LogServerError } from "./error.ts";

/** [L-20] */
export const MAX_BODY_BYTES: number = 4 * 1024 * 1024;
// [L-21]
const MAX_PACKAGES = 5000;
const MAX_VERSIONS = 50_000;

export type SubmitRequest = { readonly envelope: string; readonly earlier: ReadonlyMap<string, EarlierText> };

/** Throws `MALFORMED`, or a `CoreError`. The envelope is not looked into. */
export function parseSubmitRequest(body: Uint8Array): SubmitRequest {
  const request = readObject(body, ["envelope", "earlier"]);
  const { envelope, earlier = {} } = request;
  if (typeof envelope !== "string") throw malformed('"envelope" is not text');
  if (!isObject(earlier)) throw malformed('"earlier" is not an object');
  const lists = Object.entries(earlier).map(([subjectId, list]): [string, EarlierText] => {
    parseSubjectId(subjectId);
    return [subjectId, readEarlier(list)];
  });
  return { envelope, earlier: new Map(lists) };
}

/** Subject id to versions; of a committee to release ids. Throws `MALFORMED`, `TOO_LARGE`, or a `CoreError`. */
export function parseEvidenceRequest(body: Uint8Array): ReadonlyMap<string, readonly string[]> {
  const { packages } = readObject(body, ["packages"]);
  if (!isObject(packages)) throw malformed('"packages" is not an object');
  const wanted = Object.entries(packages);
  if (wanted.length > MAX_PACKAGES) throw tooMany(`more than ${MAX_PACKAGES} packages`);
  let count = 0;
  return new Map(
    wanted.map(([subjectId, versions]) => {
      parseSubjectId(subjectId);
      if (!Array.isArray(versions)) throw malformed("the versions of a package are not a list");
      count += versions.length;
      if (count > MAX_VERSIONS) throw tooMany(`more than ${MAX_VERSIONS} versions`);
      return [subjectId, versions.map(isCommitteeId(subjectId) ? readReleaseId : readVersion)];
    }),
  );
}

/** [L-53] What stands behind `evidence/`: a subject id, or a release id. Throws `MALFORMED`, or a `CoreError`. */
export function parseEvidencePath(path: string): ReadonlyMap<string, readonly string[]> {
  const id = decodePath(path);
  if (id.startsWith("npm:") && id.lastIndexOf("@") > id.lastIndexOf("/") + 1) {
    const { packageId, version } = parseReleaseId(id);
    return new Map([[packageId, [version]]]);
  }
  parseSubjectId(id);
  return new Map([[id, []]]);
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw malformed("its path is not well encoded");
  }
}

/** [S-15] Pairs of version and hex, sorted by version. */
function readEarlier(value: Json): EarlierText {
  if (!Array.isArray(value)) throw malformed("a list of earlier versions is not a list");
  if (value.length > MAX_EARLIER) throw tooMany(`more than ${MAX_EARLIER} earlier versions`);
  let before = "";
  const lines = value.map((item) => {
    const [version, sha512, ...rest] = Array.isArray(item) ? item : [];
    const digest = typeof sha512 === "string" && /^[0-9a-f]{128}$/.test(sha512) ? sha512 : undefined;
    if (version === undefined || digest === undefined || rest.length > 0)
      throw malformed("an earlier version is no pair");
    const text = readVersion(version);
    if (before !== "" && compareText(before, text) >= 0) throw malformed("earlier versions are not sorted");
    before = text;
    return encodeEarlierLeaf(text, digest);
  });
  const text = lines.map((line) => `${Buffer.from(line).toString("utf8")}\n`).join("");
  return { size: lines.length, root: rootOfLeaves(lines.map(leafHash)), text };
}

function readVersion(value: Json): string {
  if (typeof value !== "string" || !isVersion(value)) throw malformed("a version is malformed");
  return value;
}

// [E-20]
function readReleaseId(value: Json): string {
  if (typeof value !== "string") throw malformed("a release id is not text");
  parseReleaseId(value);
  return value;
}

function readObject(body: Uint8Array, keys: readonly string[]): JsonObject {
  let value: Json;
  try {
    value = parseJson(body, { bytes: MAX_BODY_BYTES, depth: 5 });
  } catch (error) {
    if (error instanceof CoreError) throw new LogServerError("MALFORMED", error.message, error.hint, error);
    throw error;
  }
  if (!isObject(value) || Object.keys(value).some((key) => !keys.includes(key))) {
    throw malformed(`it is not an object with the keys ${keys.join(", ")}`);
  }
  return value;
}

function malformed(what: string): LogServerError {
  return new LogServerError("MALFORMED", `The request is malformed: ${what}.`);
}

function tooMany(what: string): LogServerError {
  return new LogServerError("TOO_LARGE", `The request names ${what}.`, "Split it.");
}
