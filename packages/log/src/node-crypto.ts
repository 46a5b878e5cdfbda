/** Hashes and signature checks by `node:crypto`. The keys are the caller's; nothing here decides which ones to trust. */
import { hash, verify } from "node:crypto";
import type { Crypto } from "@touchmark/core";
import { bytesOfLatin1, parseBase64 } from "./bytes.ts";
import { keyCache } from "./key-cache.ts";

const MAX_KEYS = 4096;

/** The backend of core's rules on Node. */
export const nodeCrypto: Crypto = { sha256, sha512, verifyEd25519, verifyP256, decodeBase64: parseBase64 };

export function sha256(data: Uint8Array): Uint8Array {
  return bytesOfLatin1(hash("sha256", data, "binary"));
}

export function sha512(data: Uint8Array): Uint8Array {
  return bytesOfLatin1(hash("sha512", data, "binary"));
}

/** RFC 8032 Ed25519. `publicKey` is 32 bytes, `signature` 64; anything else, and anything that is no key, is `false`. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = ed25519Key(publicKey);
  return key !== undefined && signature.length === 64 && verify(null, message, key, signature);
}

/** ECDSA P-256 with SHA-256 over `message`. `publicKey` is the uncompressed point, 65 bytes; `signature` is DER. */
export function verifyP256(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = publicKey[0] === 0x04 ? p256Key(publicKey) : undefined;
  return key !== undefined && verify("sha256", message, key, signature);
}

// The bare KeyObject goes to verify(): wrapped in {key} it is half as slow again.
// As a JWK, since OpenSSL sets up all of its decoders when it meets the first DER, which costs half a millisecond.
const ed25519Key = keyCache(
  (raw) => ({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" }),
  32,
  MAX_KEYS,
);
const p256Key = keyCache(
  (raw) => ({
    key: { kty: "EC", crv: "P-256", x: raw.toString("base64url", 1, 33), y: raw.toString("base64url", 33) },
    format: "jwk",
  }),
  65,
  MAX_KEYS,
);
