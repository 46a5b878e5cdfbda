import { concatBytes, encodeBase64, parseBase64 } from "./bytes.ts";
import type { Crypto } from "./crypto.ts";
import { isP256Point } from "./ecdsa.ts";
import { isEd25519Key } from "./ed25519.ts";
import { CoreError } from "./errors.ts";
import { readWire, wireString } from "./wire.ts";

export const SK_ED25519 = "sk-ssh-ed25519@openssh.com";
export const SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com";

/** The rpId of keys used over USB and by OpenSSH: no domain, so no web page can ask for a signature with it [K-3]. */
export const USB_APPLICATION = "ssh:touchmark";

export type KeyType = typeof SK_ED25519 | typeof SK_ECDSA;

/** A validated key record [K-1]. */
export interface Key {
  type: KeyType;
  /** The record itself: type, a space, base64. */
  record: string;
  /** The OpenSSH key blob: the key's identity [K-4]. */
  blob: Uint8Array;
  /** 65 bytes of an uncompressed P-256 point, or 32 bytes of an Ed25519 key. */
  publicKey: Uint8Array;
  application: string;
}

/** Reads a key record. Throws `BAD_KEY` by [K-1], [K-2] and [K-3]. */
export function parseKey(record: string): Key {
  const words = record.split(" ");
  const type = words[0];
  if (words.length !== 2 || (type !== SK_ED25519 && type !== SK_ECDSA)) {
    throw badKey(
      "K-1",
      "This is not a security key's record of two words.",
      `A record begins with ${SK_ECDSA} or ${SK_ED25519}.`,
    );
  }
  return asBadKey(() => recall(record, () => readBlob(type, record, parseBase64(words[1]!))));
}

/** Reads a key blob as it stands in an SSHSIG. Throws `BAD_KEY`. */
export function parseKeyBlob(blob: Uint8Array): Key {
  return asBadKey(() => {
    const type = readWire(blob, "K-2", "key blob").text();
    if (type !== SK_ED25519 && type !== SK_ECDSA) throw badKey("K-1", "The key is not a security key's.");
    const record = `${type} ${encodeBase64(blob)}`;
    return recall(record, () => readBlob(type, record, blob));
  });
}

/** Makes a key record from a public key: 65 bytes of point (ES256) or 32 bytes (Ed25519). Throws `BAD_KEY`. */
export function encodeKey(type: KeyType, publicKey: Uint8Array, application: string): Key {
  const fields = type === SK_ECDSA ? [wireString("nistp256"), wireString(publicKey)] : [wireString(publicKey)];
  return parseKeyBlob(concatBytes(wireString(type), ...fields, wireString(application)));
}

/** The OpenSSH fingerprint of a key [K-4]. */
export function keyFingerprint(crypto: Crypto, key: Key): string {
  let fingerprint = fingerprints.get(key);
  if (fingerprint === undefined) {
    fingerprint = `SHA256:${encodeBase64(crypto.sha256(key.blob)).replace(/=+$/, "")}`;
    fingerprints.set(key, fingerprint);
    if (byFingerprint.size >= MAX_RECALLED) byFingerprint.clear();
    byFingerprint.set(fingerprint, key);
  }
  return fingerprint;
}

/** The key that had this fingerprint when it was last asked for one, if any: a guess for readers, to be compared with what they read. */
export function likelyKey(fingerprint: string): Key | undefined {
  return byFingerprint.get(fingerprint);
}

export function isFingerprint(text: string): boolean {
  return byFingerprint.has(text) || /^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/.test(text);
}

// One key stands in every statement that it signs: a lockfile of a thousand packages names the same few hundred keys
// over and over, and checking that a point is on the curve costs as much as all the rest of reading a signature.
const MAX_RECALLED = 4096;
const recalled = new Map<string, Key>();
const fingerprints = new WeakMap<Key, string>();
const byFingerprint = new Map<string, Key>();

function recall(record: string, read: () => Key): Key {
  const known = recalled.get(record);
  if (known) return known;
  const key = read();
  if (recalled.size >= MAX_RECALLED) recalled.clear();
  recalled.set(record, key);
  return key;
}

function readBlob(type: KeyType, record: string, blob: Uint8Array): Key {
  const wire = readWire(blob, "K-2", "key blob");
  if (wire.text() !== type) throw badKey("K-1", "The key blob names another type than the record.");
  if (type === SK_ECDSA && wire.text() !== "nistp256") throw badKey("K-2", "The key is not on the curve P-256.");
  const publicKey = wire.string();
  const application = wire.text();
  wire.finish();
  if (type === SK_ECDSA && !isP256Point(publicKey)) throw badKey("K-2", "The key is not a point of P-256.");
  if (type === SK_ED25519 && !isEd25519Key(publicKey)) throw badKey("K-2", "The key is not an Ed25519 key.");
  if (!/^[\x21-\x7e]{1,253}$/.test(application))
    throw badKey("K-3", "The key's application is empty, too long or has spaces.");
  return { type, record, blob: Uint8Array.from(blob), publicKey: Uint8Array.from(publicKey), application };
}

function asBadKey<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof CoreError && cause.code === "BAD_KEY") throw cause;
    throw badKey(cause instanceof CoreError ? cause.rule : "K-2", "The key record is malformed.", "", cause);
  }
}

function badKey(rule: string, message: string, hint = "", cause?: unknown): CoreError {
  return new CoreError("BAD_KEY", rule, message, hint, cause);
}
