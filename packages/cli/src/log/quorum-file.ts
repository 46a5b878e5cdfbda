import { LogError, MAX_POLICY_BYTES, parseTlogPolicy, type TlogPolicy } from "@touchmark/log";
import { CliError } from "../error.ts";
import { readWhole } from "../files/read-file.ts";

/** A policy of witnesses. Throws `QUORUM_MALFORMED` and what the system throws. */
export function readQuorumFile(file: string): TlogPolicy {
  return parseQuorum(readWhole(file, MAX_POLICY_BYTES));
}

/** As {@link readQuorumFile}, of its bytes. */
export function parseQuorum(bytes: Uint8Array): TlogPolicy {
  try {
    return parseTlogPolicy(bytes);
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    const hint = "docs/spec/08-cosigning.md shows one: witness NAME VKEY ADDRESS, group NAME K NAME…, quorum NAME.";
    throw new CliError("QUORUM_MALFORMED", cause.message, hint, cause);
  }
}
