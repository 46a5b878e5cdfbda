import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import type { Crypto } from "./crypto.ts";

/** The backend for browsers, and the cross-check of the fast one. */
export const nobleCrypto: Crypto = {
  sha256: (data) => sha256(data),
  sha512: (data) => sha512(data),
  verifyEd25519: (publicKey, message, signature) =>
    orFalse(() => ed25519.verify(signature, message, publicKey, { zip215: false })),
  verifyP256: (point, message, signature) =>
    orFalse(() => p256.verify(signature, message, point, { format: "der", lowS: false })),
};

function orFalse(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false; // noble throws on malformed input, which by the interface doesn't verify
  }
}
