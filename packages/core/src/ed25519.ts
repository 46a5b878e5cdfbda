import { encodeHex } from "./bytes.ts";

// The points of small order, in all their spellings but for the sign. A "key" among them accepts signatures that nobody
// made, and implementations differ on an R among them (Node 22 takes it, Node 24 doesn't), so neither is ever accepted.
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** Whether these bytes can be an Ed25519 key (RFC 8032 section 5.1.5): 32 of them, not a point of small order. */
export function isEd25519Key(publicKey: Uint8Array): boolean {
  return publicKey.length === 32 && !isSmallOrder(publicKey);
}

/** Whether these bytes can be an Ed25519 signature (RFC 8032 section 5.1.6): 64 of them, R not a point of small order. */
export function isEd25519Signature(signature: Uint8Array): boolean {
  return signature.length === 64 && !isSmallOrder(signature.subarray(0, 32));
}

function isSmallOrder(point: Uint8Array): boolean {
  const positive = Uint8Array.from(point);
  positive[31]! &= 0x7f;
  return SMALL_ORDER.has(encodeHex(positive));
}
