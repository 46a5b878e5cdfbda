/**
 * RFC 6962 and RFC 9162 Merkle trees over SHA-256. Trust assumption: none; every function is pure, every proof is checked to the
 * last hash, and sizes and indices that are no safe integers are refused.
 */
import { hash } from "node:crypto";
import { equalBytes } from "@touchmark/core";
import { type Digest, DIGEST_BYTES, digestFromBytes, digestToBytes, leafDigest, nodeDigest } from "./digest.ts";
import { LogError } from "./error.ts";

/** The leaves from `start` up to, but without, `end`. Tree code only ever names ranges that are one subtree of the split in RFC 6962. */
export type Range = { readonly start: number; readonly end: number };

/** Gives the hash of the subtree over `range`. */
export type RangeDigest = (range: Range) => Digest;

/** The root of the empty tree: SHA-256 of no bytes. */
export function emptyRoot(): Uint8Array {
  return digestToBytes(EMPTY_ROOT);
}

/** Hash of a leaf's bytes, 32 bytes. */
export function leafHash(data: Uint8Array): Uint8Array {
  return digestToBytes(leafDigest(data));
}

/** Hash of an inner node from its children's hashes, each 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return digestToBytes(nodeDigest(toDigest(left), toDigest(right)));
}

/** Root of the tree over these leaf hashes (32 bytes each), in order. */
export function rootOfLeaves(leafHashes: readonly Uint8Array[]): Uint8Array {
  return digestToBytes(rootOfDigests(leafHashes.map(toDigest)));
}

/** As {@link rootOfLeaves}, for digests. */
export function rootOfDigests(leaves: readonly Digest[]): Digest {
  if (leaves.length === 0) return EMPTY_ROOT;
  // Pairing level by level and carrying an odd last node up gives the same tree as the recursive split.
  let level = leaves;
  while (level.length > 1) {
    const next: Digest[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1];
      next.push(right === undefined ? level[i]! : nodeDigest(level[i]!, right));
    }
    level = next;
  }
  return level[0]!;
}

/** RFC 6962 section 2.1: the largest power of two smaller than `size`, which is at least 2. */
export function splitSize(size: number): number {
  const last = size - 1;
  if (last < 2 ** 30) return 1 << (31 - Math.clz32(last)); // nearly always, and quicker
  const high = Math.floor(last / 2 ** 32);
  return high > 0 ? 2 ** (63 - Math.clz32(high)) : 2 ** (31 - Math.clz32(last));
}

/** RFC 6962 section 2.1.1: the subtrees whose hashes are the inclusion proof of leaf `index`, the leaf's sibling first. */
export function inclusionRanges(index: number, size: number): Range[] {
  requireIndex(index, size);
  const ranges: Range[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitSize(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.toReversed();
}

/** RFC 6962 section 2.1.2: the subtrees whose hashes are the consistency proof from `oldSize` to `newSize`. `oldSize` is at least 1. */
export function consistencyRanges(oldSize: number, newSize: number): Range[] {
  requireSizes(oldSize, newSize);
  const ranges: Range[] = [];
  let start = 0;
  let end = newSize;
  while (oldSize !== end) {
    const middle = start + splitSize(end - start);
    if (oldSize <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  if (start > 0) ranges.push({ start, end });
  return ranges.toReversed();
}

export function inclusionProof(index: number, size: number, digestOf: RangeDigest): Uint8Array[] {
  return inclusionRanges(index, size).map((range) => digestToBytes(digestOf(range)));
}

export function consistencyProof(oldSize: number, newSize: number, digestOf: RangeDigest): Uint8Array[] {
  return consistencyRanges(oldSize, newSize).map((range) => digestToBytes(digestOf(range)));
}

/**
 * RFC 9162 section 2.1.3.2. Throws `BAD_PROOF` unless the proof shows that the leaf with hash `leaf` is at `index` of the tree of
 * `size` leaves with this root.
 */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  requireIndex(index, size);
  const wanted = toDigest(root);
  const hashes = proof.map(toDigest);
  let digest = toDigest(leaf);
  let position = index;
  let last = size - 1;
  for (const sibling of hashes) {
    if (last === 0) throw new LogError("BAD_PROOF", "The inclusion proof is too long.");
    if (isOdd(position) || position === last) {
      digest = nodeDigest(sibling, digest);
      while (!isOdd(position) && position !== 0) {
        position = half(position);
        last = half(last);
      }
    } else {
      digest = nodeDigest(digest, sibling);
    }
    position = half(position);
    last = half(last);
  }
  if (last !== 0) throw new LogError("BAD_PROOF", "The inclusion proof is too short.");
  if (digest !== wanted) throw new LogError("BAD_PROOF", "The inclusion proof leads to another root.");
}

/**
 * RFC 9162 section 2.1.4.2. Throws `BAD_PROOF` unless the proof shows that the tree of `newSize` leaves extends the tree of
 * `oldSize` leaves, which is at least 1. Equal sizes take an empty proof and equal roots.
 */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  proof: readonly Uint8Array[],
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
): void {
  requireSizes(oldSize, newSize);
  if (oldSize === newSize) {
    // Nothing is hashed here, so the roots are only compared.
    if (proof.length !== 0) throw new LogError("BAD_PROOF", "The consistency proof of equal sizes is not empty.");
    if (!equalBytes(oldRoot, newRoot)) throw new LogError("BAD_PROOF", "Two roots differ for one tree size.");
    return;
  }
  const wantedOld = toDigest(oldRoot);
  const wantedNew = toDigest(newRoot);
  const hashes = proof.map(toDigest);
  let position = oldSize - 1;
  let last = newSize - 1;
  while (isOdd(position)) {
    position = half(position);
    last = half(last);
  }
  // A complete old tree is its own first node; any other one needs it from the proof.
  const [first, ...rest] = position === 0 ? [wantedOld, ...hashes] : hashes;
  if (first === undefined) throw new LogError("BAD_PROOF", "The consistency proof is too short.");
  let old = first;
  let fresh = first;
  for (const sibling of rest) {
    if (last === 0) throw new LogError("BAD_PROOF", "The consistency proof is too long.");
    if (isOdd(position) || position === last) {
      old = nodeDigest(sibling, old);
      fresh = nodeDigest(sibling, fresh);
      while (!isOdd(position) && position !== 0) {
        position = half(position);
        last = half(last);
      }
    } else {
      fresh = nodeDigest(fresh, sibling);
    }
    position = half(position);
    last = half(last);
  }
  if (last !== 0) throw new LogError("BAD_PROOF", "The consistency proof is too short.");
  if (old !== wantedOld) throw new LogError("BAD_PROOF", "The consistency proof does not lead to the old root.");
  if (fresh !== wantedNew) throw new LogError("BAD_PROOF", "The consistency proof does not lead to the new root.");
}

/** A hash of 32 bytes as a digest. Throws `BAD_PROOF` for another length. */
export function toDigest(bytes: Uint8Array): Digest {
  if (bytes.length !== DIGEST_BYTES) throw new LogError("BAD_PROOF", "A hash is not 32 bytes long.");
  return digestFromBytes(bytes);
}

function requireIndex(index: number, size: number): void {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new LogError("BAD_PROOF", "The leaf index is not inside the tree.");
  }
}

function requireSizes(oldSize: number, newSize: number): void {
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(newSize) || oldSize < 1 || oldSize > newSize) {
    throw new LogError("BAD_PROOF", "The tree sizes of a consistency proof are not in order.");
  }
}

// Bitwise operators would cut to 32 bits.
function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

const EMPTY_ROOT: Digest = hash("sha256", new Uint8Array(0), "binary");
