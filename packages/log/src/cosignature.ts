/**
 * C2SP tlog-cosignature (https://c2sp.org/tlog-cosignature): what a cosigner says of a checkpoint, and when. Trust assumption: none; whose cosignatures
 * count is the policy's word (tlog-policy.ts).
 */
import { concatBytes } from "@touchmark/core";
import { parseAnyCheckpoint } from "./checkpoint.ts";
import { LogError } from "./error.ts";
import { mlDsa44Signer, verifyMlDsa44 } from "./ml-dsa.ts";
import { verifyEd25519 } from "./node-crypto.ts";
import {
  COSIGNATURE_ED25519,
  COSIGNATURE_ML_DSA_44,
  ed25519Signer,
  isKeyName,
  NOTE_ED25519,
  type Note,
  noteKeyId,
  type NoteSignature,
  type VerifierKey,
} from "./note.ts";

/** A key that signs checkpoints with the time at which it does. */
export type Cosigner = {
  readonly key: VerifierKey;
  /** `text` is a checkpoint's note text, `time` in seconds. Throws `BAD_CHECKPOINT`. */
  readonly cosign: (text: string, time: number) => NoteSignature;
};

/** A cosignature that was verified. `time` in seconds since 1970; 0 where the cosigner says nothing of the time. */
export type Cosignature = { readonly key: VerifierKey; readonly time: number };

/** `unchecked`: keys with a signature that this Node cannot verify (ML-DSA-44 without @noble/post-quantum). */
export type CheckedCosignatures = {
  readonly cosignatures: readonly Cosignature[];
  readonly unchecked: readonly VerifierKey[];
};

export type CosignatureType = typeof COSIGNATURE_ED25519 | typeof COSIGNATURE_ML_DSA_44;

/** A cosigner from a 32-byte seed. Throws `BAD_KEY`, `UNSUPPORTED`. */
export function cosigner(name: string, seed: Uint8Array, type: CosignatureType): Cosigner {
  if (!isKeyName(name) || Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new LogError("BAD_KEY", "The cosigner has a bad name.");
  }
  const { publicKey, sign } = type === COSIGNATURE_ED25519 ? ed25519Signer(seed) : mlDsa44Signer(seed);
  const keyId = noteKeyId(name, type, publicKey);
  const key = { name, keyId, type, publicKey };
  return {
    key,
    cosign: (text, time) => {
      const stamp = encodeU64(BigInt(time));
      const signature = concatBytes(stamp, sign(signedMessage(key, text, stamp)));
      return { name, keyId, signature };
    },
  };
}

/**
 * Verifies every cosignature that one of these keys made on a checkpoint's note; those of other keys are passed over. Throws `BAD_NOTE` if a known
 * key's cosignature is false, `BAD_CHECKPOINT`, `BAD_KEY` for a key that is no cosigner's.
 */
export function verifyCosignatures(note: Note, keys: readonly VerifierKey[]): CheckedCosignatures {
  const cosignatures: Cosignature[] = [];
  const unchecked: VerifierKey[] = [];
  for (const key of keys) {
    for (const line of note.signatures) {
      if (line.keyId !== key.keyId || line.name !== key.name) continue;
      const time = verifyLine(line.signature, key, note.text);
      if (time === undefined) unchecked.push(key);
      else cosignatures.push({ key, time });
    }
  }
  return { cosignatures, unchecked };
}

/** The key under which a policy's witness cosigns: that of type 0x04 where its line has the bare Ed25519 key, of type 0x01. Throws `BAD_KEY`. */
export function cosignerKey(key: VerifierKey): VerifierKey {
  switch (key.type) {
    case NOTE_ED25519: {
      const { name, publicKey } = key;
      return { name, publicKey, type: COSIGNATURE_ED25519, keyId: noteKeyId(name, COSIGNATURE_ED25519, publicKey) };
    }
    case COSIGNATURE_ED25519:
      return key;
    case COSIGNATURE_ML_DSA_44:
      if (Buffer.byteLength(key.name) <= MAX_NAME_BYTES) return key;
      throw new LogError("BAD_KEY", "The cosigner's name is too long.");
    default:
      throw new LogError("BAD_KEY", "The key is of a type that cannot cosign.");
  }
}

/** The time of a good cosignature; `undefined` if it cannot be checked here. */
function verifyLine(bytes: Uint8Array, key: VerifierKey, text: string): number | undefined {
  const stamp = bytes.subarray(0, TIME_BYTES);
  const signature = bytes.subarray(TIME_BYTES);
  const good = stamp.length === TIME_BYTES && readU64(stamp) < 2n ** 63n && verifyBytes(key, text, stamp, signature);
  if (good === false) throw new LogError("BAD_NOTE", "A cosignature is false although its key is known.");
  return good === undefined ? undefined : Number(readU64(stamp)); // what is lost above 2^53 lies far in the future
}

function verifyBytes(key: VerifierKey, text: string, stamp: Uint8Array, signature: Uint8Array): boolean | undefined {
  const message = signedMessage(key, text, stamp);
  return key.type === COSIGNATURE_ED25519
    ? verifyEd25519(key.publicKey, message, signature)
    : verifyMlDsa44(key.publicKey, message, signature);
}

function signedMessage(key: VerifierKey, text: string, stamp: Uint8Array): Uint8Array {
  switch (key.type) {
    case COSIGNATURE_ED25519:
      parseAnyCheckpoint(text);
      return Buffer.from(`cosignature/v1\ntime ${readU64(stamp)}\n${text}`, "utf8");
    case COSIGNATURE_ML_DSA_44: {
      //
      const { origin, size, root } = parseAnyCheckpoint(text);
      return concatBytes(
        Buffer.from("subtree/v1\n\0", "latin1"),
        withLength(key.name),
        stamp,
        withLength(origin),
        encodeU64(0n),
        encodeU64(BigInt(size)),
        root,
      );
    }
    default:
      throw new LogError("BAD_KEY", "The key is of a type that cannot cosign.");
  }
}

function withLength(text: string): Uint8Array {
  const bytes = Buffer.from(text, "utf8");
  return concatBytes(Uint8Array.of(bytes.length), bytes);
}

function encodeU64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function readU64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0);
}

const TIME_BYTES = 8;
const MAX_NAME_BYTES = 255;
