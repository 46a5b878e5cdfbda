import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { concatBytes, equalBytes } from "./bytes.ts";
import type { Crypto } from "./crypto.ts";
import { isEd25519Key, isEd25519Signature } from "./ed25519.ts";

/** The backend for browsers, and the cross-check of the fast one. */
export const nobleCrypto: Crypto = {
  sha256: (data) => sha256(data),
  sha512: (data) => sha512(data),
  verifyEd25519: (publicKey, message, signature) => orFalse(() => verifyEd25519(publicKey, message, signature)),
  verifyP256: (point, message, signature) =>
    orFalse(() => point.length === 65 && p256.verify(signature, message, point, { format: "der", lowS: false })),
};

/**
 * RFC 8032 section 5.1.7 without the cofactor, as OpenSSL does it: R is computed and its one encoding compared.
 * noble's own `verify` multiplies by the cofactor, so whoever holds a key could make signatures that only one backend accepts.
 */
function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isEd25519Key(publicKey) || !isEd25519Signature(signature)) return false;
  const { BASE, Fn } = ed25519.Point;
  const r = signature.subarray(0, 32);
  const s = bytesToNumberLE(signature.subarray(32));
  const k = Fn.create(bytesToNumberLE(sha512(concatBytes(r, publicKey, message))));
  const a = ed25519.Point.fromBytes(publicKey);
  const expected = BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)); // throws unless s is below the order
  return equalBytes(expected.toBytes(), r);
}

function orFalse(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false; // noble throws on malformed input, which by the interface doesn't verify
  }
}
