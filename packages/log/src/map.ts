/** The map inside the log: which entries are each package's last. Trust assumption: none; a bucket counts once its proof leads to a trusted map root. */
import { type Digest, digestToBytes, leafDigest, nodeDigest } from "./digest.ts";
import { copyBytes } from "./bytes.ts";
import { LogError } from "./error.ts";
import { readIndex, writeIndex } from "./entry.ts";
import type { Range, RangeDigest } from "./merkle.ts";
import { rootFromMultiProofOfData } from "./multi-proof.ts";

const MAP_HEIGHT = 20;
/** [L-9] Buckets in the map. */
export const MAP_SIZE: number = 2 ** MAP_HEIGHT;
export const RECORD_BYTES = 48;

/** [L-11] `packageHash` is 32 bytes; `last` and `lastAuthority` are indices of the log. */
export type MapRecord = {
  readonly packageHash: Uint8Array;
  readonly last: number;
  readonly lastAuthority: number | null;
};

/** The whole map in memory. What it gives out is not to be changed. */
export type PackageMap = {
  readonly root: () => Uint8Array;
  /** How many packages are in it. */
  readonly size: () => number;
  readonly get: (packageHash: Uint8Array) => MapRecord | undefined;
  /** The bytes of a bucket; no bytes for an empty one. */
  readonly bucket: (bucket: number) => Uint8Array;
  /** Hash over a range of buckets that is one subtree, for `multiProof(MAP_SIZE, …)`. */
  readonly digestOf: RangeDigest;
  /** Changes that can be looked at before they are made. */
  readonly draft: () => MapDraft;
};

export type MapDraft = {
  readonly set: (record: MapRecord) => void;
  /** The root that the map will have. */
  readonly root: () => Uint8Array;
  /** Makes the changes. Throws `BAD_ARGUMENT` if the map has changed since the draft was begun. */
  readonly commit: () => void;
};

/** [L-10] The first 20 bits of a package id hash. */
export function bucketOf(packageHash: Uint8Array): number {
  const [a, b, c] = packageHash;
  if (packageHash.length !== 32 || a === undefined || b === undefined || c === undefined) {
    throw new LogError("BAD_ARGUMENT", "A package id hash is not 32 bytes long.");
  }
  return (a << 12) | (b << 4) | (c >> 4);
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
  for (const [i, record] of sorted.entries()) {
    bytes.set(record.packageHash, i * RECORD_BYTES);
    writeIndex(bytes, i * RECORD_BYTES + 32, record.last);
    writeIndex(bytes, i * RECORD_BYTES + 40, record.lastAuthority);
  }
  return bytes;
}

/** The map root that these buckets (number to bytes, ascending, at least one) and their multi-proof lead to. Throws `BAD_PROOF`. */
export function mapRootFromBuckets(buckets: ReadonlyMap<number, Uint8Array>, proof: Uint8Array): Uint8Array {
  return rootFromMultiProofOfData(MAP_SIZE, buckets, proof);
}

/** An empty map. */
export function createPackageMap(): PackageMap {
  const buckets = new Map<number, Uint8Array>();
  const nodes = new Map<number, Digest>();
  let version = 0;

  const bucket = (number: number): Uint8Array => buckets.get(number) ?? NO_BYTES;
  const digestOf = (range: Range): Digest => {
    const node = nodeOver(range);
    return nodes.get(node) ?? emptyAt(node);
  };
  const draft = (): MapDraft => {
    const begunAt = version;
    const changedBuckets = new Map<number, Uint8Array>();
    const changedNodes = new Map<number, Digest>();
    let stale = new Set<number>();

    const set = (record: MapRecord): void => {
      const number = bucketOf(record.packageHash);
      changedBuckets.set(number, withRecord(changedBuckets.get(number) ?? bucket(number), record));
      stale.add(number);
    };
    const nodeAt = (node: number): Digest => changedNodes.get(node) ?? nodes.get(node) ?? emptyAt(node);
    const rehash = (): void => {
      let level = new Set<number>();
      for (const number of stale) {
        changedNodes.set(MAP_SIZE + number, leafDigest(changedBuckets.get(number) ?? NO_BYTES));
        level.add((MAP_SIZE + number) >> 1);
      }
      stale = new Set();
      while (level.size > 0) {
        const above = new Set<number>();
        for (const node of level) {
          changedNodes.set(node, nodeDigest(nodeAt(2 * node), nodeAt(2 * node + 1)));
          if (node > 1) above.add(node >> 1);
        }
        level = above;
      }
    };
    return {
      set,
      root: () => {
        rehash();
        return digestToBytes(nodeAt(1));
      },
      commit: () => {
        if (version !== begunAt) throw new LogError("BAD_ARGUMENT", "The map has changed since the draft was begun.");
        rehash();
        version++;
        for (const [number, bytes] of changedBuckets) buckets.set(number, bytes);
        for (const [node, digest] of changedNodes) nodes.set(node, digest);
      },
    };
  };

  return {
    root: () => digestToBytes(digestOf({ start: 0, end: MAP_SIZE })),
    size: () => {
      let records = 0;
      for (const bytes of buckets.values()) records += bytes.length / RECORD_BYTES;
      return records;
    },
    get: (packageHash) => findRecord(bucket(bucketOf(packageHash)), packageHash),
    bucket,
    digestOf,
    draft,
  };
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

/** The bucket with this record put in its place, instead of the package's old one if there is one. */
function withRecord(bucket: Uint8Array, record: MapRecord): Uint8Array {
  let at = 0;
  while (at < bucket.length && Buffer.compare(bucket.subarray(at, at + 32), record.packageHash) < 0) at += RECORD_BYTES;
  const known = Buffer.compare(bucket.subarray(at, at + 32), record.packageHash) === 0;
  const rest = bucket.subarray(known ? at + RECORD_BYTES : at);
  return new Uint8Array(Buffer.concat([bucket.subarray(0, at), encodeBucket([record]), rest]));
}

/** Nodes are numbered as in a heap: 1 is the root, node n has the children 2n and 2n + 1, bucket b is node MAP_SIZE + b. */
function nodeOver(range: Range): number {
  const length = range.end - range.start;
  const node = (MAP_SIZE + range.start) / length;
  if (!Number.isInteger(node) || !Number.isInteger(Math.log2(length)) || range.end > MAP_SIZE) {
    throw new LogError("BAD_ARGUMENT", "The range is no subtree of the map.");
  }
  return node;
}

/** The hash of a subtree of empty buckets, for the level that `node` is on. */
function emptyAt(node: number): Digest {
  return EMPTY[MAP_HEIGHT - (31 - Math.clz32(node))]!;
}

const NO_BYTES = new Uint8Array(0);
const EMPTY: readonly Digest[] = emptyLevels();

function emptyLevels(): Digest[] {
  const levels = [leafDigest(NO_BYTES)];
  for (let height = 0; height < MAP_HEIGHT; height++) levels.push(nodeDigest(levels[height]!, levels[height]!));
  return levels;
}
