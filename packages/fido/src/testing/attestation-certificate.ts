// Just enough DER to make an attestation root and a batch certificate under it (WebAuthn Level 3 section 8.2.1).
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface BatchAttestation {
  /** The batch certificate, DER. */
  readonly certificate: Uint8Array;
  /** The root that signed it, DER: what a verifier would have to trust. */
  readonly root: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** A root and a batch certificate for `aaguid`, freshly made. */
export function createBatchAttestation(aaguid: Uint8Array): BatchAttestation {
  const rootKeys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const batchKeys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const rootName = name([
    [COUNTRY, "ZZ"],
    [ORGANISATION, "Touchmark test"],
    [COMMON_NAME, "Touchmark test root, NOT hardware"],
  ]);
  const batchName = name([
    [COUNTRY, "ZZ"],
    [ORGANISATION, "Touchmark test"],
    [UNIT, "Authenticator Attestation"],
    [COMMON_NAME, "Touchmark software authenticator, NOT hardware"],
  ]);
  const signer = rootKeys.privateKey;
  const root = certificate({
    serial: 1,
    issuer: rootName,
    subject: rootName,
    key: rootKeys.publicKey,
    signer,
    extensions: [basicConstraints(true)],
  });
  const extensions = [basicConstraints(false), aaguidExtension(aaguid)];
  const batch = certificate({
    serial: 2,
    issuer: rootName,
    subject: batchName,
    key: batchKeys.publicKey,
    signer,
    extensions,
  });
  return { certificate: batch, root, sign: (message) => new Uint8Array(sign("sha256", message, batchKeys.privateKey)) };
}

interface Certificate {
  readonly serial: number;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}

const COUNTRY = "550406";
const ORGANISATION = "55040a";
const UNIT = "55040b";
const COMMON_NAME = "550403";
const BASIC_CONSTRAINTS = "551d13";
const FIDO_AAGUID = "2b0601040182e51c010104";
const ECDSA_SHA256: Buffer = sequence(oid("2a8648ce3d040302"));

function certificate({ serial, issuer, subject, key, signer, extensions }: Certificate): Uint8Array {
  const validity = sequence(der(0x18, Buffer.from("20200101000000Z")), der(0x18, Buffer.from("20700101000000Z")));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(serial)),
    ECDSA_SHA256,
    issuer,
    validity,
    subject,
    key.export({ format: "der", type: "spki" }),
    der(0xa3, sequence(...extensions)),
  );
  return new Uint8Array(sequence(toBeSigned, ECDSA_SHA256, bitString(sign("sha256", toBeSigned, signer))));
}

function basicConstraints(isAuthority: boolean): Buffer {
  const value = isAuthority ? sequence(der(0x01, Buffer.of(0xff))) : sequence();
  return sequence(oid(BASIC_CONSTRAINTS), der(0x01, Buffer.of(0xff)), der(0x04, value));
}

function aaguidExtension(aaguid: Uint8Array): Buffer {
  return sequence(oid(FIDO_AAGUID), der(0x04, der(0x04, aaguid)));
}

function name(parts: readonly (readonly [string, string])[]): Buffer {
  return sequence(
    ...parts.map(([type, text]) =>
      der(0x31, sequence(oid(type), der(type === COUNTRY ? 0x13 : 0x0c, Buffer.from(text)))),
    ),
  );
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function bitString(bytes: Uint8Array): Buffer {
  return der(0x03, Buffer.concat([Buffer.of(0), bytes]));
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}
