/** Everything that can be wrong with the store, a request, or the server's own state. */
export type LogServerErrorCode =
  | "STORE_MISSING"
  | "STORE_EXISTS"
  | "STORE_LOCKED"
  | "STORE_FOREIGN"
  | "STORE_FORMAT"
  | "STORE_DAMAGED"
  | "STORE_OLD"
  | "STORE_CHANGED"
  | "STORE_UNREACHABLE"
  | "STORE_FULL"
  | "STORE_UNSAFE"
  | "DRIVER_MISSING"
  | "BAD_ADDRESS"
  | "STORE_LOST"
  | "WRONG_CHECKPOINT"
  | "EARLIER_MISSING"
  | "EARLIER_WRONG"
  | "PROOF_UNCHECKED"
  | "MALFORMED"
  | "UNKNOWN"
  | "METHOD"
  | "TOO_LARGE"
  | "TOO_MANY"
  | "SLOW"
  | "STOPPED"
  | "NOT_WITNESSED"
  | "BAD_QUORUM"
  | "BAD_ANSWER"
  | "SET_BACK"
  | "INTERNAL";

/** The one error of this package. `message` is one sentence; `hint`, if not empty, says what to do. */
export class LogServerError extends Error {
  override readonly name = "LogServerError";
  readonly code: LogServerErrorCode;
  readonly hint: string;

  constructor(code: LogServerErrorCode, message: string, hint = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}
