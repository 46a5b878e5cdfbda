import type { Json } from "@touchmark/core";
import { LogError, MAX_POLICY_BYTES, parseTlogPolicy, type TlogPolicy } from "@touchmark/log";

/**
 * Reads `log.quorum`: the lines of a policy of witnesses [P-10] to [P-12]. Null where no cosignatures are demanded; what is wrong is added to `problems`.
 */
export function readQuorum(value: Json | undefined, problems: string[]): TlogPolicy | null {
  if (value === undefined) return null;
  if (!Array.isArray(value) || !value.every(isLine)) {
    problems.push("log.quorum is not a list of lines");
    return null;
  }
  const text = value.map((line) => `${line}\n`).join("");
  if (text.length > MAX_POLICY_BYTES) {
    problems.push("log.quorum is too long");
    return null;
  }
  try {
    const policy = parseTlogPolicy(Buffer.from(text, "utf8"));
    if (policy.logs.length > 0) problems.push("log.quorum has a log line; the log is log.key"); // [P-11]
    return policy.quorum === null ? null : policy; // [P-12]
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    problems.push(`log.quorum: ${error.message.replace(/\.$/, "")}`);
    return null;
  }
}

function isLine(value: Json): value is string {
  return typeof value === "string" && !value.includes("\n");
}
