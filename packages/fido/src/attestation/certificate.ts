// RFC 5280. node:crypto checks signatures and who issued what; what it does not show is read here from the DER.
import { hash, type KeyObject, X509Certificate } from "node:crypto";
import {
  childrenOf,
  type Der,
  DerError,
  readBoolean,
  readDer,
  readOid,
  readSmallInteger,
  readText,
  readTime,
  TAG,
} from "./der.ts";

export interface Certificate {
  readonly der: Uint8Array;
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  /** 1, 2 or 3. */
  readonly version: number;
  /** By object identifier; the values of attributes that stand once. */
  readonly subject: ReadonlyMap<string, string>;
  /** Seconds since 1970; both are within the validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: ReadonlyMap<string, Extension>;
  /** undefined: the extension is not there. `pathLength` undefined: any. */
  readonly basicConstraints: { readonly isCa: boolean; readonly pathLength: number | undefined } | undefined;
  readonly signatureAlgorithm: string;
}

export interface Extension {
  readonly critical: boolean;
  /** The DER inside. */
  readonly value: Uint8Array;
}

export const ATTRIBUTE = {
  country: "2.5.4.6",
  organisation: "2.5.4.10",
  unit: "2.5.4.11",
  commonName: "2.5.4.3",
} as const;

const BASIC_CONSTRAINTS = "2.5.29.19";
const MAX_CERTIFICATE = 8192;

/** Reads a certificate, to its last byte; undefined if it is none. */
export function parseCertificate(der: Uint8Array): Certificate | undefined {
  if (der.length > MAX_CERTIFICATE) return undefined;
  try {
    return readCertificate(new Uint8Array(der));
  } catch {
    // DER that is none, a certificate that OpenSSL can't read, or a key that it doesn't know.
    return undefined;
  }
}

/** What people know it by, as the certificate says it; foreign text. */
export function subjectName({ subject }: Certificate): string {
  return subject.get(ATTRIBUTE.commonName) ?? subject.get(ATTRIBUTE.organisation) ?? "a certificate without a name";
}

/** RFC 5280 section 4.2.1.2, method 1, in hex: by which metadata finds the certificates of U2F keys. */
export function keyIdentifier({ publicKey }: Certificate): string {
  const [, bits] = childrenOf(readDer(publicKey.export({ format: "der", type: "spki" })), TAG.sequence);
  return hash("sha1", bits?.content.subarray(1) ?? new Uint8Array(), "hex");
}

/** RFC 5280 section 6.1.3: `issuer` signed `certificate`, and may. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return certificate.x509.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function readCertificate(der: Uint8Array): Certificate {
  const [tbs, algorithm] = childrenOf(readDer(der), TAG.sequence);
  if (tbs === undefined || algorithm === undefined) throw new DerError("no certificate");
  const parts = childrenOf(tbs, TAG.sequence);
  const versionPart = parts[0]?.tag === 0xa0 ? parts.shift() : undefined;
  const [, , , validity, subject] = parts;
  if (validity === undefined || subject === undefined) throw new DerError("no certificate");
  const [notBefore, notAfter] = childrenOf(validity, TAG.sequence);
  if (notBefore === undefined || notAfter === undefined) throw new DerError("no validity");
  const extensions = readExtensions(parts.find(({ tag }) => tag === 0xa3));
  const x509 = new X509Certificate(der);
  return {
    der,
    x509,
    publicKey: x509.publicKey,
    version: versionPart === undefined ? 1 : readSmallInteger(readDer(versionPart.content)) + 1,
    subject: readName(subject),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    extensions,
    basicConstraints: readBasicConstraints(extensions.get(BASIC_CONSTRAINTS)),
    signatureAlgorithm: readOid(firstOf(algorithm)),
  };
}

function readName(name: Der): Map<string, string> {
  const values = new Map<string, string>();
  for (const part of childrenOf(name, TAG.sequence)) {
    for (const attribute of childrenOf(part, TAG.set)) {
      const [type, value] = childrenOf(attribute, TAG.sequence);
      if (type === undefined || value === undefined) throw new DerError("a name of another form");
      const oid = readOid(type);
      // Of an attribute that stands twice nobody could say which one counts.
      if (values.has(oid)) throw new DerError("an attribute twice");
      values.set(oid, readText(value));
    }
  }
  return values;
}

function readExtensions(part: Der | undefined): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  if (part === undefined) return extensions;
  for (const extension of childrenOf(readDer(part.content), TAG.sequence)) {
    const [type, ...rest] = childrenOf(extension, TAG.sequence);
    const value = rest.at(-1);
    if (type === undefined || value?.tag !== TAG.octetString || rest.length > 2)
      throw new DerError("an extension of another form");
    const [critical] = rest.length === 2 ? rest : [];
    const oid = readOid(type);
    if (extensions.has(oid)) throw new DerError("an extension twice");
    extensions.set(oid, { critical: critical !== undefined && readBoolean(critical), value: value.content });
  }
  return extensions;
}

function readBasicConstraints(extension: Extension | undefined): Certificate["basicConstraints"] {
  if (extension === undefined) return undefined;
  const parts = childrenOf(readDer(extension.value), TAG.sequence);
  const first = parts[0]?.tag === TAG.boolean ? parts.shift() : undefined;
  const [length] = parts;
  return {
    isCa: first !== undefined && readBoolean(first),
    pathLength: length === undefined ? undefined : readSmallInteger(length),
  };
}

function firstOf(element: Der): Der {
  const [first] = childrenOf(element, TAG.sequence);
  if (first === undefined) throw new DerError("an empty sequence");
  return first;
}
