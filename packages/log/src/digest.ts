import { hash } from "node:crypto";
import { bytesOfLatin1, type FastBuffer } from "./bytes.ts";

/**
 * A SHA-256 value as a string of 32 characters U+0000 to U+00FF, one a byte. Inside the tree code hashes travel in this form,
 * because `node:crypto` makes and reads it three times faster than it does byte arrays.
 */
export type Digest = string;

export const DIGEST_BYTES = 32;

/** RFC 6962 section 2.1: the hash of a leaf, SHA-256(0x00 || data). */
export function leafDigest(data: Uint8Array): Digest {
  const end = data.length + 1;
  const input = end <= leafInput.length ? (leafInputs[end] ??= leafInput.subarray(0, end)) : new Uint8Array(end);
  input.set(data, 1);
  return hash("sha256", input, "binary");
}

/** RFC 6962 section 2.1: the hash of an inner node, SHA-256(0x01 || left || right). */
export function nodeDigest(left: Digest, right: Digest): Digest {
  nodeInput.latin1Write(left, 1, DIGEST_BYTES);
  nodeInput.latin1Write(right, 1 + DIGEST_BYTES, DIGEST_BYTES);
  return hash("sha256", nodeInput, "binary");
}

/** As {@link nodeDigest}, of the two hashes that stand one after the other from `offset` on. The caller has checked that they are there. */
export function nodeDigestOfPair(bytes: Uint8Array, offset: number): Digest {
  for (let i = 0; i < 2 * DIGEST_BYTES; i++) nodeInput[1 + i] = bytes[offset + i]!;
  return hash("sha256", nodeInput, "binary");
}

/** Hashes one after another, as they stand in a proof: from here they go into a node's hash without a string between. */
export type DigestRow = BigInt64Array;

/** `bytes` has a length that is a multiple of 32. The row may share their memory. */
export function digestRow(bytes: Uint8Array): DigestRow {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  return new BigInt64Array(buffer, byteOffset, byteLength / 8);
}

/** As {@link nodeDigest}, of a hash and number `at` of a row, which stands on the left (0) or on the right (1). */
export function nodeDigestBeside(digest: Digest, row: DigestRow, at: number, side: 0 | 1): Digest {
  const to = 1 + side * DIGEST_WORDS;
  const from = at * DIGEST_WORDS;
  // Without a loop: it would be a tenth of the whole.
  nodeWords[to] = row[from]!;
  nodeWords[to + 1] = row[from + 1]!;
  nodeWords[to + 2] = row[from + 2]!;
  nodeWords[to + 3] = row[from + 3]!;
  nodeInput.latin1Write(digest, 1 + (1 - side) * DIGEST_BYTES, DIGEST_BYTES);
  return hash("sha256", nodeInput, "binary");
}

export function digestToBytes(digest: Digest): Uint8Array {
  return bytesOfLatin1(digest);
}

/** The 32 bytes that begin at `offset`. The caller has checked that they are there. */
export function digestFromBytes(bytes: Uint8Array, offset = 0): Digest {
  return nodeInput.latin1Slice.call(bytes, offset, offset + DIGEST_BYTES); // a Buffer's methods work on any bytes, and one over them costs more
}

/** Puts a hash where there is room for it. */
export function writeDigest(bytes: Uint8Array, offset: number, digest: Digest): void {
  nodeInput.latin1Write.call(bytes, digest, offset, DIGEST_BYTES);
}

/** All hashes of a concatenation whose length is a multiple of 32. */
export function digestsFromBytes(bytes: Uint8Array): Digest[] {
  const digests: Digest[] = [];
  for (let at = 0; at < bytes.length; at += DIGEST_BYTES) digests.push(digestFromBytes(bytes, at));
  return digests;
}

/** The hashes one after another, 32 bytes each. */
export function concatDigests(digests: readonly Digest[]): Uint8Array {
  const bytes = new Uint8Array(digests.length * DIGEST_BYTES);
  for (const [i, digest] of digests.entries()) writeDigest(bytes, i * DIGEST_BYTES, digest);
  return bytes;
}

const DIGEST_WORDS = DIGEST_BYTES / 8;

const leafInput = new Uint8Array(257);
/** `leafInput` by length: making a view costs a quarter of a hash. */
const leafInputs: (Uint8Array | undefined)[] = Array.from({ length: leafInput.length + 1 }, () => undefined);
// The byte 0x01 is the last one of word 0, so that both hashes begin at a word.
const nodeWords = new BigInt64Array(1 + 2 * DIGEST_WORDS);
const nodeInput = Buffer.from(nodeWords.buffer, 7) as FastBuffer;
nodeInput[0] = 0x01;
