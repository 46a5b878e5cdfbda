/** Everything that can go wrong while reading, proving or fetching. */
export type LogErrorCode =
  | "BAD_NOTE"
  | "BAD_KEY"
  | "BAD_CHECKPOINT"
  | "BAD_TILE"
  | "BAD_PROOF"
  | "BAD_ENTRY"
  | "BAD_RECORD"
  | "BAD_EVIDENCE"
  | "BAD_ANSWER"
  | "BAD_ARGUMENT"
  | "BAD_POLICY"
  | "BAD_REQUEST"
  | "UNSUPPORTED"
  | "UNSIGNED"
  | "WRONG_ORIGIN"
  | "WRONG_HASH"
  | "FORK"
  | "ROLLBACK"
  | "NOT_FOUND"
  | "NOT_LOGGED"
  | "REFUSED"
  | "TOO_LARGE"
  | "TIMEOUT"
  | "NETWORK";

/** Two notes of one log. */
export type NotePair = {
  readonly older: string;
  readonly newer: string;
  /**
   * Where they contradict each other and differ in size: the root that the newer tree's beginning of the older one's size has, and the consistency proof
   * of that. With it the two notes prove the contradiction to anybody.
   */
  readonly prefix?: { readonly root: Uint8Array; readonly proof: readonly Uint8Array[] };
};

export type LogErrorOptions = { hint?: string; cause?: unknown; notes?: NotePair; refusal?: Refusal };

/** What a log said when it refused a request ([L-22]). Its texts are cleaned. */
export type Refusal = {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** The number of the rule that refused it; empty where the log names none. */
  readonly rule: string;
};

/** The one error of this package. `message` is one sentence; `hint`, if not empty, says what to do. */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly code: LogErrorCode;
  readonly hint: string;
  /** Set when `code` is `FORK` or `ROLLBACK`. */
  readonly notes: NotePair | undefined;
  /** Set when `code` is `REFUSED` or `NOT_FOUND`. */
  readonly refusal: Refusal | undefined;

  constructor(code: LogErrorCode, message: string, options: LogErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? "";
    this.notes = options.notes;
    this.refusal = options.refusal;
  }
}
