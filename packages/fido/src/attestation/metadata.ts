// FIDO Metadata Service 3.1: the file in which the FIDO Alliance lists models of keys, their makers' roots, and what became known of them.
import { verify } from "node:crypto";
import { isObject, type Json, type JsonObject, parseJson } from "@touchmark/core";
import { type Certificate, parseCertificate, subjectName } from "./certificate.ts";
import { checkChain } from "./chain.ts";
import { type AttestationReason, reason } from "./reason.ts";
import type { AttestationRoots } from "./roots.ts";

export interface MetadataRequest {
  /** The signed file as it was fetched. */
  readonly blob: Uint8Array;
  /** Who may sign for the signer's name: the root of the authority that the FIDO Alliance uses. */
  readonly signers: AttestationRoots;
  /** Seconds since 1970. */
  readonly time: number;
}

export interface Metadata {
  /** Why nothing in it is believed; empty if it is. */
  readonly reasons: readonly AttestationReason[];
  /** Serial number, which grows with each issue; undefined if it can't be read. */
  readonly number: number | undefined;
  /** `2026-12-01`. */
  readonly nextUpdate: string | undefined;
  /** The model with this AAGUID (32 hex digits), or that names one of these key identifiers; never one that is not believed. */
  find(aaguid: string | undefined, keyIdentifiers: readonly string[]): MetadataModel | undefined;
}

export interface MetadataModel {
  /** Foreign text. */
  readonly description: string;
  /** Who vouches for the attestation certificates of the model; may be such a certificate itself. */
  readonly anchors: readonly Certificate[];
  /** Statuses for which keys of the model are not to be relied on, as the metadata names them. */
  readonly compromises: readonly string[];
}

/** The name that the signer's certificate must be for: the authority above it signs for all the world. */
const SIGNER = "mds.fidoalliance.org";
const MAX_BLOB = 32 * 1024 * 1024;
const MOST_CERTIFICATES = 8;
const DAY = 86_400;

