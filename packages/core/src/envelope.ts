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
/** Of an envelope [C-15]. */
export const MAX_SIGNATURES = 64;
const PAE_HEAD = encodeUtf8(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} `);

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
// compared, which is stricter than a JSON parser and several times faster. What stands between is base64 and fingerprints.
const PAYLOAD = '{"payload":"';
const SIGNATURES = `","payloadType":"${PAYLOAD_TYPE}","signatures":[`;
const END = "]}";
const KEYID = '{"keyid":"';
const SIG = '","sig":"';
const SIG_END = '"}';

/** Reads an envelope's bytes, or their text. Throws `MALFORMED`, `TOO_LARGE` by [S-1] and [S-3]. */
export function parseEnvelope(source: Uint8Array | string, decode?: Base64Decoder): Envelope {
  const text = readText(source);
  const { payload, end } = readPayload(text, decode);
  return { payload, signatures: sorted(readSignatures(text, end + SIGNATURES.length, decode)) };
}

/** The payload of an envelope whose signatures don't matter; they are not even looked at. Throws as `parseEnvelope` does. */
export function parseEnvelopePayload(source: Uint8Array | string, decode?: Base64Decoder): Uint8Array {
  return readPayload(readText(source), decode).payload;
}

function readText(source: Uint8Array | string): string {
  if (source.length > MAX_ENVELOPE_BYTES) throw new CoreError("TOO_LARGE", "C-15", "The envelope is too long.");
  return typeof source === "string" ? source : parseUtf8(source);
}

/** The payload, and where its base64 ends. */
function readPayload(text: string, decode?: Base64Decoder): { payload: Uint8Array; end: number } {
  const end = text.indexOf('"', PAYLOAD.length);
  const framed = text.startsWith(PAYLOAD) && text.startsWith(SIGNATURES, end) && text.endsWith(END);
  require(framed, "S-1", "This is not a signature file (DSSE envelope).");
  const payload = parseBase64(text.slice(PAYLOAD.length, end), decode);
  if (payload.length > MAX_STATEMENT_BYTES) throw new CoreError("TOO_LARGE", "C-15", "The statement is too long.");
  return { payload, end };
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
  return concatBytes(PAE_HEAD, encodeUtf8(`${payload.length} `), payload);
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

function readSignatures(text: string, start: number, decode?: Base64Decoder): EnvelopeSignature[] {
  const signatures: EnvelopeSignature[] = [];
  const end = text.length - END.length;
  for (let at = start; at < end;) {
    const comma = signatures.length > 0 ? 1 : 0;
    const keyidAt = at + comma + KEYID.length;
    const keyidEnd = text.indexOf('"', keyidAt);
    const sigAt = keyidEnd + SIG.length;
    const sigEnd = text.indexOf('"', sigAt);
    const framed =
      (comma === 0 || text[at] === ",") &&
      text.startsWith(KEYID, at + comma) &&
      text.startsWith(SIG, keyidEnd) &&
      text.startsWith(SIG_END, sigEnd);
    require(framed, "S-1", "A signature of the envelope is malformed.");
    const keyid = text.slice(keyidAt, keyidEnd);
    require(isFingerprint(keyid), "S-3", "A signature's keyid is not a fingerprint.");
    if (signatures.length === MAX_SIGNATURES)
      throw new CoreError("TOO_LARGE", "C-15", "The envelope has too many signatures.");
    signatures.push({ keyid, sig: parseBase64(text.slice(sigAt, sigEnd), decode) });
    at = sigEnd + SIG_END.length;
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
