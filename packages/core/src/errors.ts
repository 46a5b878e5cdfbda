/** Everything that core can hold against an input. Closed: a caller may switch over it. */
export type CoreCode =
  | "MALFORMED"
  | "TOO_LARGE"
  | "UNKNOWN_KIND"
  | "BAD_KEY"
  | "BAD_SIGNATURE"
  | "WRONG_KEY"
  | "WRONG_APPLICATION"
  | "WRONG_CHALLENGE"
  | "WRONG_ORIGIN"
  | "NO_USER_PRESENCE"
  | "NO_USER_VERIFICATION"
  | "NOT_DEVICE_BOUND"
  | "BAD_FLAGS"
  | "THRESHOLD"
  | "MISSING_POSSESSION"
  | "WRONG_LOG"
  | "WRONG_PREVIOUS"
  | "NOT_CLAIMED"
  | "ALREADY_CLAIMED"
  | "ALREADY_RELEASED"
  | "EQUIVOCATION"
  | "PROOF_NEEDED"
  | "PROOF_WRONG"
  | "TOO_MANY_CLAIMS"
  | "NOT_CHARTERED"
  | "NOT_PENDING"
  | "REVOKED_KEY"
  | "FROZEN"
  | "NOT_RECOGNISED"
  | "NO_POWER"
  | "HOLD_NEEDS_OSV"
  | "RENEWED_OUT"
  | "HELD_BEFORE"
  | "NOT_DORMANT"
  | "ADOPTION_REFUSED"
  | "TOO_EARLY"
  | "SIGN_OF_LIFE";

/**
 * Broken or inadmissible input. `rule` is the number of the rule in docs/spec that refused it, `message` one sentence,
 * `hint` what to do about it (may be empty).
 */
export class CoreError extends Error {
  readonly code: CoreCode;
  readonly rule: string;
  readonly hint: string;

  constructor(code: CoreCode, rule: string, message: string, hint = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CoreError";
    this.code = code;
    this.rule = rule;
    this.hint = hint;
  }
}

/** Throws `MALFORMED` under the given rule unless the condition holds. */
export function require(condition: boolean, rule: string, message: string, hint = ""): asserts condition {
  if (!condition) throw new CoreError("MALFORMED", rule, message, hint);
}
