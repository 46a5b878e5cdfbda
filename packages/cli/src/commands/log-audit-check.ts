import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fetchCheckpoint, type LogEndpoint, LogError } from "@touchmark/log";
import type { AuditVerdict } from "@touchmark/log-server";
import { type Command, type Context, defineCommand } from "../command.ts";
import { EXIT, type Exit } from "../failure.ts";
import { auditedLog, reportAudit, reportLines } from "../log/auditing.ts";
import { AUDIT_FLAGS, readOutsideChecks } from "../log/outside-checks.ts";
import { loadLogServer } from "../log/server-module.ts";

/** [L-18] An epoch leaf comes each hour; ten minutes are for clocks. */
const STANDS_STILL = 4200;

export const logAuditCheck: Command = defineCommand({
  name: "log audit check",
  usage: "[URL --key VKEY] [--dir DIR] [--resolve] [--registry NAME=URL …] [--charter DIGEST]",
  examples: [
    "touchmark log audit check",
    "touchmark log audit check https://log.example/main/ --key log.example/main+…",
  ],
  about: [
    "Replays a log once, from its public files alone: every signature, every rule, the map, the times. Without URL it is the policy's log.",
    "With --dir the next run goes on where this one ended; without it everything is replayed.",
    "Exit code 1 if a rule is broken, with the leaf and the rule's number; 3 if something could not be had.",
  ],
  flags: {
    key: { value: "VKEY", help: "the log's verifier key" },
    dir: { value: "DIR", help: "where to keep what was replayed" },
    ...AUDIT_FLAGS,
    resolve: { help: "what stopped the auditor in DIR was looked at: look again" },
  },
  operands: [0, 1],
  run: async (values, [url], context) => {
    const { io, ui } = context;
    const log = auditedLog(url, values.key, "log audit check", context);
    const directory = values.dir === undefined ? null : resolve(io.cwd, values.dir);
    const checks = readOutsideChecks(values, "log audit check", io);
    const verdict = await auditOnce(log, directory, values.resolve, checks, context);
    const report = reportAudit(verdict, log.key.name, directory ?? io.cwd, log.key);
    const age = verdict.kind === "good" ? io.now() - verdict.time : 0;
    const still = age > STANDS_STILL;
    ui.result({ ok: verdict.kind === "good" && !still, ...report, age }, reportLines(report));
    if (still) ui.warn(`the last leaf is ${age} seconds old, and a log appends one each hour [L-18]`);
    return still ? EXIT.unchecked : exitOf(verdict.kind);
  },
});

async function auditOnce(
  log: LogEndpoint,
  directory: string | null,
  resolved: boolean,
  checks: ReturnType<typeof readOutsideChecks>,
  { io, ui }: Context,
): Promise<AuditVerdict> {
  const { openAuditor } = await loadLogServer();
  const dir = directory ?? mkdtempSync(join(tmpdir(), "touchmark-audit-"));
  try {
    const auditor = openAuditor({
      dir,
      key: log.key,
      clock: () => io.now(),
      ...checks,
      onProgress: (replayed, size) => {
        if (replayed < size) ui.progress(`replayed ${replayed} of ${size} leaves`);
      },
    });
    try {
      if (resolved) auditor.resolve();
      return await auditor.audit(log, await fetchCheckpoint(log));
    } catch (error) {
      if (error instanceof LogError) return { kind: "unchecked", error };
      throw error;
    } finally {
      await auditor.close();
    }
  } finally {
    if (directory === null) rmSync(dir, { recursive: true, force: true });
  }
}

function exitOf(kind: AuditVerdict["kind"]): Exit {
  if (kind === "good") return EXIT.ok;
  return kind === "unchecked" ? EXIT.unchecked : EXIT.rejected;
}
