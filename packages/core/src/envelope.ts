import {
  type Base64Decoder,
  compareText,
  concatBytes,
  encodeBase64,
  encodeUtf8,
  parseBase64,
  parseUtf8,
} from "./bytes.ts";
import type { Crypto } from "./crypto.ts";
import { CoreError, require } from "./errors.ts";
import { encodeCanonicalJson } from "./json.ts";
import { isFingerprint, keyFingerprint, likelyKey } from "./key.ts";
import { MAX_STATEMENT_BYTES } from "./statements/statement-form.ts";
import { parseSshSignature, signedBytes, type SshSignature } from "./sshsig.ts";

export const PAYLOAD_TYPE = "application/vnd.in-toto+json";
/** Of an envelope [C-15]: what a statement of the greatest length takes in base64, and all the signatures that there may be. */
export const MAX_ENVELOPE_BYTES: number = 2560 * 1024;
const MAX_SIGNATURES = 64; // [C-15]

export interface EnvelopeSignature {
  keyid: string;
  /** The SSHSIG blob. */
  sig: Uint8Array;
}

/** A DSSE envelope [S-1]: well-formed, nothing verified. */
export interface Envelope {
  payload: Uint8Array;
  /** Sorted by keyid, none twice [S-3]. */
  signatures: EnvelopeSignature[];
}

// The canonical text of an envelope has one spelling, and no character in it that JSON would escape: so the form itself is
// matched, which is stricter than a JSON parser and several times faster.
const ENVELOPE =
  /^\{"payload":"([A-Za-z0-9+/=]*)","payloadType":"application\/vnd\.in-toto\+json","signatures":\[(.*)\]\}$/;
const SIGNATURE = /(?:^|,)\{"keyid":"([^"]*)","sig":"([A-Za-z0-9+/=]*)"\}/y;

/** Reads an envelope's bytes, or their text. Throws `MALFORMED`, `TOO_LARGE` by [S-1] and [S-3]. */
export function parseEnvelope(source: Uint8Array | string, decode?: Base64Decoder): Envelope {
  const { payload, signatures } = splitEnvelope(source, decode);
  return { payload, signatures: sorted(readSignatures(signatures, decode)) };
}

/** The payload of an envelope whose signatures don't matter; they are not even looked at. Throws as `parseEnvelope` does. */
export function parseEnvelopePayload(source: Uint8Array | string, decode?: Base64Decoder): Uint8Array {
  return splitEnvelope(source, decode).payload;
}

function splitEnvelope(
  source: Uint8Array | string,
  decode?: Base64Decoder,
): { payload: Uint8Array; signatures: string } {
  if (source.length > MAX_ENVELOPE_BYTES) throw new CoreError("TOO_LARGE", "C-15", "The envelope is too long.");
  const [, payload, signatures] = ENVELOPE.exec(typeof source === "string" ? source : parseUtf8(source)) ?? [];
  require(payload !== undefined && signatures !== undefined, "S-1", "This is not a signature file (DSSE envelope).");
  const decoded = parseBase64(payload, decode);
  if (decoded.length > MAX_STATEMENT_BYTES) throw new CoreError("TOO_LARGE", "C-15", "The statement is too long.");
  return { payload: decoded, signatures };
}

/** The canonical bytes of an envelope. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return encodeUtf8(
    encodeCanonicalJson({
      payload: encodeBase64(envelope.payload),
      payloadType: PAYLOAD_TYPE,
      signatures: envelope.signatures.map(({ keyid, sig }) => ({ keyid, sig: encodeBase64(sig) })),
    }),
  );
}

/** The envelope with one more signature, or with the same key's earlier one replaced [S-3]. */
export function addSignature(envelope: Envelope, added: EnvelopeSignature): Envelope {
  const others = envelope.signatures.filter(({ keyid }) => keyid !== added.keyid);
  return { ...envelope, signatures: [...others, added].toSorted((a, b) => compareText(a.keyid, b.keyid)) };
}

/** DSSE's pre-authentication encoding of the payload: the message that is signed [S-2]. */
export function preAuthEncoding(payload: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload);
}

/** The bytes each signer of an envelope signs, ready for a security key: SSHSIG's tbs over the PAE. */
export function envelopeSignedBytes(crypto: Crypto, payload: Uint8Array): Uint8Array {
  return signedBytes(crypto, preAuthEncoding(payload));
}

/** Parses an envelope's signatures and checks that each names its own key [S-3]. Throws `MALFORMED`, `BAD_KEY`, `BAD_SIGNATURE`. */
export function parseSignatures(crypto: Crypto, envelope: Envelope): SshSignature[] {
  return envelope.signatures.map(({ keyid, sig }) => {
    const signature = parseSshSignature(sig, likelyKey(keyid));
    require(keyFingerprint(crypto, signature.key) ===
      keyid, "S-3", "A keyid is not the fingerprint of its signature's key.");
    return signature;
  });
}

function readSignatures(text: string, decode?: Base64Decoder): EnvelopeSignature[] {
  const signatures: EnvelopeSignature[] = [];
  for (SIGNATURE.lastIndex = 0; SIGNATURE.lastIndex < text.length;) {
    const at = SIGNATURE.lastIndex;
    const [, keyid, sig] = SIGNATURE.exec(text) ?? [];
    require(keyid !== undefined &&
      sig !== undefined &&
      (text[at] === ",") === at > 0, "S-1", "A signature of the envelope is malformed.");
    require(isFingerprint(keyid), "S-3", "A signature's keyid is not a fingerprint.");
    if (signatures.length === MAX_SIGNATURES)
      throw new CoreError("TOO_LARGE", "C-15", "The envelope has too many signatures.");
    signatures.push({ keyid, sig: parseBase64(sig, decode) });
  }
  return signatures;
}

function sorted(signatures: EnvelopeSignature[]): EnvelopeSignature[] {
  for (let i = 1; i < signatures.length; i++) {
    require(compareText(signatures[i - 1]!.keyid, signatures[i]!.keyid) <
      0, "S-3", "The signatures are not sorted, or one key stands twice.");
  }
  return signatures;
}
