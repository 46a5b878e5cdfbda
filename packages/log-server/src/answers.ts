/** What goes back over HTTP: bodies with their cache rules, and refusals. */
import type { ServerResponse } from "node:http";
import { cleanText, CoreError, type CoreCode } from "@touchmark/core";
import { LogServerError, type LogServerErrorCode } from "./error.ts";

/** `cache` is the value of Cache-Control. */
export type Answer = {
  readonly status: number;
  readonly type: string;
  readonly cache: string;
  readonly body: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
};

export const FOREVER = "public, max-age=31536000, immutable";
export const NEVER = "no-store";
/** May be kept, but has to be asked for again each time. */
export const RECHECK = "no-cache";

/** The bytes of its body. */
export function sendAnswer(response: ServerResponse, answer: Answer, withBody: boolean): number {
  const { body } = answer;
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  response.writeHead(answer.status, {
    "content-type": answer.type,
    "content-length": length,
    "cache-control": answer.cache,
    "x-content-type-options": "nosniff",
    ...answer.headers,
  });
  response.end(withBody ? body : undefined);
  return length;
}

/** [L-22] Whatever was thrown, as a refusal that tells nothing of the log's inside. */
export function refusalOf(error: unknown): Answer {
  const known = error instanceof CoreError || error instanceof LogServerError ? error : undefined;
  const code = known?.code ?? "INTERNAL";
  const status = STATUS[code];
  const message = cleanText(known?.message ?? "Something went wrong inside the log.");
  const hint = cleanText(known?.hint ?? "");
  const rule = known instanceof CoreError ? known.rule : "";
  return {
    status,
    type: "application/json",
    cache: NEVER,
    body: `${JSON.stringify({ code, message, hint, ...(rule === "" ? {} : { rule }) })}\n`,
    ...(status === 429 || status === 503 ? { headers: { "retry-after": "10" } } : {}),
  };
}

/** 400 malformed, 404 unknown, 409 against the package's state, 413 too large, 422 against another rule of chapter 03. */
const STATUS: Record<CoreCode | LogServerErrorCode, number> = {
  MALFORMED: 400,
  UNKNOWN_KIND: 400,
  UNKNOWN: 404,
  METHOD: 405,
  SLOW: 408,
  ALREADY_CLAIMED: 409,
  ALREADY_RELEASED: 409,
  EQUIVOCATION: 409,
  NOT_CLAIMED: 409,
  WRONG_PREVIOUS: 409,
  ADOPTION_REFUSED: 409,
  FROZEN: 409,
  NOT_DORMANT: 409,
  NOT_PENDING: 409,
  PROOF_NEEDED: 409,
  PROOF_WRONG: 422,
  PROOF_UNCHECKED: 503,
  RENEWED_OUT: 409,
  HELD_BEFORE: 409,
  SIGN_OF_LIFE: 409,
  TOO_EARLY: 409,
  TOO_MANY_CLAIMS: 409,
  TOO_LARGE: 413,
  BAD_FLAGS: 422,
  BAD_KEY: 422,
  BAD_SIGNATURE: 422,
  EARLIER_MISSING: 422,
  HOLD_NEEDS_OSV: 422,
  NOT_CHARTERED: 422,
  NOT_RECOGNISED: 422,
  NO_POWER: 422,
  REVOKED_KEY: 422,
  EARLIER_WRONG: 422,
  MISSING_POSSESSION: 422,
  NOT_DEVICE_BOUND: 422,
  NO_USER_PRESENCE: 422,
  NO_USER_VERIFICATION: 422,
  THRESHOLD: 422,
  WRONG_APPLICATION: 422,
  WRONG_CHALLENGE: 422,
  WRONG_KEY: 422,
  WRONG_LOG: 422,
  WRONG_ORIGIN: 422,
  TOO_MANY: 429,
  BAD_ANSWER: 500,
  BAD_QUORUM: 500,
  INTERNAL: 500,
  SET_BACK: 500,
  STORE_CHANGED: 500,
  STORE_DAMAGED: 500,
  STORE_EXISTS: 500,
  STORE_FOREIGN: 500,
  STORE_FORMAT: 500,
  STORE_LOCKED: 500,
  STORE_LOST: 500,
  STORE_UNSAFE: 500,
  DRIVER_MISSING: 500,
  BAD_ADDRESS: 500,
  STORE_MISSING: 500,
  STORE_OLD: 500,
  WRONG_CHECKPOINT: 500,
  NOT_WITNESSED: 503,
  STOPPED: 503,
  STORE_FULL: 503,
  STORE_UNREACHABLE: 503,
};
