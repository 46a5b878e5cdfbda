import { allocateBytes, concatBytes, encodeUtf8, equalBytes } from "./bytes.ts";
import type { Crypto } from "./crypto.ts";
import { encodeEcdsaDer, isScalar, parseEcdsaDer } from "./ecdsa.ts";
import { isEd25519Signature } from "./ed25519.ts";
import { CoreError, require } from "./errors.ts";
import { type Key, type KeyType, parseKeyBlob, SK_ECDSA, SK_ED25519 } from "./key.ts";
import { checkClientDataSize, verifyClientData } from "./webauthn.ts";
import { readWire, type WireReader, wireString, wireUint32 } from "./wire.ts";

/** The SSHSIG namespace of every signature [K-5]. */
export const NAMESPACE = "touchmark";
const HASH = "sha512";
const MAGIC = encodeUtf8("SSHSIG");
const NAMESPACE_BYTES = encodeUtf8(NAMESPACE);
const HASH_BYTES = encodeUtf8(HASH);
// Everything before the digest is the same for every message.
const TBS_HEAD = concatBytes(
  MAGIC,
  wireString(NAMESPACE_BYTES),
  wireString(""),
  wireString(HASH_BYTES),
  wireUint32(64),
);
const WEBAUTHN = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";
const WEBAUTHN_STRING = wireString(WEBAUTHN);
const TYPE_STRINGS: Record<KeyType, Uint8Array> = {
  [SK_ECDSA]: wireString(SK_ECDSA),
  [SK_ED25519]: wireString(SK_ED25519),
};
const MAX_BLOB = 8192; // [C-15]

export const FLAG_UP = 0x01;
export const FLAG_UV = 0x04;
export const FLAG_BE = 0x08;
export const FLAG_BS = 0x10;
const FLAG_ED = 0x80;
const FORBIDDEN_FLAGS = 0x62; // AT and the two reserved bits [K-14]

/** A parsed SSHSIG blob: well-formed, not yet verified. */
export interface SshSignature {
  key: Key;
  flags: number;
  counter: number;
  /** Ed25519: 64 bytes; ECDSA: strict DER. */
  signature: Uint8Array;
  /** The browser's form [K-9] only. */
  webauthn: { origin: string; clientData: Uint8Array; extensions: Uint8Array } | null;
}

/** What an authority asks of each signature [K-12], [K-13]. */
export interface SignatureDemands {
  userVerification: boolean;
  deviceBound: boolean;
}

/** The bytes that an SSHSIG signs for a message [K-5]. A CTAP2 assertion's `clientDataHash` is their SHA-256 [K-8]. */
export function signedBytes(crypto: Crypto, message: Uint8Array): Uint8Array {
  return concatBytes(TBS_HEAD, crypto.sha512(message));
}

/** Reads an SSHSIG blob strictly; its key need not be read again if it is `likelyKey`. Throws `MALFORMED`, `BAD_KEY`, `BAD_SIGNATURE` or `TOO_LARGE` by [K-5] to [K-9]. */
export function parseSshSignature(blob: Uint8Array, likelyKey?: Key): SshSignature {
  if (blob.length > MAX_BLOB) throw new CoreError("TOO_LARGE", "C-15", "The signature blob is too long.");
  const wire = readWire(blob, "K-6", "signature blob");
  const key = likelyKey && wire.skipIf(blobHead(likelyKey)) ? likelyKey : readBlobHead(wire);
  const field = wire.nested("K-7", "signature field");
  wire.finish();
  return readSignatureField(key, field);
}

function readBlobHead(wire: WireReader): Key {
  require(equalBytes(wire.take(6), MAGIC), "K-5", "This is not an SSHSIG blob.");
  require(wire.uint32() === 1, "K-6", "The SSHSIG version is not 1.");
  const key = parseKeyBlob(wire.string());
  require(wire.isString(
    NAMESPACE_BYTES,
  ), "K-6", `The signature was made for another namespace than "${NAMESPACE}".`, "Sign with -n touchmark.");
  require(wire.string().length === 0, "K-6", "The reserved field is not empty.");
  require(wire.isString(HASH_BYTES), "K-6", "The hash is not sha512.");
  return key;
}

const blobHeads = new WeakMap<Key, Uint8Array>();

// Everything before the signature field is the same in every signature by a key.
function blobHead(key: Key): Uint8Array {
  let head = blobHeads.get(key);
  if (head === undefined) {
    head = concatBytes(
      MAGIC,
      wireUint32(1),
      wireString(key.blob),
      wireString(NAMESPACE_BYTES),
      wireString(""),
      wireString(HASH_BYTES),
    );
    blobHeads.set(key, head);
  }
  return head;
}

