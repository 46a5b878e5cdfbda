import type { Base64Decoder } from "./bytes.ts";

/**
 * The cryptography that core's rules need. Two backends implement it: `nodeCrypto` (in @touchmark/log, fast) and
 * `nobleCrypto` (in @touchmark/core/noble, for browsers and as a cross-check). Both must give the same
 * answer to everything that core lets through to them.
 */
export interface Crypto {
  sha256(data: Uint8Array): Uint8Array;
  sha512(data: Uint8Array): Uint8Array;
  /**
   * Ed25519 (RFC 8032 section 5.1.7, without the cofactor): 32-byte key, 64-byte signature. False for anything that doesn't
   * verify; never throws. Points of small order, on which implementations differ, don't get here.
   */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** ECDSA over P-256 with SHA-256: uncompressed point (65 bytes), DER signature. False for anything that doesn't verify; never throws. */
  verifyP256(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** The platform's own reader of canonical base64 [C-2], where it has a fast one; undefined for anything else. */
  readonly decodeBase64?: Base64Decoder;
}
