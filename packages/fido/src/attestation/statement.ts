// WebAuthn Level 3 sections 8.2 (packed), 8.6 (fido-u2f) and 8.7 (none): what the statement itself says, before any root is asked.
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { type CborMap, type CborValue, decodeCbor } from "../cbor/canonical.ts";
import type { Attestation } from "../ctap2/attestation.ts";
import { FLAG } from "../ctap2/auth-data.ts";
import { type CredentialPublicKey, EDDSA, ES256 } from "../ctap2/cose-key.ts";
import { ATTRIBUTE, type Certificate, parseCertificate, subjectName } from "./certificate.ts";
import { DerError, readDer, TAG } from "./der.ts";
import { type AttestationReason, reason } from "./reason.ts";

export interface StatementVerdict {
  readonly reasons: readonly AttestationReason[];
  /** From x5c, the leaf first; empty if nobody but the key itself signed. */
  readonly certificates: readonly Certificate[];
  /** The model, where the signature or the certificate covers it [K-22]. */
  readonly aaguid: Uint8Array | undefined;
}

/** Whether the statement's signature holds over this credential and `clientDataHash`. */
export function checkStatement(attestation: Attestation, clientDataHash: Uint8Array): StatementVerdict {
  switch (attestation.fmt) {
    case "packed":
      return checkPacked(attestation, clientDataHash);
    case "fido-u2f":
      return checkU2f(attestation, clientDataHash);
    case "none":
      return refused(
        decodeStatement(attestation).size === 0
          ? reason("NOT_ATTESTED")
          : reason("MALFORMED", "an empty one has members"),
      );
    default:
      return refused(reason("FORMAT_UNKNOWN", attestation.fmt));
  }
}

const AAGUID_EXTENSION = "1.3.6.1.4.1.45724.1.1.4";
const NO_AAGUID = new Uint8Array(16);
const MOST_CERTIFICATES = 8;

function checkPacked(attestation: Attestation, clientDataHash: Uint8Array): StatementVerdict {
  const statement = decodeStatement(attestation);
  const { authData, authDataBytes } = attestation;
  const [alg, signature, x5c] = [statement.get("alg"), statement.get("sig"), statement.get("x5c")];
  const members = x5c === undefined ? 2 : 3;
  if (typeof alg !== "number" || !(signature instanceof Uint8Array) || statement.size !== members)
    return refused(reason("MALFORMED", "a packed statement of another form"));
  const reasons = (authData.flags & FLAG.up) === 0 ? [reason("NOT_TOUCHED")] : [];
  const message = Buffer.concat([authDataBytes, clientDataHash]);
  const { publicKey, aaguid } = authData.attested;
  if (x5c === undefined) {
    const holds = isSigned(alg, message, toKeyObject(publicKey), signature);
    reasons.push(reason(holds ? "SELF_ATTESTED" : "STATEMENT_FORGED"));
    return { reasons, certificates: [], aaguid };
  }
  const certificates = readCertificates(x5c);
  const [leaf] = certificates ?? [];
  if (certificates === undefined || leaf === undefined) return refused(reason("CERTIFICATE_MALFORMED"));
  if (!SIGNATURE_OF.has(alg)) reasons.push(reason("ALGORITHM_UNSUPPORTED"));
  else if (!isSigned(alg, message, leaf.publicKey, signature)) reasons.push(reason("STATEMENT_FORGED"));
  reasons.push(...checkProfile(leaf), ...checkAaguid(leaf, aaguid));
  return { reasons, certificates, aaguid };
}

// The signature of this format covers neither flags nor AAGUID: of the model only the certificate can tell.
function checkU2f(attestation: Attestation, clientDataHash: Uint8Array): StatementVerdict {
  const statement = decodeStatement(attestation);
  const [signature, x5c] = [statement.get("sig"), statement.get("x5c")];
  if (!(signature instanceof Uint8Array) || statement.size !== 2)
    return refused(reason("MALFORMED", "a fido-u2f statement of another form"));
  const certificates = readCertificates(x5c);
  const [leaf] = certificates ?? [];
  // Exactly one: with more of them anybody whom the maker lets certify keys of another kind could speak for this one.
  if (certificates?.length !== 1 || leaf === undefined) return refused(reason("CERTIFICATE_MALFORMED"));
  const { rpIdHash, attested } = attestation.authData;
  const { publicKey, credentialId, aaguid } = attested;
  if (publicKey.alg !== "ES256") return refused(reason("MALFORMED", "a U2F key with another algorithm"));
  const message = Buffer.concat([Uint8Array.of(0), rpIdHash, clientDataHash, credentialId, publicKey.point]);
  const isP256 = leaf.publicKey.asymmetricKeyDetails?.namedCurve === "prime256v1";
  const reasons: AttestationReason[] = [];
  if (!isP256) reasons.push(reason("CERTIFICATE_UNFIT", `${subjectName(leaf)} has a key of another kind`));
  else if (!isSigned(ES256, message, leaf.publicKey, signature)) reasons.push(reason("STATEMENT_FORGED"));
  const named = aaguidOf(leaf);
  if (named === "malformed") reasons.push(reason("CERTIFICATE_MALFORMED"));
  const isZero = Buffer.compare(aaguid, NO_AAGUID) === 0;
  if (named instanceof Uint8Array && !isZero && Buffer.compare(named, aaguid) !== 0)
    reasons.push(reason("AAGUID_MISMATCH"));
  return { reasons, certificates, aaguid: named instanceof Uint8Array ? named : undefined };
}

