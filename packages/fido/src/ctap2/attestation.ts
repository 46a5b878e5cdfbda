import { type CborMap, decodeCbor, encodeCbor, locateMapValues } from "../cbor/canonical.ts";
import { asMap, bytesAt, textAt } from "../cbor/fields.ts";
import { explain } from "../explain.ts";
import { type AttestedCredential, type AuthenticatorData, parseAuthData } from "./auth-data.ts";

export interface Attestation {
  /** `packed`, `fido-u2f`, `none` or another name: the statement is kept, not judged. */
  readonly fmt: string;
  /** As the key gave it. */
  readonly authDataBytes: Uint8Array;
  readonly authData: AuthenticatorData & { readonly attested: AttestedCredential };
  /** The attestation statement's CBOR, byte for byte as the key gave it. */
  readonly attStmt: Uint8Array;
  /** The WebAuthn attestation object: a canonical map of fmt, attStmt and authData. */
  readonly objectBytes: Uint8Array;
}

const MAX_FORMAT = 32;

/** Reads the answer to makeCredential. Throws DEVICE_GARBAGE. */
export function parseMakeCredentialAnswer(bytes: Uint8Array): Attestation {
  const map = asMap(decodeCbor(bytes), "the new credential");
  return readAttestation(map, locateMapValues(bytes), { fmt: 0x01, authData: 0x02, attStmt: 0x03 });
}

/** Reads a WebAuthn attestation object (as browsers give it, and as enrolment keeps it). Throws DEVICE_GARBAGE. */
export function parseAttestationObject(bytes: Uint8Array): Attestation {
  const map = asMap(decodeCbor(bytes), "the attestation object");
  if (map.size !== 3) throw explain({ kind: "garbage", detail: "an attestation object with unknown members" });
  return readAttestation(map, locateMapValues(bytes), { fmt: "fmt", authData: "authData", attStmt: "attStmt" });
}

interface Names {
  readonly fmt: number | string;
  readonly authData: number | string;
  readonly attStmt: number | string;
}

function readAttestation(map: CborMap, parts: Map<number | string, Uint8Array>, names: Names): Attestation {
  const fmt = textAt(map, names.fmt, "fmt");
  if (fmt.length > MAX_FORMAT) throw explain({ kind: "garbage", detail: "an attestation format of impossible length" });
  const authDataBytes = bytesAt(map, names.authData, "authData");
  const authData = parseAuthData(authDataBytes);
  const { attested } = authData;
  if (attested === undefined) throw explain({ kind: "garbage", detail: "a new credential without a public key" });
  asMap(map.get(names.attStmt), "attStmt");
  const attStmt = parts.get(names.attStmt) ?? new Uint8Array();
  return {
    fmt,
    authDataBytes,
    authData: { ...authData, attested },
    attStmt,
    objectBytes: encodeAttestationObject(fmt, attStmt, authDataBytes),
  };
}

/** A WebAuthn attestation object around a statement's own bytes. */
export function encodeAttestationObject(fmt: string, attStmt: Uint8Array, authData: Uint8Array): Uint8Array {
  // Spliced, not encoded anew, so that the statement stays what the key gave. "fmt" < "attStmt" < "authData" in CTAP2's order.
  const parts = ["fmt", fmt, "attStmt", attStmt, "authData", authData].map((part, index) =>
    index === 3 ? attStmt : encodeCbor(part),
  );
  return new Uint8Array(Buffer.concat([Uint8Array.of(0xa3), ...parts]));
}
