// CTAP 2.1 sections 6.5.6 (protocol one) and 6.5.7 (protocol two). Both sides of the talk use this file.
import { createCipheriv, createDecipheriv, createECDH, createHmac, type ECDH, hash, hkdfSync } from "node:crypto";
import { explain } from "../explain.ts";
import type { RandomBytes } from "../pipe/packet-pipe.ts";

export interface PinProtocol {
  readonly version: 1 | 2;
  /** What both sides derive from the ECDH result. */
  deriveSecret(sharedX: Uint8Array): Uint8Array;
  /** `plaintext` is a multiple of 16 bytes. */
  encrypt(secret: Uint8Array, plaintext: Uint8Array, randomBytes: RandomBytes): Uint8Array;
  /** Throws DEVICE_GARBAGE if the length is impossible. */
  decrypt(secret: Uint8Array, ciphertext: Uint8Array): Uint8Array;
  /** `key` is a shared secret or a token. */
  authenticate(key: Uint8Array, message: Uint8Array): Uint8Array;
  isTokenLength(length: number): boolean;
}

const BLOCK = 16;

export const PIN_PROTOCOL_ONE: PinProtocol = {
  version: 1,
  deriveSecret: (sharedX) => new Uint8Array(hash("sha256", sharedX, "buffer")),
  encrypt: (secret, plaintext) => encryptCbc(secret, new Uint8Array(BLOCK), plaintext),
  decrypt: (secret, ciphertext) => decryptCbc(secret, new Uint8Array(BLOCK), ciphertext),
  authenticate: (key, message) => hmac(key, message).subarray(0, 16),
  isTokenLength: (length) => length === 16 || length === 32,
};

// The secret is 32 bytes for HMAC, then 32 for AES; of a token, which has 32, the first half is the whole.
export const PIN_PROTOCOL_TWO: PinProtocol = {
  version: 2,
  deriveSecret: (sharedX) =>
    new Uint8Array([...expand(sharedX, "CTAP2 HMAC key"), ...expand(sharedX, "CTAP2 AES key")]),
  encrypt: (secret, plaintext, randomBytes) => {
    const iv = randomBytes(BLOCK);
    return new Uint8Array([...iv, ...encryptCbc(secret.subarray(32), iv, plaintext)]);
  },
  decrypt: (secret, ciphertext) =>
    decryptCbc(secret.subarray(32), ciphertext.subarray(0, BLOCK), ciphertext.subarray(BLOCK)),
  authenticate: (key, message) => hmac(key.subarray(0, 32), message),
  isTokenLength: (length) => length === 32,
};

/** The better of the two that the key has; undefined if it has neither. */
export function choosePinProtocol(offered: readonly number[]): PinProtocol | undefined {
  return [PIN_PROTOCOL_TWO, PIN_PROTOCOL_ONE].find((protocol) => offered.includes(protocol.version));
}

/** A P-256 key pair for one agreement. The private key is drawn from `randomBytes`. */
export function createAgreement(randomBytes: RandomBytes): ECDH {
  const ecdh = createECDH("prime256v1");
  for (;;) {
    try {
      ecdh.setPrivateKey(randomBytes(32));
      return ecdh;
    } catch {
      // One draw in 2^32 is no valid scalar.
    }
  }
}

function expand(sharedX: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", sharedX, new Uint8Array(32), info, 32));
}

function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(message).digest());
}

function encryptCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-cbc", key, iv).setAutoPadding(false);
  return new Uint8Array([...cipher.update(plaintext), ...cipher.final()]);
}

function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  if (iv.length !== BLOCK || ciphertext.length === 0 || ciphertext.length % BLOCK !== 0) {
    throw explain({ kind: "garbage", detail: "a ciphertext of impossible length" });
  }
  const decipher = createDecipheriv("aes-256-cbc", key, iv).setAutoPadding(false);
  return new Uint8Array([...decipher.update(ciphertext), ...decipher.final()]);
}
