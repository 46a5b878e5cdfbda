/** Everything that this package can hold against an input or the world. Closed: a caller may switch over it. */
export type VerifyCode =
  | "POLICY_MALFORMED"
  | "POLICY_MISSING"
  | "EXCEPTION_BAD"
  | "COMPANION_MALFORMED"
  | "MEMORY_UNUSABLE"
  | "LOCKFILE_MALFORMED"
  | "LOCKFILE_VERSION"
  | "LOCKFILE_TOO_LARGE"
  | "INTEGRITY_MISSING"
  | "INTEGRITY_MALFORMED"
  | "INTEGRITY_WEAK"
  | "INTEGRITY_AMBIGUOUS"
  | "INTEGRITY_MISMATCH"
  | "TARBALL_MALFORMED"
  | "TARBALL_TOO_LARGE"
  | "TARBALL_PATH"
  | "TARBALL_LINK"
  | "TARBALL_ENTRY_TYPE"
  | "TARBALL_DUPLICATE"
  | "TARBALL_OVERRIDE"
  | "TARBALL_TRAILING_DATA"
  | "TARBALL_PACKAGE_JSON"
  | "TARBALL_OTHER_PACKAGE"
  | "TARBALL_UNKNOWN"
  | "PACKUMENT_MALFORMED"
  | "PACKUMENT_TOO_LARGE"
  | "PACKUMENT_HOST"
  | "REGISTRY_UNKNOWN"
  | "UPSTREAM_UNREACHABLE"
  | "UPSTREAM_ANSWER"
  | "REQUEST_REFUSED"
  | "CHECK_FAILED"
  | "INSTALLED_DIFFERS"
  | "PROJECT_BUSY"
  | "NPM_ARGUMENT"
  | "NPM_SETTING"
  | "NPM_UNAVAILABLE";

/** `message` is one sentence, already cleaned of foreign control characters; `hint` says what to do about it (may be empty). */
export class VerifyError extends Error {
  readonly code: VerifyCode;
  readonly hint: string;

  constructor(code: VerifyCode, message: string, hint = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "VerifyError";
    this.code = code;
    this.hint = hint;
  }
}
