// WebAuthn Level 3 section 6.1.
import { type CborMap, decodeCborPrefix } from "../cbor/canonical.ts";
import { asMap } from "../cbor/fields.ts";
import { explain } from "../explain.ts";
import { type CredentialPublicKey, parseCredentialKey } from "./cose-key.ts";

export const FLAG = { up: 0x01, uv: 0x04, be: 0x08, bs: 0x10, at: 0x40, ed: 0x80 } as const;
const RESERVED = 0x22;

export interface AuthenticatorData {
  /** SHA-256 of the rpId. */
  readonly rpIdHash: Uint8Array;
  readonly flags: number;
  readonly counter: number;
  /** Present exactly if the flag AT is set. */
  readonly attested: AttestedCredential | undefined;
  /** Present exactly if the flag ED is set. */
  readonly extensions: CborMap | undefined;
}

export interface AttestedCredential {
  readonly aaguid: Uint8Array;
  readonly credentialId: Uint8Array;
  readonly publicKey: CredentialPublicKey;
}

const FIXED_BYTES = 37;
const MAX_CREDENTIAL_ID = 1023;

/** Reads authenticator data to its last byte. Throws DEVICE_GARBAGE. */
export function parseAuthData(input: Uint8Array): AuthenticatorData {
  // A copy, because slices of a Buffer would be views of it.
  const bytes = new Uint8Array(input);
  if (bytes.length < FIXED_BYTES) throw bad("authenticator data that is too short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(32);
  if ((flags & RESERVED) !== 0) throw bad("reserved flags set");
  let at = FIXED_BYTES;
  let attested: AttestedCredential | undefined;
  let extensions: CborMap | undefined;
  if ((flags & FLAG.at) !== 0) {
    const idStart = at + 18;
    if (bytes.length < idStart) throw bad("authenticator data that is too short");
    const idEnd = idStart + view.getUint16(at + 16);
    if (idEnd === idStart || idEnd - idStart > MAX_CREDENTIAL_ID || idEnd > bytes.length)
      throw bad("a credential id of impossible length");
    const { value, end } = decodeCborPrefix(bytes.subarray(idEnd));
    attested = {
      aaguid: bytes.slice(at, at + 16),
      credentialId: bytes.slice(idStart, idEnd),
      publicKey: parseCredentialKey(asMap(value, "the public key")),
    };
    at = idEnd + end;
  }
  if ((flags & FLAG.ed) !== 0) {
    const { value, end } = decodeCborPrefix(bytes.subarray(at));
    extensions = asMap(value, "extensions");
    at += end;
  }
  if (at !== bytes.length) throw bad("bytes after the authenticator data");
  return { rpIdHash: bytes.slice(0, 32), flags, counter: view.getUint32(33), attested, extensions };
}

function bad(detail: string): Error {
  return explain({ kind: "garbage", detail });
}
