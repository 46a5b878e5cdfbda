/** C2SP signed-note (https://c2sp.org/signed-note): text signed by one or more keys. */
import { createPrivateKey, createPublicKey, hash, sign as signBytes } from "node:crypto";
import { encodeBase64, parseBase64 } from "./bytes.ts";
import { LogError } from "./error.ts";
import { ML_DSA_44_KEY_BYTES } from "./ml-dsa.ts";
import { verifyEd25519 } from "./node-crypto.ts";

/** Signature type byte of a plain Ed25519 note signature, the only type that {@link verifyNote} knows. */
export const NOTE_ED25519 = 0x01;
/** Signature type byte of Ed25519 cosignatures. */
export const COSIGNATURE_ED25519 = 0x04;
/** Signature type byte of ML-DSA-44 cosignatures. */
export const COSIGNATURE_ML_DSA_44 = 0x06;

export const MAX_NOTE_BYTES: number = 512 * 1024;
export const MAX_NOTE_SIGNATURES = 64;

export type NoteSignature = { readonly name: string; readonly keyId: number; readonly signature: Uint8Array };

/** `text` ends in a line feed and is what the signatures cover. */
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

/** `keyId` is a 32-bit number; `publicKey` is as long as `type` wants it, if that is a type known here. */
export type VerifierKey = {
  readonly name: string;
  readonly keyId: number;
  readonly type: number;
  readonly publicKey: Uint8Array;
};

export type NoteSigner = { readonly key: VerifierKey; readonly sign: (text: string) => NoteSignature };

/** Reads a note without trusting it. Throws `BAD_NOTE`. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > MAX_NOTE_BYTES) throw new LogError("BAD_NOTE", "The signed note is too long.");
  const source = decodeText(bytes);
  const border = source.lastIndexOf("\n\n");
  if (border < 0) throw new LogError("BAD_NOTE", "The signed note has no blank line before its signatures.");
  return { text: source.slice(0, border + 1), signatures: parseSignatureLines(source.slice(border + 2)) };
}

export function encodeNote(note: Note): string {
  return `${note.text}\n${note.signatures.map(encodeSignatureLine).join("")}`;
}

/**
 * Checks every signature that a known key made and returns the keys that signed, each once. Unknown keys are ignored. Throws `BAD_NOTE` if a known key's
 * signature is false, `UNSIGNED` if no known key signed, `BAD_KEY` for a key of another type than {@link NOTE_ED25519}.
 */
export function verifyNote(note: Note, keys: readonly VerifierKey[]): VerifierKey[] {
  const message = Buffer.from(note.text, "utf8");
  const signed = keys.filter((key) => {
    if (key.type !== NOTE_ED25519) throw new LogError("BAD_KEY", "A key is of a type that cannot sign notes here.");
    const own = note.signatures.filter((line) => line.keyId === key.keyId && line.name === key.name);
    if (!own.every((line) => verifyEd25519(key.publicKey, message, line.signature))) {
      throw new LogError("BAD_NOTE", "A signature on the note is false although its key is known.");
    }
    return own.length > 0;
  });
  if (signed.length === 0) throw new LogError("UNSIGNED", "The note is not signed by a known key.");
  return signed;
}

/** Reads a verifier key, `name+keyid+base64`. Throws `BAD_KEY`. */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name, id, material] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const bytes = parseBase64(material ?? "");
  if (name === undefined || !isKeyName(name) || bytes === undefined || bytes.length < 2) {
    throw new LogError("BAD_KEY", "The verifier key is malformed.");
  }
  const type = bytes[0]!;
  const publicKey = bytes.slice(1);
  const length = KEY_BYTES.get(type);
  if (length !== undefined && publicKey.length !== length) {
    throw new LogError("BAD_KEY", "The verifier key has a wrong length.");
  }
  const keyId = noteKeyId(name, type, publicKey);
  if (encodeKeyId(keyId) !== id) throw new LogError("BAD_KEY", "The verifier key's id is not the one of its key.");
  return { name, keyId, type, publicKey };
}

