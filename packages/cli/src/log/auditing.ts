import { parseVerifierKey, type LogEndpoint } from "@touchmark/log";
import type { AuditVerdict } from "@touchmark/log-server";
import { keepFork } from "@touchmark/verify";
import { type Context, usageError } from "../command.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { loadPolicy } from "../files/policy-file.ts";

/** The log that is audited: by address and key, or the policy's. Throws `USAGE` and what `loadPolicy` throws. */
export function auditedLog(
  url: string | undefined,
  key: string | undefined,
  command: string,
  context: Context,
): LogEndpoint {
  const { io } = context;
  if (url === undefined && key === undefined) return logEndpoint(loadPolicy(context), io);
  if (url === undefined || key === undefined) throw usageError(command, "The log's address and its --key go together.");
  return { url, key: parseVerifierKey(key), fetch: (address, init) => io.fetch(address, init), signal: io.signal };
}

/** What an audit found, in a sentence and for programs. */
export interface AuditReport {
  verdict: AuditVerdict["kind"];
  origin: string;
  size: number | null;
  /** The rule that is broken, and the leaf that breaks it. */
  rule: string | null;
  leaf: number | null;
  message: string;
  /** The file with both notes, where the log signed two histories. */
  fork: string | null;
}

/** Puts a verdict into words; two histories are kept in `directory`. */
export function reportAudit(
  verdict: AuditVerdict,
  origin: string,
  directory: string,
  key: LogEndpoint["key"],
): AuditReport {
  const base = { verdict: verdict.kind, origin, size: null, rule: null, leaf: null, fork: null };
  switch (verdict.kind) {
    case "good": {
      const { size } = verdict.checkpoint;
      return { ...base, size, message: `All ${size} leaves of ${origin} are as the rules say.` };
    }
    case "broken":
    case "fork": {
      const { index, rule, message } = verdict.halt.problem;
      const fork = verdict.kind === "fork" ? keepFork(directory, key, verdict.notes) : null;
      return { ...base, rule, leaf: index, fork, message };
    }
    case "unchecked":
      return { ...base, message: verdict.error.message };
  }
}

/** The report for people. */
export function reportLines({ message, rule, fork }: AuditReport): string[] {
  const kept =
    fork === null ? [] : [`Both notes are kept in ${fork}; anybody can check them with: touchmark log forks FILE`];
  return [rule === null ? message : `${message} [${rule}]`, ...kept];
}
