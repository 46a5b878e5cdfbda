/** A tree that grows at its right end, kept as the hashes of its complete subtrees: enough to append and to know the root. */
import { type Digest, digestToBytes, leafDigest, nodeDigest } from "./digest.ts";
import { LogError } from "./error.ts";
import { emptyRoot, type Range, splitSize } from "./merkle.ts";

/** `digests` are those of {@link peakRanges}, the leftmost and largest subtree first. Never changed in place. */
export type Peaks = { readonly size: number; readonly digests: readonly Digest[] };

export const NO_PEAKS: Peaks = { size: 0, digests: [] };

/** The complete subtrees that a tree of `size` leaves consists of: one for each bit that is set in `size`. */
export function peakRanges(size: number): Range[] {
  const ranges: Range[] = [];
  for (let start = 0; start < size; start = ranges.at(-1)!.end) {
    ranges.push({ start, end: start + splitSize(size - start + 1) });
  }
  return ranges;
}

/** The tree after these leaves. */
export function appendToPeaks(peaks: Peaks, leaves: readonly Uint8Array[]): Peaks {
  return appendDigests(peaks, leaves.map(leafDigest));
}

/** As {@link appendToPeaks}, for the leaves' hashes. */
export function appendDigests(peaks: Peaks, leaves: readonly Digest[]): Peaks {
  const digests = [...peaks.digests];
  let { size } = peaks;
  for (const leaf of leaves) {
    let digest = leaf;
    // As in adding one to a binary number: each subtree of the new one's size is carried.
    for (let carry = size; carry % 2 === 1; carry = Math.floor(carry / 2)) {
      const left = digests.pop();
      if (left === undefined) throw new LogError("BAD_ARGUMENT", "The peaks do not belong to a tree of this size.");
      digest = nodeDigest(left, digest);
    }
    digests.push(digest);
    size++;
  }
  return { size, digests };
}

/** The root of the tree, 32 bytes. */
export function rootOfPeaks({ digests }: Peaks): Uint8Array {
  if (digests.length === 0) return emptyRoot();
  return digestToBytes(digests.reduceRight((right, left) => nodeDigest(left, right)));
}
