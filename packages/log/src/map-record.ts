/** What the map consists of: records, and the buckets that they lie in. */
import { copyBytes } from "./bytes.ts";
import { readIndex, writeIndex } from "./entry.ts";
import { LogError } from "./error.ts";

export const MAP_HEIGHT = 20;
/** [L-9] Buckets in the map. */
export const MAP_SIZE: number = 2 ** MAP_HEIGHT;
export const RECORD_BYTES = 48;

/** [L-11] `packageHash` is 32 bytes; `last` and `lastAuthority` are indices of the log. */
export type MapRecord = {
  readonly packageHash: Uint8Array;
  readonly last: number;
  readonly lastAuthority: number | null;
};

/** [L-10] The first 20 bits of a package id hash. */
export function bucketOf(packageHash: Uint8Array): number {
  if (packageHash.length !== 32) throw new LogError("BAD_ARGUMENT", "A package id hash is not 32 bytes long.");
  return bucketAt(packageHash, 0);
}

/** The bucket of the package id hash that begins at `offset`. The caller has checked that it is there. */
export function bucketAt(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 12) | (bytes[offset + 1]! << 4) | (bytes[offset + 2]! >> 4);
}

/** [L-10] [L-11] Reads bucket number `bucket`. Throws `BAD_RECORD` unless its records are whole, sorted, its own, and none stands twice. */
export function parseBucket(bytes: Uint8Array, bucket: number): MapRecord[] {
  if (bytes.length % RECORD_BYTES !== 0) throw new LogError("BAD_RECORD", "A map bucket has a wrong length.");
  const records: MapRecord[] = [];
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    const packageHash = copyBytes(bytes, at, at + 32);
    const last = readIndex(bytes, at + 32);
    const lastAuthority = readIndex(bytes, at + 40);
    const before = records.at(-1);
    if (last === null || (lastAuthority !== null && lastAuthority > last)) {
      throw new LogError("BAD_RECORD", "A map record names impossible entries.");
    }
    if (bucketOf(packageHash) !== bucket) throw new LogError("BAD_RECORD", "A map record is in a foreign bucket.");
    if (before !== undefined && Buffer.compare(before.packageHash, packageHash) >= 0) {
      throw new LogError("BAD_RECORD", "The records of a map bucket are not sorted.");
    }
    records.push({ packageHash, last, lastAuthority });
  }
  return records;
}

/** The inverse of {@link parseBucket}; the records may come in any order. */
export function encodeBucket(records: readonly MapRecord[]): Uint8Array {
  const bytes = new Uint8Array(records.length * RECORD_BYTES);
  const sorted = records.toSorted((a, b) => Buffer.compare(a.packageHash, b.packageHash));
  for (const [i, record] of sorted.entries()) writeRecord(bytes, i * RECORD_BYTES, record);
  return bytes;
}

export function writeRecord(bytes: Uint8Array, at: number, record: MapRecord): void {
  bytes.set(record.packageHash, at);
  writeIndex(bytes, at + 32, record.last);
  writeIndex(bytes, at + 40, record.lastAuthority);
}

/** The record of a package in the bytes of its well-formed bucket, or `undefined`: the package was never claimed [L-12]. */
export function findRecord(bucket: Uint8Array, packageHash: Uint8Array): MapRecord | undefined {
  for (let at = 0; at < bucket.length; at += RECORD_BYTES) {
    if (Buffer.compare(bucket.subarray(at, at + 32), packageHash) !== 0) continue;
    const last = readIndex(bucket, at + 32);
    if (last === null) throw new LogError("BAD_RECORD", "A map record names no entry.");
    return { packageHash, last, lastAuthority: readIndex(bucket, at + 40) };
  }
  return undefined;
}
