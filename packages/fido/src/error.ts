/** Everything that can go wrong between a person and a security key. */
export type FidoErrorCode =
  | "NO_DEVICE"
  | "SEVERAL_DEVICES"
  | "DEVICE_GONE"
  | "DEVICE_BUSY"
  | "DEVICE_SILENT"
  | "DEVICE_GARBAGE"
  | "DEVICE_REFUSED"
  | "NOT_FIDO"
  | "KEY_UNABLE"
  | "NO_PERMISSION"
  | "LIBRARY_MISSING"
  | "BAD_DEVICE_SPEC"
  | "BAD_STATE_FILE"
  | "BAD_ROOTS"
  | "BAD_TRACE"
  | "BAD_REQUEST"
  | "PIN_WRONG"
  | "PIN_AUTH_BLOCKED"
  | "PIN_BLOCKED"
  | "PIN_NOT_SET"
  | "PIN_POLICY"
  | "PIN_SET_ALREADY"
  | "PIN_CHANGE_NEEDED"
  | "UV_UNAVAILABLE"
  | "UV_FAILED"
  | "UV_BLOCKED"
  | "TOUCH_TIMEOUT"
  | "CANCELLED"
  | "ALGORITHM_UNSUPPORTED"
  | "CREDENTIAL_UNKNOWN"
  | "CREDENTIAL_EXCLUDED"
  | "BROWSER_UNREACHABLE"
  | "BROWSER_REFUSED"
  | "BROWSER_LINK_USED"
  | "BROWSER_OVER"
  | "BROWSER_GARBAGE";

export interface FidoErrorDetails {
  readonly hint?: string;
  readonly cause?: unknown;
  /** The CTAP2 status byte, where the key itself refused. */
  readonly status?: number;
  /** PIN attempts that the key still allows, where it said so. */
  readonly retries?: number;
}

/** The one error of this package. `message` is one sentence; `hint`, if not empty, says what to do. */
export class FidoError extends Error {
  override readonly name = "FidoError";
  readonly code: FidoErrorCode;
  readonly hint: string;
  readonly status: number | undefined;
  readonly retries: number | undefined;

  constructor(code: FidoErrorCode, message: string, details: FidoErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint ?? "";
    this.status = details.status;
    this.retries = details.retries;
  }
}
