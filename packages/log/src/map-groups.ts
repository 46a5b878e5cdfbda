/** The map's records in memory: those of 32 buckets next to each other, sorted by package id hash, in one run of bytes. */
import { bucketAt, MAP_SIZE, type MapRecord, RECORD_BYTES, writeRecord } from "./map-record.ts";

export const GROUP_HEIGHT = 5;
export const GROUPS: number = MAP_SIZE >> GROUP_HEIGHT;

/** A group in which records are put, with room to grow. */
export type GrowingGroup = {
  readonly set: (record: MapRecord) => void;
  /** What it holds now; to be copied before the next `set`. */
  readonly bytes: () => Uint8Array;
};

/** The bytes of a bucket, out of those of its group. */
export function bucketIn(group: Uint8Array, bucket: number): Uint8Array {
  const from = firstInBucket(group, bucket);
  let to = from;
  while (to < group.length && bucketAt(group, to) === bucket) to += RECORD_BYTES;
  return group.subarray(from, to);
}

export function growingGroup(group: Uint8Array): GrowingGroup {
  let room = new Uint8Array(group.length + 4 * RECORD_BYTES);
  let { length } = group;
  room.set(group);
  return {
    set: (record) => {
      const at = firstAtLeast(room, length, record.packageHash);
      const known = at < length && Buffer.compare(room.subarray(at, at + 32), record.packageHash) === 0;
      if (!known) {
        if (length + RECORD_BYTES > room.length) {
          const larger = new Uint8Array(2 * room.length);
          larger.set(room);
          room = larger;
        }
        room.copyWithin(at + RECORD_BYTES, at, length);
        length += RECORD_BYTES;
      }
      writeRecord(room, at, record);
    },
    bytes: () => room.subarray(0, length),
  };
}

function firstInBucket(group: Uint8Array, bucket: number): number {
  let low = 0;
  let high = group.length / RECORD_BYTES;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bucketAt(group, middle * RECORD_BYTES) < bucket) low = middle + 1;
    else high = middle;
  }
  return low * RECORD_BYTES;
}

function firstAtLeast(group: Uint8Array, length: number, packageHash: Uint8Array): number {
  let low = 0;
  let high = length / RECORD_BYTES;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = middle * RECORD_BYTES;
    if (Buffer.compare(group.subarray(at, at + 32), packageHash) < 0) low = middle + 1;
    else high = middle;
  }
  return low * RECORD_BYTES;
}
