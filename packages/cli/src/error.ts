/** What the command line itself can hold against its input. Everything else is said by the packages below. */
export type CliCode =
  | "USAGE"
  | "POLICY_EXISTS"
  | "POLICY_MISSING"
  | "FILE_TOO_LARGE"
  | "KEYS_MALFORMED"
  | "CARD_MALFORMED"
  | "EARLIER_MALFORMED"
  | "OUTBOX_MALFORMED"
  | "WATCH_MALFORMED"
  | "NO_EVIDENCE"
  | "GIT_FAILED"
  | "PUBLISH_FAILED"
  | "NO_QUORUM"
  | "NOT_THERE"
  | "HELD_BEFORE"
  | "NO_KEY"
  | "SEVERAL_KEYS"
  | "KEY_NOT_LISTED"
  | "PIN_NEEDED"
  | "PIN_DIFFERS"
  | "BAD_OWN_SIGNATURE"
  | "SSH_KEY_MALFORMED"
  | "SSH_KEYGEN"
  | "CONFIRMATION_NEEDED"
  | "NOT_CONFIRMED"
  | "OTHER_STATEMENT"
  | "OTHER_BYTES"
  | "REGISTRY_UNKNOWN"
  | "REGISTRY_UNREACHABLE"
  | "REGISTRY_ANSWER"
  | "NOT_PUBLISHED"
  | "LOG_KEY_BAD"
  | "QUORUM_MALFORMED"
  | "LOG_SERVER_MISSING"
  | "NPM_UNAVAILABLE";

/** `message` is one sentence, cleaned of foreign control characters; `hint` says what to do about it (may be empty). */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliCode;
  readonly hint: string;

  constructor(code: CliCode, message: string, hint = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}
