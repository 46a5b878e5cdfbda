// RFC 5280 section 6, for chains of a few certificates under roots that the user has named.
import { type Certificate, isSignedBy, subjectName } from "./certificate.ts";
import { type AttestationReason, reason } from "./reason.ts";

export interface ChainRequest {
  readonly leaf: Certificate;
  /** What came with the leaf, and what lay beside the roots: each is good only if a root vouches for it. */
  readonly intermediates: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  /** Seconds since 1970. */
  readonly time: number;
}

export interface ChainVerdict {
  /** From the leaf to the anchor; empty if there is none. */
  readonly path: readonly Certificate[];
  readonly reasons: readonly AttestationReason[];
}

const LONGEST_PATH = 6;
/** Certificates that all name one another would otherwise be tried in every order. */
const MOST_SIGNATURES = 64;

/** Whether an anchor vouches for the leaf [K-21], and if not, why. An anchor may be the leaf itself. */
export function checkChain(request: ChainRequest): ChainVerdict {
  const { leaf, time } = request;
  const search: Search = { forged: new Set(), signaturesLeft: MOST_SIGNATURES };
  const path = findPath(request, [leaf], search);
  if (path === undefined) {
    const [bad] = search.forged;
    const missing =
      bad === undefined ? reason("ROOT_UNKNOWN", subjectName(leaf)) : reason("CERTIFICATE_FORGED", subjectName(bad));
    return { path: [], reasons: [missing, ...checkCertificate(leaf, 0, time)] };
  }
  const reasons = path.flatMap((certificate, below) => checkCertificate(certificate, below, time));
  // How the anchor was signed matters to nobody: the user has named it.
  const weak = path.slice(0, -1).filter(({ signatureAlgorithm }) => !SIGNATURES.has(signatureAlgorithm));
  reasons.push(
    ...weak.map((one) =>
      reason("CERTIFICATE_UNFIT", `${subjectName(one)} is signed with an algorithm that is not trusted`),
    ),
  );
  return { path, reasons };
}

interface Search {
  /** Those that name an issuer who is here and did not sign them. */
  readonly forged: Set<Certificate>;
  signaturesLeft: number;
}

function findPath(
  request: ChainRequest,
  soFar: readonly Certificate[],
  search: Search,
): readonly Certificate[] | undefined {
  const last = soFar.at(-1);
  if (last === undefined || soFar.length > LONGEST_PATH) return undefined;
  if (request.anchors.some(({ der }) => Buffer.compare(der, last.der) === 0)) return soFar;
  for (const issuer of [...request.anchors, ...request.intermediates]) {
    if (soFar.includes(issuer) || !last.x509.checkIssued(issuer.x509)) continue;
    if (--search.signaturesLeft < 0) return undefined;
    if (!isSignedBy(last, issuer)) {
      search.forged.add(last);
      continue;
    }
    const path = findPath(request, [...soFar, issuer], search);
    if (path !== undefined) return path;
  }
  return undefined;
}

// Extensions that this file, checkIssued or the reader of attestations takes into account, or that only narrow the use to less than ours.
const UNDERSTOOD = new Set([
  "2.5.29.19", // basicConstraints
  "2.5.29.15", // keyUsage, by checkIssued
]);

// RFC 8017, 5758, 8410: RSA with SHA-2, RSA-PSS, ECDSA with SHA-2, Ed25519. SHA-1 and what is older can be forged.
const SIGNATURES = new Set([
  "1.2.840.113549.1.1.11",
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
  "1.2.840.113549.1.1.10",
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
  "1.3.101.112",
]);

const LEAST_RSA_BITS = 2048;

// `below`: how many certificates of the path this one vouches for, 0 for the leaf.
function checkCertificate(certificate: Certificate, below: number, time: number): AttestationReason[] {
  const name = subjectName(certificate);
  const reasons: AttestationReason[] = [];
  if (time > certificate.notAfter) reasons.push(reason("CERTIFICATE_EXPIRED", name));
  if (time < certificate.notBefore) reasons.push(reason("CERTIFICATE_NOT_YET_VALID", name));
  const unfit = (detail: string): void => void reasons.push(reason("CERTIFICATE_UNFIT", `${name} ${detail}`));
  if (below > 0) {
    const { basicConstraints } = certificate;
    if (basicConstraints?.isCa !== true) unfit("may not issue any");
    else if (basicConstraints.pathLength !== undefined && below - 1 > basicConstraints.pathLength)
      unfit("may not issue for so long a chain");
  }
  for (const [oid, { critical }] of certificate.extensions)
    if (critical && !UNDERSTOOD.has(oid)) unfit(`has a critical extension that is not known (${oid})`);
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  if (asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_RSA_BITS)
    unfit("has too short a key");
  return reasons;
}