export function encodeVerifierKey(key: VerifierKey): string {
  return `${key.name}+${encodeKeyId(key.keyId)}+${encodeBase64(Uint8Array.of(key.type, ...key.publicKey))}`;
}

/** The first four bytes of SHA-256(name, line feed, type, public key) as a number. */
export function noteKeyId(name: string, type: number, publicKey: Uint8Array): number {
  const digest = hash(
    "sha256",
    Buffer.concat([Buffer.from(`${name}\n`, "utf8"), Buffer.of(type), publicKey]),
    "buffer",
  );
  return digest.readUInt32BE(0);
}

/** A signer from a 32-byte Ed25519 seed. Throws `BAD_KEY`. */
export function noteSigner(name: string, seed: Uint8Array): NoteSigner {
  if (!isKeyName(name)) throw new LogError("BAD_KEY", "The signer has a bad name.");
  const { publicKey, sign } = ed25519Signer(seed);
  const keyId = noteKeyId(name, NOTE_ED25519, publicKey);
  return {
    key: { name, keyId, type: NOTE_ED25519, publicKey },
    sign: (text) => ({ name, keyId, signature: sign(Buffer.from(text, "utf8")) }),
  };
}

/** Key and signing function of a 32-byte Ed25519 seed. Throws `BAD_KEY`. */
export function ed25519Signer(seed: Uint8Array): {
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
} {
  if (seed.length !== 32) throw new LogError("BAD_KEY", "An Ed25519 seed is 32 bytes long.");
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return {
    publicKey: Uint8Array.from(spki.subarray(-32)),
    sign: (message) => signBytes(null, message, privateKey),
  };
}

/** Whether a name can be a key's: not empty, without spaces, control characters and plus signs. */
export function isKeyName(name: string): boolean {
  // Nearly all names are ASCII, for which the costly expression need not be compiled.
  if (/^[!-~]+$/.test(name)) return !name.includes("+");
  return name !== "" && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}

/** Reads signature lines, each with its line feed. Throws `BAD_NOTE`. */
export function parseSignatureLines(text: string): NoteSignature[] {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new LogError("BAD_NOTE", "The signed note does not end in a line feed.");
  if (lines.length === 0) throw new LogError("BAD_NOTE", "The signed note has no signature.");
  if (lines.length > MAX_NOTE_SIGNATURES) throw new LogError("BAD_NOTE", "The signed note has too many signatures.");
  return lines.map(parseSignatureLine);
}

export function encodeSignatureLine(line: NoteSignature): string {
  const bytes = new Uint8Array(4 + line.signature.length);
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(0, line.keyId);
  bytes.set(line.signature, 4);
  return `\u2014 ${line.name} ${encodeBase64(bytes)}\n`;
}

function decodeText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new LogError("BAD_NOTE", "The signed note is not UTF-8.", { cause });
  }
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text))
    throw new LogError("BAD_NOTE", "The signed note has control characters.");
  return text;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parseSignatureLine(line: string): NoteSignature {
  const parts = line.split(" ");
  const [dash, name, encoded] = parts;
  if (parts.length !== 3 || dash !== "\u2014" || name === undefined || !isKeyName(name) || encoded === undefined) {
    throw new LogError("BAD_NOTE", "A signature line of the note is malformed.");
  }
  const bytes = parseBase64(encoded);
  if (bytes === undefined || bytes.length < 5) throw new LogError("BAD_NOTE", "A signature of the note is malformed.");
  const keyId = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  return { name, keyId, signature: bytes.slice(4) };
}

function encodeKeyId(keyId: number): string {
  return keyId.toString(16).padStart(8, "0");
}

const KEY_BYTES = new Map([
  [NOTE_ED25519, 32],
  [COSIGNATURE_ED25519, 32],
  [COSIGNATURE_ML_DSA_44, ML_DSA_44_KEY_BYTES],
]);
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