/** Writes an SSHSIG blob; the inverse of `parseSshSignature`. */
export function encodeSshSignature(signature: SshSignature): Uint8Array {
  const { key, webauthn } = signature;
  const type = webauthn ? WEBAUTHN : key.type;
  const field = concatBytes(
    wireString(type),
    wireString(key.type === SK_ECDSA ? encodeMpints(signature.signature) : signature.signature),
    Uint8Array.of(signature.flags),
    wireUint32(signature.counter),
    ...(webauthn
      ? [wireString(webauthn.origin), wireString(webauthn.clientData), wireString(webauthn.extensions)]
      : []),
  );
  return concatBytes(blobHead(key), wireString(field));
}

/**
 * Turns a security key's assertion into a signature: 37 bytes of authenticator data, and the signature as the key gave it.
 * Throws `WRONG_APPLICATION` if the key answered for another rpId, `MALFORMED`, `BAD_SIGNATURE`.
 */
export function signatureFromAssertion(
  crypto: Crypto,
  key: Key,
  authData: Uint8Array,
  signature: Uint8Array,
): SshSignature {
  require(authData.length ===
    37, "K-8", "The authenticator data is not 37 bytes long.", "The key added data that nobody asked for.");
  if (!equalBytes(authData.subarray(0, 32), crypto.sha256(encodeUtf8(key.application)))) {
    throw new CoreError("WRONG_APPLICATION", "K-8", "The security key answered for another application.");
  }
  if (key.type === SK_ECDSA) parseEcdsaDer(signature);
  else requireEd25519(signature);
  const wire = readWire(authData.subarray(32), "K-8", "authenticator data");
  return { key, flags: wire.byte(), counter: wire.uint32(), signature, webauthn: null };
}

/** A browser's assertion, as `navigator.credentials.get` gives it. */
export interface BrowserAssertion {
  /** 37 bytes, and the extensions that the authenticator added unasked. */
  authData: Uint8Array;
  clientData: Uint8Array;
  /** DER. */
  signature: Uint8Array;
  /** Of the page. */
  origin: string;
}

/** Turns a browser's assertion into a signature in the form of [K-9]. Throws `WRONG_KEY`, `WRONG_APPLICATION`, `MALFORMED`, `BAD_SIGNATURE`. */
export function signatureFromBrowser(crypto: Crypto, key: Key, assertion: BrowserAssertion): SshSignature {
  if (key.type !== SK_ECDSA) throw new CoreError("WRONG_KEY", "K-9", "A browser signs with P-256 keys only.");
  const { authData, clientData, signature, origin } = assertion;
  require(authData.length >= 37, "K-9", "The authenticator data is cut short.");
  const signed = signatureFromAssertion(crypto, key, authData.subarray(0, 37), signature);
  return { ...signed, webauthn: { origin, clientData, extensions: authData.slice(37) } };
}

/**
 * Verifies a signature over tbs (`signedBytes`) by [K-7] to [K-14]. Which key may sign is the caller's to check.
 * Throws `NO_USER_PRESENCE`, `NO_USER_VERIFICATION`, `NOT_DEVICE_BOUND`, `BAD_FLAGS`, `WRONG_CHALLENGE`, `WRONG_ORIGIN`, `BAD_SIGNATURE`.
 */
export function verifySshSignature(
  crypto: Crypto,
  signature: SshSignature,
  tbs: Uint8Array,
  demands: SignatureDemands,
): void {
  verifySshSignatures(crypto, [signature], tbs, demands);
}

/** As {@link verifySshSignature}, for all signatures over one tbs. */
export function verifySshSignatures(
  crypto: Crypto,
  signatures: readonly SshSignature[],
  tbs: Uint8Array,
  demands: SignatureDemands,
): void {
  const tbsHash = crypto.sha256(tbs);
  for (const signature of signatures) verifyOne(crypto, signature, tbs, tbsHash, demands);
}

function verifyOne(
  crypto: Crypto,
  signature: SshSignature,
  tbs: Uint8Array,
  tbsHash: Uint8Array,
  demands: SignatureDemands,
): void {
  verifyFlags(signature.flags, demands);
  const { key, webauthn } = signature;
  if (((signature.flags & FLAG_ED) !== 0) !== (webauthn !== null && webauthn.extensions.length > 0)) {
    throw new CoreError(
      "BAD_FLAGS",
      webauthn ? "K-9" : "K-14",
      "The flag for extensions does not match the extensions.",
    );
  }
  if (webauthn) verifyClientData(key.application, webauthn, tbs);
  const signed = signedData(
    applicationHash(crypto, key),
    signature,
    webauthn ? crypto.sha256(webauthn.clientData) : tbsHash,
  );
  const good =
    key.type === SK_ECDSA
      ? crypto.verifyP256(key.publicKey, signed, signature.signature)
      : crypto.verifyEd25519(key.publicKey, signed, signature.signature);
  if (!good) {
    throw new CoreError(
      "BAD_SIGNATURE",
      "K-8",
      "A signature does not verify.",
      "It was made for another statement, or changed since.",
    );
  }
}

