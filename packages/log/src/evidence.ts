/** The evidence bundle as a document: its exact form, nothing of its truth. */
import { isPackageId } from "@touchmark/core";
import { hash } from "node:crypto";
import { encodeBase64, parseBase64 } from "./bytes.ts";
import { parseDecimal } from "./checkpoint.ts";
import { LogError } from "./error.ts";
import {
  encodeLineDocument,
  type LineDocument,
  type Member,
  parseItem,
  parseLineDocument,
  parseText,
} from "./line-document.ts";

/** [E-1] Entries and buckets are keyed by index and number, ascending. `checkpoint` is a whole note. */
export type Evidence = {
  readonly checkpoint: string;
  readonly epoch: Uint8Array;
  readonly entries: ReadonlyMap<number, Uint8Array>;
  readonly logProof: Uint8Array;
  readonly buckets: ReadonlyMap<number, Uint8Array>;
  readonly mapProof: Uint8Array;
  /** The envelopes' texts by the hex SHA-256 of their bytes. */
  readonly envelopes: ReadonlyMap<string, string>;
  /** By package id, then by the hex of the list's root [S-15]. */
  readonly earlier: ReadonlyMap<string, ReadonlyMap<string, EarlierEvidence>>;
};

/** [E-5] The listed versions by their place in the list, ascending, and the multi-proof of their leaves. */
export type EarlierEvidence = {
  readonly versions: ReadonlyMap<number, readonly [version: string, sha512: string]>;
  readonly proof: Uint8Array;
};

const FORMAT = "touchmark-evidence/v1";
/** The keys of a bundle after its `format` [E-1]. */
export const EVIDENCE_KEYS: readonly string[] = [
  "checkpoint",
  "epoch",
  "entries",
  "logProof",
  "buckets",
  "mapProof",
  "envelopes",
  "earlier",
];
export const MAX_EVIDENCE_BYTES: number = 64 * 1024 * 1024; // [C-15]
const NUMBERED = /^"([0-9]{1,16})":"([A-Za-z0-9+/=]*)"$/;
const BASE64 = /^"([A-Za-z0-9+/=]*)"$/;

/** The bytes of a bundle, as text. Maps must ascend by number; envelopes are put in order here. */
export function encodeEvidence(evidence: Evidence): string {
  return encodeLineDocument([["format", JSON.stringify(FORMAT)], ...evidenceMembers(evidence)]);
}

/** Reads a bundle without trusting it. Throws `BAD_EVIDENCE` for anything but the form of [E-1] and [E-2]. */
export function parseEvidence(bytes: Uint8Array): Evidence {
  const document = parseLineDocument(bytes, ["format", ...EVIDENCE_KEYS], MAX_EVIDENCE_BYTES);
  if (parseText(document.scalar("format")) !== FORMAT) throw malformed("is of an unknown format");
  return readEvidence(document);
}

/** The members of a bundle after its `format`, for a document that holds them. */
export function evidenceMembers(evidence: Evidence): Member[] {
  const { entries, buckets, envelopes, earlier } = evidence;
  const texts = [...envelopes].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  return [
    ["checkpoint", JSON.stringify(evidence.checkpoint)],
    ["epoch", quoted(evidence.epoch)],
    ["entries", { brackets: "{}", items: [...entries].map(([index, bytes]) => `"${index}":${quoted(bytes)}`) }],
    ["logProof", quoted(evidence.logProof)],
    ["buckets", { brackets: "{}", items: [...buckets].map(([number, bytes]) => `"${number}":${quoted(bytes)}`) }],
    ["mapProof", quoted(evidence.mapProof)],
    ["envelopes", { brackets: "[]", items: texts }],
    [
      "earlier",
      { brackets: "{}", items: [...earlier].map(([id, list]) => `${JSON.stringify(id)}:${encodeEarlier(list)}`) },
    ],
  ];
}

