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
export type { Crypto } from "./crypto.ts";
export { encodeEcdsaDer, parseEcdsaDer } from "./ecdsa.ts";
export type { Envelope, EnvelopeSignature } from "./envelope.ts";
export {
  addSignature,
  encodeEnvelope,
  envelopeSignedBytes,
  MAX_ENVELOPE_BYTES,
  MAX_SIGNATURES,
  parseEnvelope,
  parseSignatures,
  preAuthEncoding,
} from "./envelope.ts";
export type { CoreCode } from "./errors.ts";
export { CoreError } from "./errors.ts";
export { endAdoption } from "./fold/adoption.ts";
export { applyRelease, applyStatement, checkLog } from "./fold/apply.ts";
export { charteredCommittees, countingMembers, partiesOf } from "./fold/committee.ts";
export { concernedKeys, concernedSubjects } from "./fold/concerned.ts";
export type { ActiveHold } from "./fold/hold.ts";
export { holdsOn } from "./fold/hold.ts";
export type { ProofLetter } from "./fold/letters.ts";
export { lackingLetters, proofLetters } from "./fold/letters.ts";
export type { JudgedRelease } from "./fold/release.ts";
export { isFrozen, judgeRelease, refuseSecondRelease, releasesOf } from "./fold/release.ts";
export { judgeReview } from "./fold/review.ts";
export { settle } from "./fold/settle.ts";
export type {
  AuthorityStep,
  Endorsement,
  EntryPlace,
  FundingTerms,
  Hold as HoldInForce,
  Line,
  PackageState,
  Pending,
  PendingAdoption,
  PendingChange,
  PendingFunding,
  RecordedProof,
  World,
} from "./fold/state.ts";
export { lineInForce, UNCLAIMED } from "./fold/state.ts";
export type { ClaimStatus } from "./fold/status.ts";
export { claimStatus, pinnedLine } from "./fold/status.ts";
export type { Stage, Transition } from "./fold/transitions.ts";
export { TRANSITIONS } from "./fold/transitions.ts";
export type { Window, WindowName } from "./fold/windows.ts";
export { DAY, windowEnd, WINDOWS } from "./fold/windows.ts";
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
export type { PackageId, SubjectId } from "./package-id.ts";
export {
  encodePackageId,
  isCommitteeId,
  isHolder,
  isLogId,
  isLogOrigin,
  isPackageId,
  isPackageName,
  isPackagePattern,
  isRegistryName,
  isSubjectId,
  isVersion,
  packageIdHash,
  parsePackageId,
  parseReleaseId,
  parseSubjectId,
} from "./package-id.ts";
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
export { openVouchedClaim, parseStatement, statementChains, verifyEnvelope, verifyEnvelopes } from "./statement.ts";
export type { Adopt, AdoptDraft } from "./statements/adopt.ts";
export { encodeAdopt } from "./statements/adopt.ts";
export type { AdoptFinal, AdoptFinalDraft } from "./statements/adopt-final.ts";
export { encodeAdoptFinal } from "./statements/adopt-final.ts";
export type { Change, ChangeDraft } from "./statements/change.ts";
export { encodeChange } from "./statements/change.ts";
export type { Claim, ClaimDraft, ClaimedPackage, EarlierVersions, PublishedVersion } from "./statements/claim.ts";
export { encodeClaim, encodeEarlierLeaf, MAX_EARLIER, NO_EARLIER } from "./statements/claim.ts";
export type { Details, Power } from "./statements/details.ts";
export type { Endorse, EndorsedClaim, EndorseDraft } from "./statements/endorse.ts";
export { encodeEndorse } from "./statements/endorse.ts";
export type { Funding, FundingChannel, FundingDraft } from "./statements/funding.ts";
export { encodeFunding } from "./statements/funding.ts";
export type { Hold, HoldDraft } from "./statements/hold.ts";
export { encodeHold } from "./statements/hold.ts";
export type { Lift, LiftDraft } from "./statements/lift.ts";
export { encodeLift } from "./statements/lift.ts";
export type { ClaimProof, Proof, ProofDraft } from "./statements/proof.ts";
export { encodeProof } from "./statements/proof.ts";
export type { Release, ReleasedVersion, ReleaseDraft } from "./statements/release.ts";
export { encodeRelease } from "./statements/release.ts";
export type { Review, ReviewDraft, ReviewedVersion } from "./statements/review.ts";
export { encodeReview } from "./statements/review.ts";
export type { Revoke, RevokeDraft } from "./statements/revoke.ts";
export { encodeRevoke } from "./statements/revoke.ts";
export type { Followed } from "./statements/subjects.ts";
export type { Veto, VetoDraft } from "./statements/veto.ts";
export { encodeVeto } from "./statements/veto.ts";
export type { SummarySection } from "./summary/phrases.ts";
export type { StatementSummary } from "./summary/summarize.ts";
export { describeLoss, describeThreshold } from "./summary/authority.ts";
export { summarizeStatement } from "./summary/summarize.ts";
export { cleanText } from "./text.ts";
export type { Basis, Reason, ReasonCode, Verdict, VerdictStatus } from "./verdict.ts";
export { worstStatus } from "./verdict.ts";
export { enrolmentHash, verifyEnrolmentClientData } from "./webauthn.ts";
