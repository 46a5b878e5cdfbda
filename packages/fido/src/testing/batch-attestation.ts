import { sign } from "node:crypto";
import {
  aaguidExtension,
  basicConstraints,
  type CertificateWish,
  type IssuedCertificate,
  issueCertificate,
  name,
} from "./certificate.ts";

export interface BatchAttestation {
  /** The batch certificate, DER. */
  readonly certificate: Uint8Array;
  /** Certificates between it and the root, DER. */
  readonly intermediates: readonly Uint8Array[];
  /** The root that signed it, DER: what a verifier would have to trust. */
  readonly root: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** A root and a batch certificate for `aaguid`, freshly made; `changes` make a batch that is to be refused, or of another maker. */
export function createBatchAttestation(
  aaguid: Uint8Array,
  changes: Partial<CertificateWish> = {},
  between: readonly IssuedCertificate[] = [],
): BatchAttestation {
  const root = between[0] ?? createAttestationRoot();
  const batch = issueCertificate({
    subject: BATCH_NAME,
    issuer: between.at(-1) ?? root,
    serial: 2,
    extensions: [basicConstraints(false), aaguidExtension(aaguid)],
    ...changes,
  });
  return {
    certificate: batch.der,
    intermediates: between.slice(1).map(({ der }) => der),
    root: root.der,
    sign: (message) => new Uint8Array(sign("sha256", message, batch.privateKey)),
  };
}

export function createAttestationRoot(changes: Partial<CertificateWish> = {}): IssuedCertificate {
  const subject = name({
    country: "ZZ",
    organisation: "Touchmark test",
    commonName: "Touchmark test root, NOT hardware",
  });
  return issueCertificate({ subject, extensions: [basicConstraints(true)], ...changes });
}

/** WebAuthn Level 3 section 8.2.1. */
const BATCH_NAME: Buffer = name({
  country: "ZZ",
  organisation: "Touchmark test",
  unit: "Authenticator Attestation",
  commonName: "Touchmark software authenticator, NOT hardware",
});
