// CTAP 2.1 section 8: the one encoding that is accepted from a security key, and the one that is sent to it.
import { Encoder } from "cbor-x";
import { explain } from "../explain.ts";

export type CborKey = number | string;
export type CborValue = number | bigint | string | boolean | Uint8Array | CborValue[] | CborMap;
export type CborMap = Map<CborKey, CborValue>;

/** Maps and arrays inside one another, and items in all. */
const MAX_DEPTH = 4;
const MAX_ITEMS = 1024;

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5 } as const;
const FALSE = 0xf4;
const TRUE = 0xf5;

const codec = new Encoder({ useRecords: false, mapsAsObjects: false, tagUint8Array: false });
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Decodes bytes that are exactly one canonical item. Throws DEVICE_GARBAGE, also for bytes that follow. */
export function decodeCbor(bytes: Uint8Array): CborValue {
  const { value, end } = decodeCborPrefix(bytes);
  if (end !== bytes.length) throw bad("bytes after the end of the CBOR");
  return value;
}

/** Decodes the canonical item at the start of `bytes` and tells where it ends. Throws DEVICE_GARBAGE. */
export function decodeCborPrefix(bytes: Uint8Array): { readonly value: CborValue; readonly end: number } {
  const end = checkCanonical(bytes, 0);
  // What passes the check holds no tags, so cbor-x meets nothing that it would interpret.
  return { value: codec.decode(bytes.subarray(0, end)) as CborValue, end };
}

/** Encodes a value in the canonical form; the keys of a map may come in any order. */
export function encodeCbor(value: CborValue): Uint8Array {
  return new Uint8Array(codec.encode(sortKeys(value)));
}

/** A map out of its entries. */
export function cborMap(...entries: readonly (readonly [CborKey, CborValue])[]): CborMap {
  return new Map(entries);
}

/** Where each value of a top-level map begins and ends, for parts that are kept as they came. */
export function locateMapValues(bytes: Uint8Array): Map<CborKey, Uint8Array> {
  const { value, end } = decodeCborPrefix(bytes);
  if (!(value instanceof Map) || end !== bytes.length) throw bad("no CBOR map");
  const parts = new Map<CborKey, Uint8Array>();
  let at = readHead(bytes, 0).end;
  for (const key of value.keys()) {
    const start = checkCanonical(bytes, at);
    at = checkCanonical(bytes, start);
    parts.set(key, new Uint8Array(bytes.subarray(start, at)));
  }
  return parts;
}

/**
 * Walks one item and returns where it ends. Refuses everything but the canonical form: shortest lengths, map keys in order and
 * none twice, definite lengths, no tags, floats or null, text in UTF-8, at most four levels deep.
 */
export function checkCanonical(bytes: Uint8Array, start: number): number {
  const budget = { items: MAX_ITEMS };
  return checkItem(bytes, start, 0, budget);
}

function checkItem(bytes: Uint8Array, start: number, depth: number, budget: { items: number }): number {
  if (--budget.items < 0) throw bad("too many CBOR items");
  const { major, argument, end } = readHead(bytes, start);
  switch (major) {
    case MAJOR.unsigned:
    case MAJOR.negative:
      return end;
    case MAJOR.bytes:
    case MAJOR.text:
      return checkString(bytes, major, end, argument);
    case MAJOR.array:
    case MAJOR.map: {
      if (depth >= MAX_DEPTH) throw bad("CBOR nested too deep");
      return major === MAJOR.array
        ? checkArray(bytes, end, argument, depth, budget)
        : checkMap(bytes, end, argument, depth, budget);
    }
    default: {
      const first = bytes[start];
      if (first !== FALSE && first !== TRUE) throw bad("a CBOR type that CTAP2 does not know");
      return end;
    }
  }
}

function checkString(bytes: Uint8Array, major: number, start: number, length: number): number {
  const end = start + length;
  if (end > bytes.length) throw bad("CBOR that ends too early");
  if (major === MAJOR.text) {
    try {
      utf8.decode(bytes.subarray(start, end));
    } catch {
      throw bad("text that is not UTF-8");
    }
  }
  return end;
}

function checkArray(
  bytes: Uint8Array,
  start: number,
  length: number,
  depth: number,
  budget: { items: number },
): number {
  let at = start;
  for (let i = 0; i < length; i++) at = checkItem(bytes, at, depth + 1, budget);
  return at;
}

function checkMap(bytes: Uint8Array, start: number, length: number, depth: number, budget: { items: number }): number {
  let at = start;
  let before: Uint8Array | undefined;
  for (let i = 0; i < length; i++) {
    const keyMajor = (bytes[at] ?? 0xff) >> 5;
    if (keyMajor !== MAJOR.unsigned && keyMajor !== MAJOR.negative && keyMajor !== MAJOR.text)
      throw bad("a map key of the wrong type");
    const keyEnd = checkItem(bytes, at, depth + 1, budget);
    const key = bytes.subarray(at, keyEnd);
    if (before !== undefined && compareKeys(before, key) >= 0) throw bad("map keys out of order");
    before = key;
    at = checkItem(bytes, keyEnd, depth + 1, budget);
  }
  return at;
}

interface Head {
  readonly major: number;
  /** The number itself, a length, or a count. Numbers of 2^53 and more lose their last digits here; only their size matters. */
  readonly argument: number;
  readonly end: number;
}

function readHead(bytes: Uint8Array, start: number): Head {
  const first = bytes[start];
  if (first === undefined) throw bad("CBOR that ends too early");
  const major = first >> 5;
  const info = first & 0x1f;
  if (info < 24) return { major, argument: info, end: start + 1 };
  if (info > 27) throw bad("CBOR of indefinite length");
  const width = 1 << (info - 24);
  const end = start + 1 + width;
  if (end > bytes.length) throw bad("CBOR that ends too early");
  let argument = 0;
  for (let at = start + 1; at < end; at++) argument = argument * 256 + (bytes[at] ?? 0);
  const shortest = width === 1 ? 24 : 256 ** (width / 2);
  if (argument < shortest) throw bad("CBOR that is not in its shortest form");
  return { major, argument, end };
}

/** CTAP2 order: by type, then by length, then by bytes. */
function compareKeys(left: Uint8Array, right: Uint8Array): number {
  const byType = ((left[0] ?? 0) >> 5) - ((right[0] ?? 0) >> 5);
  return byType || left.length - right.length || Buffer.compare(left, right);
}

function sortKeys(value: CborValue): CborValue {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!(value instanceof Map)) return value;
  const entries = [...value].map(([key, part]) => ({
    key,
    part: sortKeys(part),
    encoded: new Uint8Array(codec.encode(key)),
  }));
  entries.sort((left, right) => compareKeys(left.encoded, right.encoded));
  return new Map(entries.map(({ key, part }) => [key, part]));
}

function bad(detail: string): Error {
  return explain({ kind: "garbage", detail });
}
