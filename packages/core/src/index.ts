export type { Authority, AuthorityDraft, HeldKey } from "./authority.ts";
export { countHolders, encodeAuthority, parseAuthority } from "./authority.ts";
export type { Base64Decoder } from "./bytes.ts";
export {
  compareBytes,
  compareText,
  concatBytes,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  encodeUtf8,
  equalBytes,
  parseBase64,
  parseBase64Url,
  parseHex,
  parseUtf8,
} from "./bytes.ts";
export type { Claim, ClaimedPackage, EarlierVersions } from "./claim.ts";
export { encodeClaim, encodeEarlierLeaf, MAX_EARLIER } from "./claim.ts";
export type { Crypto } from "./crypto.ts";
export { encodeEcdsaDer, parseEcdsaDer } from "./ecdsa.ts";
export type { Envelope, EnvelopeSignature } from "./envelope.ts";
export {
  addSignature,
  encodeEnvelope,
  envelopeSignedBytes,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  parseSignatures,
  preAuthEncoding,
} from "./envelope.ts";
export type { CoreCode } from "./errors.ts";
export { CoreError } from "./errors.ts";
export type { Json, JsonLimits, JsonObject } from "./json.ts";
export { encodeCanonicalJson, isObject, parseCanonicalJson, parseJson } from "./json.ts";
export type { Key, KeyType } from "./key.ts";
export {
  encodeKey,
  isFingerprint,
  keyFingerprint,
  parseKey,
  parseKeyBlob,
  SK_ECDSA,
  SK_ED25519,
  USB_APPLICATION,
} from "./key.ts";
export type { PackageId } from "./package-id.ts";
export {
  encodePackageId,
  isHolder,
  isLogOrigin,
  isPackageName,
  isRegistryName,
  isVersion,
  packageIdHash,
  parsePackageId,
  parseReleaseId,
} from "./package-id.ts";
export type { Release, ReleasedVersion, ReleaseDraft } from "./release.ts";
export { encodeRelease } from "./release.ts";
export type { ClaimInForce, ClaimStatus, EntryPlace, PackageState } from "./rules.ts";
export {
  applyStatement,
  checkLog,
  checkReleaseSigners,
  CLAIM_WINDOW,
  claimStatus,
  refuseSecondRelease,
  releasesOf,
  UNCLAIMED,
} from "./rules.ts";
export { encodeArmoredSignature, parseArmoredSignature } from "./sshsig-armor.ts";
export type { BrowserAssertion, SignatureDemands, SshSignature } from "./sshsig.ts";
export {
  encodeSshSignature,
  FLAG_BE,
  FLAG_BS,
  FLAG_UP,
  FLAG_UV,
  NAMESPACE,
  parseSshSignature,
  signatureFromAssertion,
  signatureFromBrowser,
  signedBytes,
  verifySshSignature,
} from "./sshsig.ts";
export type { SignedStatement, Signer, Statement } from "./statement.ts";
export { openVouchedClaim, parseStatement, statementPackages, verifyEnvelope } from "./statement.ts";
export type { StatementSummary, SummarySection } from "./summary.ts";
export { describeLoss, describeThreshold, summarizeStatement } from "./summary.ts";
export { cleanText } from "./text.ts";
export type { Basis, Reason, ReasonCode, Verdict, VerdictStatus } from "./verdict.ts";
export { worstStatus } from "./verdict.ts";
export { enrolmentHash, verifyEnrolmentClientData } from "./webauthn.ts";
