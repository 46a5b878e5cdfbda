/** The definitions of RFC 6962 section 2.1, written down as slowly and plainly as they stand there, to compare with. */
import { createHash } from "node:crypto";

export function naiveLeaf(data: Uint8Array): Uint8Array {
  return createHash("sha256").update(Uint8Array.of(0)).update(data).digest();
}

function naiveNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash("sha256").update(Uint8Array.of(1)).update(left).update(right).digest();
}

function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/** MTH over leaf hashes. */
export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return createHash("sha256").digest();
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return naiveNode(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

/** PATH(m, D[n]). */
export function naivePath(m: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  if (m < k) return [...naivePath(m, leaves.slice(0, k)), naiveRoot(leaves.slice(k))];
  return [...naivePath(m - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))];
}

/** PROOF(m, D[n]). */
export function naiveProof(m: number, leaves: readonly Uint8Array[], whole = true): Uint8Array[] {
  if (m === leaves.length) return whole ? [] : [naiveRoot(leaves)];
  const k = split(leaves.length);
  if (m <= k) return [...naiveProof(m, leaves.slice(0, k), whole), naiveRoot(leaves.slice(k))];
  return [...naiveProof(m - k, leaves.slice(k), false), naiveRoot(leaves.slice(0, k))];
}

/** Leaf hashes that are easy to tell apart. */
export function someLeaves(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => naiveLeaf(Buffer.from(`leaf ${i}`)));
}

/** The same bytes with one bit turned. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  const at = Math.floor(bit / 8) % flipped.length;
  flipped[at]! ^= 1 << (bit % 8);
  return flipped;
}