/** As {@link parseEvidence}, for the members of a larger document. */
export function readEvidence(document: LineDocument): Evidence {
  return {
    checkpoint: parseText(document.scalar("checkpoint")),
    epoch: readBytes(document.scalar("epoch")),
    entries: readNumbered(document.items("entries", "{}")),
    logProof: readBytes(document.scalar("logProof")),
    buckets: readNumbered(document.items("buckets", "{}")),
    mapProof: readBytes(document.scalar("mapProof")),
    envelopes: readEnvelopes(document.items("envelopes", "[]")),
    earlier: new Map(document.items("earlier", "{}").map(readEarlier)),
  };
}

function quoted(bytes: Uint8Array): string {
  return `"${encodeBase64(bytes)}"`;
}

function encodeEarlier(lists: ReadonlyMap<string, EarlierEvidence>): string {
  const sorted = [...lists].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(
    Object.fromEntries(
      sorted.map(([root, { versions, proof }]) => [
        root,
        { versions: Object.fromEntries(versions), proof: encodeBase64(proof) },
      ]),
    ),
  );
}

function readBytes(json: string): Uint8Array {
  return decode(BASE64.exec(json)?.[1]);
}

// [E-2]: the numbers ascend.
function readNumbered(items: readonly string[]): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  let before = -1;
  for (const item of items) {
    const [, key = "", base64] = NUMBERED.exec(item) ?? [];
    const number = parseDecimal(key);
    if (number === undefined || number <= before) throw malformed("has numbers that do not ascend");
    values.set(number, decode(base64));
    before = number;
  }
  return values;
}

// Each line is an envelope's very bytes: an envelope is ASCII [S-1], so a line that isn't has a hash that no entry names. What it says is read when it is opened; that nothing was changed in it, its hash says.
function readEnvelopes(items: readonly string[]): Map<string, string> {
  const envelopes = new Map<string, string>();
  let before = "";
  for (const item of items) {
    const digest = hash("sha256", item, "hex");
    if (digest <= before) throw malformed("has envelopes out of order, or one twice");
    envelopes.set(digest, item);
    before = digest;
  }
  return envelopes;
}

function readEarlier(item: string): [string, Map<string, EarlierEvidence>] {
  const document = parseItem(`{${item}}`);
  const [[id, value] = ["", null], ...more] = Object.entries(document as object) as [string, unknown][];
  if (more.length > 0 || !isPackageId(id)) throw malformed("names earlier versions of something that is no package id");
  const lists = Object.entries(membersOf(value));
  const ascend = lists.every(([root], i) => ROOT.test(root) && (i === 0 || lists[i - 1]![0] < root));
  if (!ascend || lists.length === 0) throw malformed("names a list of earlier versions by no root, or out of order");
  return [id, new Map(lists.map(([root, list]) => [root, readList(list)]))];
}

const ROOT = /^[0-9a-f]{64}$/;

function readList(value: unknown): EarlierEvidence {
  const { versions, proof, ...rest } = membersOf(value);
  if (typeof proof !== "string" || Object.keys(rest).length > 0)
    throw malformed("has a malformed list of earlier versions");
  return { versions: readVersions(membersOf(versions)), proof: decode(proof) };
}

function membersOf(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed("has a malformed list of earlier versions");
  return value as Record<string, unknown>;
}

function readVersions(versions: Record<string, unknown>): Map<number, readonly [string, string]> {
  return new Map(
    Object.entries(versions).map(([key, pair]) => {
      const place = parseDecimal(key);
      const [version, sha512, ...rest] = Array.isArray(pair) ? (pair as unknown[]) : [];
      if (place === undefined || typeof version !== "string" || typeof sha512 !== "string" || rest.length > 0) {
        throw malformed("has a malformed earlier version");
      }
      return [place, [version, sha512]];
    }),
  );
}

function decode(base64: string | undefined): Uint8Array {
  const bytes = base64 === undefined ? undefined : parseBase64(base64);
  if (bytes === undefined) throw malformed("has a value that is not base64");
  return bytes;
}

function malformed(what: string): LogError {
  return new LogError("BAD_EVIDENCE", `The evidence ${what}.`);
}
