/** Why a package (or the evidence as a whole) was not simply accepted. Closed: reports and exit codes are derived from it. */
export type ReasonCode =
  // the evidence as a whole
  | "EVIDENCE_MISSING"
  | "EVIDENCE_MALFORMED"
  | "CHECKPOINT_BAD"
  | "QUORUM"
  | "PROOF_BAD"
  | "ROLLBACK"
  | "FORK"
  | "STALE"
  | "LOG_UNREACHABLE"
  // where a package comes from
  | "SOURCE_REFUSED"
  | "WRONG_ADDRESS"
  | "INTEGRITY_MISSING"
  | "INTEGRITY_WEAK"
  | "INTEGRITY_AMBIGUOUS"
  | "NAME_MALFORMED"
  // what was signed
  | "NOT_SIGNED"
  | "NOT_CLAIMED"
  | "WRONG_DIGEST"
  | "WRONG_KEY"
  | "THRESHOLD"
  | "SIGNATURE_BAD"
  | "RULE_BROKEN"
  | "EQUIVOCATION"
  | "AUTHORITY_CHANGED"
  | "TARBALL_BAD"
  | "CLAIM_PENDING"
  | "FROZEN"
  // committees
  | "HELD"
  | "NOT_REVIEWED"
  | "EXPEDITED"
  | "COMMITTEE_UNCHECKED"
  | "COMMITTEE_UNRECOGNISED"
  // what the policy demands of keys
  | "KEY_NOT_VERIFIED"
  | "KEY_COPYABLE"
  | "KEY_NOT_ATTESTED"
  | "KEY_ATTESTATION_FORGED"
  | "KEY_ATTESTATION_EXPIRED"
  | "KEY_ROOT_UNKNOWN"
  | "KEY_MODEL_MISMATCH"
  | "KEY_MODEL_FORBIDDEN"
  | "KEY_FIRMWARE_FORBIDDEN"
  | "KEY_UNCHECKED"
  // exceptions
  | "EXCEPTION_USED"
  | "EXCEPTION_UNUSED";

/** One reason: the code, the numbered step of the spec that gave it, one sentence, and what to do about it. */
export interface Reason {
  code: ReasonCode;
  step: string;
  message: string;
  hint: string;
}

export type VerdictStatus = "accepted" | "rejected" | "unchecked";

/**
 * What an acceptance rests on: a release, a claim's list of earlier versions, proof that nobody claimed the package, an exception, being part of
 * the repository itself (`local`) or of another package's tarball (`bundled`), or a `source` that the policy allows.
 */
export type Basis = "release" | "earlier" | "unclaimed" | "exception" | "local" | "bundled" | "source";

/** What is said of one package. "Could not check" is a status of its own and never counts as accepted. */
export interface Verdict {
  /** `npm:registry/name`, or null when the entry belongs to no registry. */
  packageId: string | null;
  name: string;
  version: string;
  status: VerdictStatus;
  basis: Basis | null;
  /** Holders whose keys signed the release. */
  signers: string[];
  /** False under the level `observe`: the verdict is reported and doesn't count against the run [V-20]. */
  enforced: boolean;
  reasons: Reason[];
}

/** The outcome of several verdicts: rejected before unchecked before accepted, of those that are enforced. */
export function worstStatus(verdicts: Iterable<Pick<Verdict, "status" | "enforced">>): VerdictStatus {
  let worst: VerdictStatus = "accepted";
  for (const { status, enforced } of verdicts) {
    if (!enforced) continue;
    if (status === "rejected") return "rejected";
    if (status === "unchecked") worst = "unchecked";
  }
  return worst;
}
