/** The evidence bundle as a document: its exact form, nothing of its truth. */
import {
  encodeCanonicalJson,
  isObject,
  type Json,
  type JsonObject,
  parseCanonicalJson,
  parsePackageId,
} from "@touchmark/core";
import { encodeBase64, parseBase64 } from "./bytes.ts";
import { parseDecimal } from "./checkpoint.ts";
import { LogError } from "./error.ts";
import { sha256 } from "./node-crypto.ts";

/** [E-1] Entries and buckets are keyed by index and number, ascending. `checkpoint` is a whole note. */
export type Evidence = {
  readonly checkpoint: string;
  readonly epoch: Uint8Array;
  readonly entries: ReadonlyMap<number, Uint8Array>;
  readonly logProof: Uint8Array;
  readonly buckets: ReadonlyMap<number, Uint8Array>;
  readonly mapProof: Uint8Array;
  readonly envelopes: readonly string[];
  readonly earlier: ReadonlyMap<string, EarlierEvidence>;
};

/** [E-5] The listed versions by their place in the list, ascending, and the multi-proof of their leaves. */
export type EarlierEvidence = {
  readonly versions: ReadonlyMap<number, readonly [version: string, sha512: string]>;
  readonly proof: Uint8Array;
};

/** What a bundle says of its own form [E-1]. */
export const EVIDENCE_FORMAT = "touchmark-evidence/v1";
const KEYS = ["format", "checkpoint", "epoch", "entries", "logProof", "buckets", "mapProof", "envelopes", "earlier"];
export const MAX_EVIDENCE_BYTES: number = 64 * 1024 * 1024; // [C-15]

/** The bytes of a bundle. Maps must ascend by number; envelopes are put in order here. */
export function encodeEvidence(evidence: Evidence): string {
  return encodeCanonicalJson(evidenceToJson(evidence), "lines");
}

/** The bundle as a JSON value with its keys in the order of [E-1], for a document that holds it. */
export function evidenceToJson(evidence: Evidence): JsonObject {
  return {
    format: EVIDENCE_FORMAT,
    checkpoint: evidence.checkpoint,
    epoch: encodeBase64(evidence.epoch),
    entries: numbered(evidence.entries, encodeBase64),
    logProof: encodeBase64(evidence.logProof),
    buckets: numbered(evidence.buckets, encodeBase64),
    mapProof: encodeBase64(evidence.mapProof),
    envelopes: sortEnvelopes(evidence.envelopes).map((text) => JSON.parse(text) as Json),
    earlier: Object.fromEntries(
      [...evidence.earlier].map(([name, { versions, proof }]) => [
        name,
        { versions: numbered(versions, ([version, sha512]) => [version, sha512]), proof: encodeBase64(proof) },
      ]),
    ),
  };
}

/** Reads a bundle without trusting it. Throws `BAD_EVIDENCE` for anything but the form of [E-1] and [E-2]. */
export function parseEvidence(bytes: Uint8Array): Evidence {
  let json: Json;
  try {
    json = parseCanonicalJson(bytes, { bytes: MAX_EVIDENCE_BYTES }, "lines");
  } catch (cause) {
    throw new LogError("BAD_EVIDENCE", "The evidence is not a canonical JSON document.", { cause });
  }
  return evidenceFromJson(json);
}

/** As {@link parseEvidence}, for a bundle inside a document whose canonical form was checked. */
export function evidenceFromJson(json: Json): Evidence {
  const bundle = objectWith(json, KEYS);
  if (bundle["format"] !== EVIDENCE_FORMAT) throw malformed("is of an unknown format");
  // An envelope is canonical JSON [S-1], so that its value stands for its bytes.
  const envelopes = arrayOf(bundle["envelopes"], (value) => encodeCanonicalJson(objectOf(value)));
  if (sortEnvelopes(envelopes).some((envelope, i) => envelope !== envelopes[i]))
    throw malformed("has envelopes out of order");
  if (new Set(envelopes).size !== envelopes.length) throw malformed("has an envelope twice");
  return {
    checkpoint: textOf(bundle["checkpoint"]),
    epoch: bytesOf(bundle["epoch"]),
    entries: numberedOf(bundle["entries"], bytesOf),
    logProof: bytesOf(bundle["logProof"]),
    buckets: numberedOf(bundle["buckets"], bytesOf),
    mapProof: bytesOf(bundle["mapProof"]),
    envelopes,
    earlier: new Map(
      Object.entries(objectOf(bundle["earlier"])).map(([id, value]) => [packageIdOf(id), earlierOf(value)]),
    ),
  };
}

function packageIdOf(text: string): string {
  try {
    parsePackageId(text);
  } catch {
    throw malformed("names earlier versions of something that is no package id");
  }
  return text;
}

function earlierOf(value: Json): EarlierEvidence {
  const earlier = objectWith(value, ["versions", "proof"]);
  return { versions: numberedOf(earlier["versions"], versionOf), proof: bytesOf(earlier["proof"]) };
}

function versionOf(value: Json): [string, string] {
  const [version, sha512, ...rest] = arrayOf(value, textOf);
  if (version === undefined || sha512 === undefined || rest.length > 0)
    throw malformed("has a malformed earlier version");
  return [version, sha512];
}

function numbered<T>(values: ReadonlyMap<number, T>, encode: (value: T) => Json): JsonObject {
  return Object.fromEntries([...values].map(([number, value]) => [String(number), encode(value)]));
}

/** [E-2] The keys ascend; JSON.parse puts only those below 2^32 in order by itself. */
function numberedOf<T>(value: Json | undefined, parse: (value: Json) => T): Map<number, T> {
  const values = new Map<number, T>();
  let before = -1;
  for (const [key, item] of Object.entries(objectOf(value))) {
    const number = parseDecimal(key);
    if (number === undefined || number <= before) throw malformed("has numbers that do not ascend");
    values.set(number, parse(item));
    before = number;
  }
  return values;
}

function sortEnvelopes(envelopes: readonly string[]): string[] {
  return envelopes
    .map((envelope) => ({ envelope, hash: sha256(Buffer.from(envelope, "utf8")) }))
    .toSorted((a, b) => Buffer.compare(a.hash, b.hash))
    .map(({ envelope }) => envelope);
}

function objectWith(value: Json | undefined, keys: readonly string[]): JsonObject {
  const object = objectOf(value);
  if (Object.keys(object).join() !== keys.join()) throw malformed("has not exactly the keys that it should");
  return object;
}

function objectOf(value: Json | undefined): JsonObject {
  if (!isObject(value)) throw malformed("has a value that should be an object");
  return value;
}

function arrayOf<T>(value: Json | undefined, parse: (value: Json) => T): T[] {
  if (!Array.isArray(value)) throw malformed("has a value that should be a list");
  return value.map(parse);
}

function textOf(value: Json | undefined): string {
  if (typeof value !== "string") throw malformed("has a value that should be text");
  return value;
}

function bytesOf(value: Json | undefined): Uint8Array {
  const bytes = parseBase64(textOf(value));
  if (bytes === undefined) throw malformed("has a value that is not base64");
  return bytes;
}

function malformed(what: string): LogError {
  return new LogError("BAD_EVIDENCE", `The evidence ${what}.`);
}
