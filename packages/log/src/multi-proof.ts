/** Proofs that show many leaves of one tree at once, each inner hash given once ([L-13]). Trust assumption: none. */
import {
  concatDigests,
  type Digest,
  DIGEST_BYTES,
  digestsFromBytes,
  digestToBytes,
  leafDigest,
  nodeDigest,
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

/** As {@link rootFromMultiProof}, for the leaves' bytes instead of their hashes. */
export function rootFromMultiProofOfData(
  size: number,
  leaves: ReadonlyMap<number, Uint8Array>,
  proof: Uint8Array,
): Uint8Array {
  const indices = [...leaves.keys()];
  const digests = [...leaves.values()].map(leafDigest);
  return digestToBytes(rootDigest(size, indices, digests, proof));
}

function rootDigest(size: number, indices: readonly number[], leaves: readonly Digest[], proof: Uint8Array): Digest {
  requireIndices(size, indices);
  if (indices.length === 0) throw new LogError("BAD_PROOF", "A multi-proof of no leaf proves nothing.");
  if (proof.length % DIGEST_BYTES !== 0) throw new LogError("BAD_PROOF", "The multi-proof is no row of hashes.");
  const given = digestsFromBytes(proof);
  let at = 0;
  const walk = (start: number, end: number, from: number, to: number): Digest => {
    if (from === to) {
      const digest = given[at++];
      if (digest === undefined) throw new LogError("BAD_PROOF", "The multi-proof is too short.");
      return digest;
    }
    if (end - start === 1) return leaves[from]!;
    const middle = start + splitSize(end - start);
    const border = firstAtLeast(indices, middle, from, to);
    const left = walk(start, middle, from, border);
    return nodeDigest(left, walk(middle, end, border, to));
  };
  const root = walk(0, size, 0, indices.length);
  if (at !== given.length) throw new LogError("BAD_PROOF", "The multi-proof is too long.");
  return root;
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
