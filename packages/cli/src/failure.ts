// The one place where what was thrown becomes an exit code and words. Errors are told apart by name, so that no package has to be
// loaded for its class.
import type { CoreCode, CoreError } from "@touchmark/core";
import type { FidoError, FidoErrorCode } from "@touchmark/fido";
import type { LogError, LogErrorCode } from "@touchmark/log";
import type { LogServerError, LogServerErrorCode } from "@touchmark/log-server";
import type { VerifyCode, VerifyError } from "@touchmark/verify";
import type { CliCode, CliError } from "./error.ts";

export const EXIT = { ok: 0, rejected: 1, usage: 2, unchecked: 3, key: 4 } as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

/** How a failure is shown: `message` is one sentence. */
export interface Failure {
  exit: Exit;
  code: string;
  message: string;
  hint: string;
  /** The number of the rule in docs/spec that refused it, where one did. */
  rule?: string;
}

/** The exit code and the words for anything that was thrown. */
export function explainFailure(error: unknown): Failure {
  if (isNamed<CliError>(error, "CliError")) return failure(CLI[error.code], error);
  if (isNamed<CoreError>(error, "CoreError"))
    return { ...failure(CORE[error.code] ?? EXIT.rejected, error), rule: error.rule };
  if (isNamed<VerifyError>(error, "VerifyError")) return failure(VERIFY[error.code] ?? EXIT.usage, error);
  if (isNamed<FidoError>(error, "FidoError")) return failure(FIDO[error.code] ?? EXIT.key, error);
  // Only a log that is served, or about to be, throws these here: its storage is not as it should be, or out of reach.
  if (isNamed<LogServerError>(error, "LogServerError")) {
    return failure(STORAGE_AWAY.has(error.code) ? EXIT.unchecked : EXIT.usage, error);
  }
  if (isNamed<LogError>(error, "LogError")) return explainLogError(error);
  if (isNamed<Error>(error, "AbortError")) {
    return { exit: EXIT.key, code: "CANCELLED", message: "Cancelled.", hint: "" };
  }
  if (isNamed<Error>(error, "TimeoutError")) {
    return { exit: EXIT.unchecked, code: "TIMEOUT", message: "There was no answer in time.", hint: "Try again." };
  }
  return explainSystemError(error) ?? internalError(error);
}

const CLI: Record<CliCode, Exit> = {
  USAGE: EXIT.usage,
  POLICY_EXISTS: EXIT.usage,
  POLICY_MISSING: EXIT.usage,
  FILE_TOO_LARGE: EXIT.usage,
  KEYS_MALFORMED: EXIT.usage,
  CARD_MALFORMED: EXIT.usage,
  EARLIER_MALFORMED: EXIT.usage,
  OUTBOX_MALFORMED: EXIT.usage,
  WATCH_MALFORMED: EXIT.usage,
  CONFIRMATION_NEEDED: EXIT.usage,
  REGISTRY_UNKNOWN: EXIT.usage,
  LOG_KEY_BAD: EXIT.usage,
  QUORUM_MALFORMED: EXIT.usage,
  LOG_SERVER_MISSING: EXIT.usage,
  NO_EVIDENCE: EXIT.unchecked,
  GIT_FAILED: EXIT.unchecked,
  PUBLISH_FAILED: EXIT.unchecked,
  NO_QUORUM: EXIT.rejected,
  NOT_THERE: EXIT.rejected,
  HELD_BEFORE: EXIT.rejected,
  NO_KEY: EXIT.key,
  SEVERAL_KEYS: EXIT.key,
  KEY_NOT_LISTED: EXIT.key,
  PIN_NEEDED: EXIT.key,
  PIN_DIFFERS: EXIT.key,
  BAD_OWN_SIGNATURE: EXIT.key,
  SSH_KEY_MALFORMED: EXIT.usage,
  SSH_KEYGEN: EXIT.key,
  NOT_CONFIRMED: EXIT.key,
  OTHER_STATEMENT: EXIT.rejected,
  OTHER_BYTES: EXIT.rejected,
  REGISTRY_UNREACHABLE: EXIT.unchecked,
  REGISTRY_ANSWER: EXIT.unchecked,
  NOT_PUBLISHED: EXIT.unchecked,
  NPM_UNAVAILABLE: EXIT.unchecked,
};

// A file that can't be read as what it should be; all the others are refusals by a rule.
const CORE: Partial<Record<CoreCode, Exit>> = {
  MALFORMED: EXIT.usage,
  TOO_LARGE: EXIT.usage,
  UNKNOWN_KIND: EXIT.usage,
  BAD_KEY: EXIT.usage,
};