/** Reads a metadata file and checks its signature, signer and date. */
export function checkMetadata({ blob, signers, time }: MetadataRequest): Metadata {
  const parts = splitJws(blob);
  if (parts === undefined) return unusable(reason("METADATA_MALFORMED", "it is no signed file"));
  const { header, payload } = parts;
  const [leaf, ...others] = readX5c(header);
  if (leaf === undefined) return unusable(reason("METADATA_MALFORMED", "its signer's certificates are missing"));
  const chain = checkChain({
    leaf,
    intermediates: [...others, ...signers.intermediates],
    anchors: signers.anchors,
    time,
  });
  const reasons = chain.reasons.map((one) =>
    one.code === "ROOT_UNKNOWN" ? reason("METADATA_SIGNER_UNKNOWN", subjectName(leaf)) : one,
  );
  if (leaf.x509.checkHost(SIGNER, { wildcards: false }) === undefined)
    reasons.push(reason("METADATA_SIGNER_UNKNOWN", subjectName(leaf)));
  if (!isSigned(header["alg"], parts.signed, leaf, parts.signature)) reasons.push(reason("METADATA_FORGED"));
  const { no, nextUpdate, entries } = payload;
  if (typeof no !== "number" || typeof nextUpdate !== "string" || !Array.isArray(entries) || !DATE.test(nextUpdate))
    return unusable(...reasons, reason("METADATA_MALFORMED", "its number, date or entries are missing"));
  // The day named is its last.
  if (time >= Date.parse(`${nextUpdate}T00:00:00Z`) / 1000 + DAY) reasons.push(reason("METADATA_EXPIRED", nextUpdate));
  const find: Metadata["find"] = (aaguid, keyIdentifiers) =>
    reasons.length > 0 ? undefined : findModel(entries, aaguid, keyIdentifiers);
  return { reasons, number: no, nextUpdate, find };
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

interface Jws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

// RFC 7515 section 7.1, with a header that says nothing that would have to be understood.
function splitJws(blob: Uint8Array): Jws | undefined {
  if (blob.length > MAX_BLOB) return undefined;
  const parts = Buffer.from(blob).toString("latin1").trim().split(".");
  const [head = "", body = "", signature = ""] = parts;
  if (parts.length !== 3 || !parts.every(isBase64url)) return undefined;
  const header = readObject(head);
  const payload = readObject(body);
  if (header === undefined || payload === undefined || header["crit"] !== undefined) return undefined;
  return { header, payload, signed: Buffer.from(`${head}.${body}`), signature: Buffer.from(signature, "base64url") };
}

// The canonical form alone: no padding, no bits that mean nothing.
function isBase64url(text: string): boolean {
  return text !== "" && Buffer.from(text, "base64url").toString("base64url") === text;
}

function readObject(base64url: string): JsonObject | undefined {
  try {
    const value = parseJson(new Uint8Array(Buffer.from(base64url, "base64url")), { bytes: MAX_BLOB });
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readX5c({ x5c }: JsonObject): Certificate[] {
  if (!Array.isArray(x5c) || x5c.length > MOST_CERTIFICATES) return [];
  return readCertificates(x5c) ?? [];
}

function readCertificates(list: readonly Json[]): Certificate[] | undefined {
  const certificates = list.map((text) =>
    typeof text === "string" ? parseCertificate(new Uint8Array(Buffer.from(text, "base64"))) : undefined,
  );
  return certificates.every((one) => one !== undefined) ? certificates : undefined;
}

// RFC 7518 section 3.1; a name of the header chooses nothing that its key is not for.
function isSigned(
  alg: Json | undefined,
  signed: Uint8Array,
  { publicKey }: Certificate,
  signature: Uint8Array,
): boolean {
  const type = publicKey.asymmetricKeyType;
  const curve = publicKey.asymmetricKeyDetails?.namedCurve;
  try {
    if (alg === "RS256" && type === "rsa") return verify("sha256", signed, publicKey, signature);
    if (alg !== "ES256" || curve !== "prime256v1") return false;
    return verify("sha256", signed, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    return false;
  }
}

function findModel(
  entries: readonly Json[],
  aaguid: string | undefined,
  keyIdentifiers: readonly string[],
): MetadataModel | undefined {
  const entry = entries.filter(isObject).find((one) => {
    const named = one["aaguid"];
    if (typeof named === "string") return named.replaceAll("-", "").toLowerCase() === aaguid;
    const listed = one["attestationCertificateKeyIdentifiers"];
    return (
      Array.isArray(listed) && listed.some((id) => typeof id === "string" && keyIdentifiers.includes(id.toLowerCase()))
    );
  });
  const statement = entry?.["metadataStatement"];
  if (entry === undefined || !isObject(statement)) return undefined;
  const { description, attestationRootCertificates } = statement;
  const anchors = Array.isArray(attestationRootCertificates) ? attestationRootCertificates : [];
  return {
    description: typeof description === "string" ? description : "",
    // One that can't be read vouches for nobody.
    anchors: anchors.flatMap((one) => readCertificates([one]) ?? []),
    compromises: readCompromises(entry["statusReports"]),
  };
}

// MDS 3.1 section 3.1.4. Whether a later report takes an earlier one back can't be told from the file.
const COMPROMISES = new Set([
  "USER_VERIFICATION_BYPASS",
  "ATTESTATION_KEY_COMPROMISE",
  "USER_KEY_REMOTE_COMPROMISE",
  "USER_KEY_PHYSICAL_COMPROMISE",
  "REVOKED",
]);

function readCompromises(reports: Json | undefined): string[] {
  if (!Array.isArray(reports)) return [];
  const statuses = reports.map((report) => (isObject(report) ? report["status"] : undefined));
  return statuses.filter((status) => typeof status === "string" && COMPROMISES.has(status)).map(String);
}

function unusable(...reasons: readonly AttestationReason[]): Metadata {
  return { reasons, number: undefined, nextUpdate: undefined, find: () => undefined };
}