// [K-8], [K-9]
function signedData(
  application: Uint8Array,
  { flags, counter, webauthn }: SshSignature,
  digest: Uint8Array,
): Uint8Array {
  const extensions = webauthn?.extensions.length ?? 0;
  const data = allocateBytes(69 + extensions);
  data.set(application);
  data[32] = flags;
  data[33] = counter >>> 24;
  data[34] = counter >>> 16;
  data[35] = counter >>> 8;
  data[36] = counter;
  if (webauthn) data.set(webauthn.extensions, 37);
  data.set(digest, 37 + extensions);
  return data;
}

const applicationHashes = new WeakMap<Key, Uint8Array>();

function applicationHash(crypto: Crypto, key: Key): Uint8Array {
  let hash = applicationHashes.get(key);
  if (hash === undefined) {
    hash = crypto.sha256(encodeUtf8(key.application));
    applicationHashes.set(key, hash);
  }
  return hash;
}

function readSignatureField(key: Key, wire: WireReader): SshSignature {
  const isPlain = wire.skipIf(TYPE_STRINGS[key.type]);
  const isWebauthn = !isPlain && key.type === SK_ECDSA && wire.skipIf(WEBAUTHN_STRING);
  require(isPlain || isWebauthn, "K-7", "The signature's type is not its key's.");
  const signature = key.type === SK_ECDSA ? readMpints(wire.nested("K-7", "ECDSA signature")) : wire.string();
  const flags = wire.byte();
  const counter = wire.uint32();
  const webauthn = isWebauthn ? { origin: wire.text(), clientData: wire.string(), extensions: wire.string() } : null;
  wire.finish();
  if (webauthn) checkClientDataSize(webauthn.clientData);
  if (key.type !== SK_ECDSA) requireEd25519(signature);
  return { key, flags, counter, signature, webauthn };
}

function requireEd25519(raw: Uint8Array): void {
  if (!isEd25519Signature(raw))
    throw new CoreError(
      "BAD_SIGNATURE",
      "K-7",
      "The Ed25519 signature is not 64 bytes long, or its R is of small order.",
    );
}

// SSH's mpint and DER's INTEGER have the same content, so the conversion only moves bytes.
function readMpints(wire: WireReader): Uint8Array {
  const r = wire.string();
  const s = wire.string();
  wire.finish();
  if (!isScalar(r) || !isScalar(s))
    throw new CoreError("BAD_SIGNATURE", "K-7", "The ECDSA signature's numbers are not in range and shortest form.");
  return encodeEcdsaDer(r, s);
}

function encodeMpints(der: Uint8Array): Uint8Array {
  const { r, s } = parseEcdsaDer(der);
  return concatBytes(wireString(r), wireString(s));
}

/** Checks the flags that a signature vouches for [K-11] to [K-14]. Throws `NO_USER_PRESENCE`, `NO_USER_VERIFICATION`, `NOT_DEVICE_BOUND`, `BAD_FLAGS`. */
export function verifyFlags(flags: number, demands: SignatureDemands): void {
  if ((flags & FLAG_UP) === 0)
    throw new CoreError("NO_USER_PRESENCE", "K-11", "The security key signed without being touched.");
  if ((flags & FORBIDDEN_FLAGS) !== 0)
    throw new CoreError("BAD_FLAGS", "K-14", "The signature has flags that no assertion has.");
  if ((flags & (FLAG_BE | FLAG_BS)) === FLAG_BS) {
    throw new CoreError("BAD_FLAGS", "K-13", "The signature says that a key is backed up which can't be.");
  }
  if (demands.deviceBound && (flags & (FLAG_BE | FLAG_BS)) !== 0) {
    throw new CoreError(
      "NOT_DEVICE_BOUND",
      "K-13",
      "The signature was made by a passkey that can be copied.",
      "The authority takes hardware keys only.",
    );
  }
  if (demands.userVerification && (flags & FLAG_UV) === 0) {
    throw new CoreError(
      "NO_USER_VERIFICATION",
      "K-12",
      "The signature was made without PIN or fingerprint.",
      "The authority asks for user verification: sign again with --uv.",
    );
  }
}
