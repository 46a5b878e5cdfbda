// Reading single fields of a decoded map. Each throws DEVICE_GARBAGE where the type is not the one that CTAP2 names.
import { explain } from "../explain.ts";
import type { CborKey, CborMap, CborValue } from "./canonical.ts";

/** The value if it is a map. */
export function asMap(value: CborValue | undefined, what: string): CborMap {
  if (!(value instanceof Map)) throw wrong(what);
  return value;
}

export function bytesAt(map: CborMap, key: CborKey, what: string, length?: number): Uint8Array {
  const value = map.get(key);
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) throw wrong(what);
  return new Uint8Array(value);
}

export function textAt(map: CborMap, key: CborKey, what: string): string {
  const value = map.get(key);
  if (typeof value !== "string") throw wrong(what);
  return value;
}

/** A whole number from 0 up, or undefined if the field is absent. */
export function countAt(map: CborMap, key: CborKey, what: string): number | undefined {
  const value = map.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== "number" || value < 0) throw wrong(what);
  return value;
}

export function booleanAt(map: CborMap, key: CborKey, what: string): boolean | undefined {
  const value = map.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== "boolean") throw wrong(what);
  return value;
}

/** The array's elements, each through `read`; empty if the field is absent. */
export function listAt<T>(map: CborMap, key: CborKey, what: string, read: (value: CborValue) => T | undefined): T[] {
  const value = map.get(key);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong(what);
  return value.map((element) => {
    const part = read(element);
    if (part === undefined) throw wrong(what);
    return part;
  });
}

function wrong(what: string): Error {
  return explain({ kind: "garbage", detail: `${what} is missing or of the wrong type` });
}