// The others are files that are wrong.
const VERIFY: Partial<Record<VerifyCode, Exit>> = {
  MEMORY_UNUSABLE: EXIT.unchecked,
  PACKUMENT_MALFORMED: EXIT.unchecked,
  PACKUMENT_TOO_LARGE: EXIT.unchecked,
  PACKUMENT_HOST: EXIT.unchecked,
  UPSTREAM_UNREACHABLE: EXIT.unchecked,
  UPSTREAM_ANSWER: EXIT.unchecked,
  NPM_UNAVAILABLE: EXIT.unchecked,
  PROJECT_BUSY: EXIT.unchecked,
  INTEGRITY_MISSING: EXIT.rejected,
  INTEGRITY_MALFORMED: EXIT.rejected,
  INTEGRITY_WEAK: EXIT.rejected,
  INTEGRITY_AMBIGUOUS: EXIT.rejected,
  INTEGRITY_MISMATCH: EXIT.rejected,
  REQUEST_REFUSED: EXIT.rejected,
  INSTALLED_DIFFERS: EXIT.rejected,
};

// The others are about the key and its person.
const FIDO: Partial<Record<FidoErrorCode, Exit>> = {
  BAD_DEVICE_SPEC: EXIT.usage,
  BAD_STATE_FILE: EXIT.usage,
  BAD_ROOTS: EXIT.usage,
};

// The others: nothing that the log said could be relied on.
const LOG: Partial<Record<LogErrorCode, Exit>> = {
  BAD_KEY: EXIT.usage,
  BAD_ARGUMENT: EXIT.usage,
};

const STORAGE_AWAY: ReadonlySet<LogServerErrorCode> = new Set(["STORE_UNREACHABLE", "STORE_LOST", "STORE_FULL"]);

function explainLogError(error: LogError): Failure {
  const { code, refusal } = error;
  if (code === "REFUSED" && refusal && refusal.status < 500 && refusal.status !== 429) {
    // [L-22]: the log's own code and words say it best.
    const { message, hint, rule } = refusal;
    return { exit: EXIT.rejected, code: refusal.code === "" ? code : refusal.code, message, hint, rule };
  }
  const explained = failure(LOG[code] ?? EXIT.unchecked, error);
  const passing = code === "NETWORK" || code === "TIMEOUT" || code === "REFUSED";
  return passing && explained.hint === ""
    ? { ...explained, hint: "Check the network and log.url in touchmark.json; it does no harm to repeat the command." }
    : explained;
}

interface SystemError extends Error {
  code: string;
  path?: string;
  address?: string;
  port?: number;
}

function explainSystemError(error: unknown): Failure | undefined {
  const system = systemErrorIn(error);
  if (!system) return undefined;
  const { code, path, address, port } = system;
  const file = path === undefined ? "A file" : path;
  const place = address === undefined ? "The other side" : `${address}${port === undefined ? "" : `:${port}`}`;
  switch (code) {
    case "ENOENT":
      return { exit: EXIT.usage, code, message: `There is no ${path ?? "such file"}.`, hint: "" };
    case "EACCES":
    case "EPERM":
      return { exit: EXIT.usage, code, message: `No permission for ${path ?? place}.`, hint: "" };
    case "EISDIR":
      return { exit: EXIT.usage, code, message: `${file} is a folder, not a file.`, hint: "" };
    case "ENOTDIR":
      return { exit: EXIT.usage, code, message: `A part of ${path ?? "the path"} is not a folder.`, hint: "" };
    case "EEXIST":
      return { exit: EXIT.usage, code, message: `${file} exists already.`, hint: "" };
    case "EROFS":
      return { exit: EXIT.usage, code, message: `${file} lies on a read-only file system.`, hint: "" };
    case "ENOSPC":
      return { exit: EXIT.unchecked, code, message: "The disk is full.", hint: "" };
    case "EADDRINUSE":
      return {
        exit: EXIT.usage,
        code,
        message: `${place} is in use.`,
        hint: "Choose another --port; 0 takes a free one.",
      };
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EPIPE":
      return {
        exit: EXIT.unchecked,
        code,
        message: `${place} cannot be reached.`,
        hint: "Check the network, and try again.",
      };
    default:
      return undefined;
  }
}

// `fetch` hides the reason in the cause of its "fetch failed".
function systemErrorIn(error: unknown): SystemError | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string" && /^E[A-Z_]+$/.test(error.code)) return error as SystemError;
  return error.cause === error ? undefined : systemErrorIn(error.cause);
}

function internalError(error: unknown): Failure {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    exit: EXIT.unchecked,
    code: "INTERNAL",
    message: `internal error: ${what}`,
    hint: "This is a fault in Touchmark, not in your files; please report it with the output of the same command under TOUCHMARK_DEBUG=1.",
  };
}

function failure(exit: Exit, { code, message, hint }: { code: string; message: string; hint: string }): Failure {
  return { exit, code, message, hint };
}

function isNamed<E extends Error>(error: unknown, name: E["name"]): error is E {
  return error instanceof Error && error.name === name;
}