// Level 3 section 8.2.1.
function checkProfile(leaf: Certificate): AttestationReason[] {
  const { version, subject, basicConstraints } = leaf;
  const faults = [
    version === 3 ? "" : "is of another version",
    /^[A-Z]{2}$/.test(subject.get(ATTRIBUTE.country) ?? "") ? "" : "names no country",
    subject.get(ATTRIBUTE.organisation) ? "" : "names no maker",
    subject.get(ATTRIBUTE.unit) === "Authenticator Attestation" ? "" : "is not for attestation",
    subject.get(ATTRIBUTE.commonName) ? "" : "has no name",
    basicConstraints?.isCa === false ? "" : "does not say that it issues none",
  ];
  return faults
    .filter((fault) => fault !== "")
    .map((fault) => reason("CERTIFICATE_UNFIT", `${subjectName(leaf)} ${fault}`));
}

function checkAaguid(leaf: Certificate, aaguid: Uint8Array): AttestationReason[] {
  const named = aaguidOf(leaf);
  if (named === undefined) return [];
  if (named === "malformed") return [reason("CERTIFICATE_MALFORMED")];
  return Buffer.compare(named, aaguid) === 0 ? [] : [reason("AAGUID_MISMATCH")];
}

function aaguidOf(leaf: Certificate): Uint8Array | undefined | "malformed" {
  const extension = leaf.extensions.get(AAGUID_EXTENSION);
  if (extension === undefined) return undefined;
  try {
    const { content } = readDer(extension.value, TAG.octetString);
    return content.length === 16 && !extension.critical ? content : "malformed";
  } catch (error) {
    if (error instanceof DerError) return "malformed";
    throw error;
  }
}

function readCertificates(x5c: CborValue | undefined): Certificate[] | undefined {
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > MOST_CERTIFICATES) return undefined;
  const certificates = x5c.map((der) => (der instanceof Uint8Array ? parseCertificate(der) : undefined));
  return certificates.every((one) => one !== undefined) ? certificates : undefined;
}

// COSE algorithm: the kind of key, its curve, and the digest.
const SIGNATURE_OF: ReadonlyMap<number, readonly [string, string | undefined, string | null]> = new Map([
  [ES256, ["ec", "prime256v1", "sha256"]],
  [-35, ["ec", "secp384r1", "sha384"]],
  [-36, ["ec", "secp521r1", "sha512"]],
  [-257, ["rsa", undefined, "sha256"]],
  [EDDSA, ["ed25519", undefined, null]],
]);

function isSigned(alg: number, message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const [type, curve, digest] = SIGNATURE_OF.get(alg) ?? ["", undefined, null];
  if (key.asymmetricKeyType !== type || key.asymmetricKeyDetails?.namedCurve !== curve) return false;
  try {
    return verify(digest, message, key, signature);
  } catch {
    return false;
  }
}

function toKeyObject(key: CredentialPublicKey): KeyObject {
  const jwk =
    key.alg === "EdDSA"
      ? { kty: "OKP", crv: "Ed25519", x: base64url(key.key) }
      : { kty: "EC", crv: "P-256", x: base64url(key.point.subarray(1, 33)), y: base64url(key.point.subarray(33)) };
  return createPublicKey({ key: jwk, format: "jwk" });
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function decodeStatement({ attStmt }: Attestation): CborMap {
  const value = decodeCbor(attStmt);
  return value instanceof Map ? value : new Map();
}

function refused(why: AttestationReason): StatementVerdict {
  return { reasons: [why], certificates: [], aaguid: undefined };
}
