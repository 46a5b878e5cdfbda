/** A disk of this machine that is full. */
import { LogServerError } from "../error.ts";

const SQLITE_FULL = 13;

/** What the system, or SQLite, says of a disk that is full, as an error of this package; any other error as it is. */
export function namedIfFull(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? error.code : undefined;
  const full = code === "ENOSPC" || code === "EDQUOT" || ("errcode" in error && error.errcode === SQLITE_FULL);
  return full
    ? new LogServerError("STORE_FULL", "The disk of the log's folder is full.", "Make room there.", error)
    : error;
}
