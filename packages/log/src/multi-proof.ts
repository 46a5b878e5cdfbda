/** Proofs that show many leaves of one tree at once, each inner hash given once ([L-13]). Trust assumption: none. */
import {
  concatDigests,
  type Digest,
  DIGEST_BYTES,
  digestRow,
  digestToBytes,
  leafDigest,
  nodeDigest,
  nodeDigestBeside,
} from "./digest.ts";
import { LogError } from "./error.ts";
import { type Range, type RangeDigest, splitSize, toDigest } from "./merkle.ts";

/** A leaf that a multi-proof shows: its index and its 32-byte leaf hash. */
export type KnownLeaf = { readonly index: number; readonly hash: Uint8Array };

/** The subtrees whose hashes are the proof, in its order. `indices` ascend strictly and lie below `size`; without any the root itself is the proof. */
export function multiProofRanges(size: number, indices: readonly number[]): Range[] {
  requireIndices(size, indices);
  const ranges: Range[] = [];
  const walk = (start: number, end: number, from: number, to: number): void => {
    if (from === to) {
      ranges.push({ start, end });
    } else if (end - start > 1) {
      const middle = start + splitSize(end - start);
      const border = firstAtLeast(indices, middle, from, to);
      walk(start, middle, from, border);
      walk(middle, end, border, to);
    }
  };
  if (size > 0) walk(0, size, 0, indices.length);
  return ranges;
}

/** The proof itself: 32 bytes a hash, one after another. */
export function multiProof(size: number, indices: readonly number[], digestOf: RangeDigest): Uint8Array {
  return concatDigests(multiProofRanges(size, indices).map(digestOf));
}

/**
 * The root that the proof and the leaves lead to. `leaves` ascend strictly by index; there is at least one. Throws `BAD_PROOF` if the proof has
 * a hash too few or too many. The caller compares the root with one that it trusts.
 */
export function rootFromMultiProof(size: number, leaves: readonly KnownLeaf[], proof: Uint8Array): Uint8Array {
  const digests = leaves.map((leaf) => toDigest(leaf.hash));
  return digestToBytes(
    rootDigest(
      size,
      leaves.map((leaf) => leaf.index),
      digests,
      proof,
    ),
  );
}

/** As {@link rootFromMultiProof}, for the leaves' bytes, as many as there are indices, instead of their hashes. */
export function rootFromMultiProofOfData(
  size: number,
  indices: readonly number[],
  leaves: readonly Uint8Array[],
  proof: Uint8Array,
): Uint8Array {
  return digestToBytes(rootDigest(size, indices, leaves.map(leafDigest), proof));
}

function rootDigest(size: number, indices: readonly number[], leaves: readonly Digest[], proof: Uint8Array): Digest {
  requireIndices(size, indices);
  if (indices.length === 0) throw new LogError("BAD_PROOF", "A multi-proof of no leaf proves nothing.");
  if (proof.length % DIGEST_BYTES !== 0) throw new LogError("BAD_PROOF", "The multi-proof is no row of hashes.");
  const given = digestRow(proof);
  const count = proof.length / DIGEST_BYTES;
  let used = 0;
  const take = (hashes: number): number => {
    used += hashes;
    if (used > count) throw new LogError("BAD_PROOF", "The multi-proof is too short.");
    return used - hashes;
  };
  // The hash of a subtree that holds the leaves from number `from` up to `to`, at least one; a half without any is the proof's.
  const walk = (start: number, end: number, from: number, to: number): Digest => {
    if (to - from === 1 && isPerfect(end - start)) return climb(end - start, indices[from]! - start, leaves[from]!);
    const middle = start + splitSize(end - start);
    const border = firstAtLeast(indices, middle, from, to);
    if (border === from) {
      const at = take(1);
      return nodeDigestBeside(walk(middle, end, from, to), given, at, 0);
    }
    const left = walk(start, middle, from, border);
    return border === to ? nodeDigestBeside(left, given, take(1), 1) : nodeDigest(left, walk(middle, end, border, to));
  };
  // As walk, for one leaf in a perfect subtree, where most of a sparse tree's nodes are. Siblings on the left come first in the proof, the uppermost foremost.
  const climb = (width: number, place: number, leaf: Digest): Digest => {
    let left = take(31 - Math.clz32(width));
    for (let rest = place; rest !== 0; rest &= rest - 1) left++;
    let right = left;
    let digest = leaf;
    for (let bit = 1; bit < width; bit <<= 1) {
      const isRight = (place & bit) !== 0;
      digest = nodeDigestBeside(digest, given, isRight ? --left : right++, isRight ? 0 : 1);
    }
    return digest;
  };
  const root = walk(0, size, 0, indices.length);
  if (used !== count) throw new LogError("BAD_PROOF", "The multi-proof is too long.");
  return root;
}

/** Whether that many leaves make a perfect tree, of a size that bitwise operators can be used for. */
function isPerfect(leaves: number): boolean {
  return leaves <= 2 ** 30 && (leaves & (leaves - 1)) === 0;
}

function requireIndices(size: number, indices: readonly number[]): void {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new LogError("BAD_PROOF", "The tree size is not a number of leaves.");
  let before = -1;
  for (const index of indices) {
    if (!Number.isSafeInteger(index) || index <= before || index >= size) {
      throw new LogError("BAD_PROOF", "The leaf indices of a multi-proof do not ascend inside the tree.");
    }
    before = index;
  }
}

/** The first place in `[from, to)` whose index is at least `bound`, or `to`. */
function firstAtLeast(indices: readonly number[], bound: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (indices[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
