// Just enough DER to make certificates for tests (RFC 5280): roots, batches of keys, and such as should be refused.
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface CertificateWish {
  /** Attributes by OID in hex: `name({...})`. */
  readonly subject: Buffer;
  /** Without one it is its own issuer. */
  readonly issuer?: IssuedCertificate | undefined;
  readonly serial?: number;
  /** `YYYYMMDDhhmmssZ`. */
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly extensions: readonly Buffer[];
  /** Signed by another key than the issuer's. */
  readonly isForged?: boolean;
  /** Signed over SHA-1, which can be forged. */
  readonly isWeak?: boolean;
  /** Its keys; without them a fresh P-256 pair. */
  readonly keys?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

export interface IssuedCertificate {
  readonly der: Uint8Array;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A certificate, signed with ECDSA. */
export function issueCertificate(wish: CertificateWish): IssuedCertificate {
  const { publicKey, privateKey } = wish.keys ?? generateKeyPairSync("ec", { namedCurve: "P-256" });
  const validity = sequence(
    der(0x18, Buffer.from(wish.notBefore ?? "20200101000000Z")),
    der(0x18, Buffer.from(wish.notAfter ?? "20700101000000Z")),
  );
  const algorithm = wish.isWeak === true ? ECDSA_SHA1 : ECDSA_SHA256;
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(wish.serial ?? 1)),
    algorithm,
    wish.issuer?.subject ?? wish.subject,
    validity,
    wish.subject,
    publicKey.export({ format: "der", type: "spki" }),
    der(0xa3, sequence(...wish.extensions)),
  );
  const signer = wish.isForged === true ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : undefined;
  const signature = sign(
    wish.isWeak === true ? "sha1" : "sha256",
    toBeSigned,
    signer?.privateKey ?? wish.issuer?.privateKey ?? privateKey,
  );
  const bytes = new Uint8Array(sequence(toBeSigned, algorithm, bitString(signature)));
  return { der: bytes, subject: wish.subject, publicKey, privateKey };
}

const ATTRIBUTES = { country: "550406", organisation: "55040a", unit: "55040b", commonName: "550403" } as const;
const ECDSA_SHA1: Buffer = sequence(oid("2a8648ce3d0401"));
const ECDSA_SHA256: Buffer = sequence(oid("2a8648ce3d040302"));

export type NameParts = Partial<Record<keyof typeof ATTRIBUTES, string>>;

export function name(parts: NameParts): Buffer {
  const attributes = (["country", "organisation", "unit", "commonName"] as const).flatMap((part) => {
    const text = parts[part];
    if (text === undefined) return [];
    const type = ATTRIBUTES[part];
    return [der(0x31, sequence(oid(type), der(part === "country" ? 0x13 : 0x0c, Buffer.from(text))))];
  });
  return sequence(...attributes);
}

/** An extension by its OID in hex, around `value`. */
export function extension(oidHex: string, value: Uint8Array, isCritical = false): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.of(0xff))] : [];
  return sequence(oid(oidHex), ...critical, der(0x04, value));
}

export function basicConstraints(isAuthority: boolean, pathLength?: number): Buffer {
  const parts = isAuthority ? [der(0x01, Buffer.of(0xff))] : [];
  if (pathLength !== undefined) parts.push(der(0x02, Buffer.of(pathLength)));
  return extension("551d13", sequence(...parts), true);
}

/** WebAuthn Level 3 section 8.2.1.1. */
export function aaguidExtension(aaguid: Uint8Array): Buffer {
  return extension("2b0601040182e51c010104", octetString(aaguid));
}

/** Yubico's firmware extension. */
export function firmwareExtension(version: string): Buffer {
  return extension("2b0601040182c40a0d01", octetString(Buffer.from(version.split(".").map(Number))));
}

export function octetString(bytes: Uint8Array): Buffer {
  return der(0x04, bytes);
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
