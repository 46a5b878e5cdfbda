import { hash } from "node:crypto";
import { bufferOver, bytesOfLatin1, type FastBuffer } from "./bytes.ts";

/**
 * A SHA-256 value as a string of 32 characters U+0000 to U+00FF, one a byte. Inside the tree code hashes travel in this form,
 * because `node:crypto` makes and reads it three times faster than it does byte arrays.
 */
export type Digest = string;

export const DIGEST_BYTES = 32;

/** RFC 6962 section 2.1: the hash of a leaf, SHA-256(0x00 || data). */
export function leafDigest(data: Uint8Array): Digest {
  const end = data.length + 1;
  const input = end <= leafInput.length ? leafInput.subarray(0, end) : new Uint8Array(end);
  input[0] = 0x00;
  input.set(data, 1);
  return hash("sha256", input, "binary");
}

/** RFC 6962 section 2.1: the hash of an inner node, SHA-256(0x01 || left || right). */
export function nodeDigest(left: Digest, right: Digest): Digest {
  nodeInput.latin1Write(left, 1, DIGEST_BYTES);
  nodeInput.latin1Write(right, 1 + DIGEST_BYTES, DIGEST_BYTES);
  return hash("sha256", nodeInput, "binary");
}

export function digestToBytes(digest: Digest): Uint8Array {
  return bytesOfLatin1(digest);
}

/** The 32 bytes that begin at `offset`. The caller has checked that they are there. */
export function digestFromBytes(bytes: Uint8Array, offset = 0): Digest {
  return bufferOver(bytes).latin1Slice(offset, offset + DIGEST_BYTES);
}

/** Puts a hash where there is room for it. */
export function writeDigest(bytes: Uint8Array, offset: number, digest: Digest): void {
  bufferOver(bytes).latin1Write(digest, offset, DIGEST_BYTES);
}

/** All hashes of a concatenation whose length is a multiple of 32. */
export function digestsFromBytes(bytes: Uint8Array): Digest[] {
  const buffer = bufferOver(bytes);
  const digests: Digest[] = [];
  for (let at = 0; at < buffer.length; at += DIGEST_BYTES) digests.push(buffer.latin1Slice(at, at + DIGEST_BYTES));
  return digests;
}

/** The hashes one after another, 32 bytes each. */
export function concatDigests(digests: readonly Digest[]): Uint8Array {
  const bytes = new Uint8Array(digests.length * DIGEST_BYTES);
  const buffer = bufferOver(bytes);
  let at = 0;
  for (const digest of digests) at += buffer.latin1Write(digest, at, DIGEST_BYTES);
  return bytes;
}

const leafInput = new Uint8Array(4096);
const nodeInput = Buffer.alloc(1 + 2 * DIGEST_BYTES) as FastBuffer;
nodeInput[0] = 0x01;
