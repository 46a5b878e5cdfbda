import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Cosigner, encodeVerifierKey, fetchCheckpoint, type LogEndpoint, LogError } from "@touchmark/log";
import type { Auditor, AuditVerdict } from "@touchmark/log-server";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { auditedLog, reportAudit, reportLines } from "../log/auditing.ts";
import { addressOf, readPort } from "../log/listening.ts";
import { openCosigners } from "../log/open-cosigners.ts";
import { AUDIT_FLAGS, readOutsideChecks } from "../log/outside-checks.ts";
import { loadLogServer } from "../log/server-module.ts";
import { table } from "../ui.ts";

const COMMAND = "log audit serve";

export const logAuditServe: Command = defineCommand({
  name: COMMAND,
  usage:
    "--log URL --key VKEY --dir DIR --name NAME [--host 127.0.0.1] [--port 8322] [--interval 60] [--registry NAME=URL …] [--charter DIGEST]",
  examples: [
    "touchmark log audit serve --log https://log.example/main/ --key log.example/main+… --dir /var/lib/auditor --name audit.example",
  ],
  about: [
    "Follows a log until Ctrl-C or SIGTERM and cosigns, by tlog-witness, only checkpoints of which everything was replayed.",
    "The keys are made at the first start: DIR/cosigner.key, readable by its owner only. Policies name them in a witness line.",
    "A broken rule is printed with its number and the leaf; nothing is cosigned then until somebody starts it with --resolve.",
  ],
  flags: {
    log: { value: "URL", help: "the log's address; the policy's log when left out with --key" },
    key: { value: "VKEY", help: "the log's verifier key" },
    dir: { value: "DIR", help: "the auditor's folder; made if it is missing" },
    name: { value: "NAME", help: "the auditor's name, for good; needed at the first start" },
    host: { value: "HOST", help: "where to listen; 127.0.0.1 when left out" },
    port: { value: "PORT", help: "8322 when left out; 0 takes a free one" },
    interval: { value: "SECONDS", help: "how often the log is looked at besides; 60 when left out" },
    ...AUDIT_FLAGS,
    resolve: { help: "what stopped this auditor was looked at: look again" },
  },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { io, ui } = context;
    if (values.dir === undefined) throw usageError(COMMAND, "--dir is missing.");
    const host = values.host ?? "127.0.0.1";
    const port = readPort(values.port ?? "8322", COMMAND);
    const interval = readInterval(values.interval ?? "60");
    const dir = resolve(io.cwd, values.dir);
    const log = auditedLog(values.log, values.key, COMMAND, context);
    const server = await loadLogServer();
    const { cosigners, store } = await openCosigners(server, dir, values.name, { what: "auditor", command: COMMAND });
    const tell = verdictTeller(log, dir, context);
    const auditor = server.openAuditor({
      dir,
      key: log.key,
      clock: () => io.now(),
      ...readOutsideChecks(values, COMMAND, io),
      onProgress: (replayed, size) => {
        if (replayed < size) ui.progress(`replayed ${replayed} of ${size} leaves`);
      },
    });
    if (values.resolve) auditor.resolve();
    const witness = server.createWitness({
      store,
      cosigners,
      logs: [log.key],
      clock: () => io.now(),
      judge: server.auditJudge(auditor, log, tell),
      onTrouble: (message) => {
        ui.warn(message);
      },
    });
    const listening = await server.startWitnessServer({ witness, host, port });
    announce(cosigners, addressOf(host, listening.port), listening.port, context);
    await followLog(auditor, log, interval, tell, io.signal);
    ui.progress("closing the auditor");
    await listening.close();
    await auditor.close();
    store.close();
    return 0;
  },
});

/** Looks at the log by itself, so that a broken rule is told even if the log never asks for a cosignature again. */
async function followLog(
  auditor: Auditor,
  log: LogEndpoint,
  interval: number,
  tell: (verdict: AuditVerdict) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      tell(await auditor.audit(log, await fetchCheckpoint(log)));
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      if (!signal.aborted) tell({ kind: "unchecked", error });
    }
    await setTimeout(interval * 1000, undefined, { signal }).catch(() => undefined);
  }
}

/** Prints each verdict once. */
function verdictTeller(log: LogEndpoint, dir: string, { ui }: Context): (verdict: AuditVerdict) => void {
  let told = "";
  return (verdict) => {
    const report = reportAudit(verdict, log.key.name, dir, log.key);
    const [line = "", ...more] = reportLines(report);
    if (line === told) return;
    told = line;
    if (verdict.kind === "good") ui.progress(`replayed ${report.size} leaves: all are as the rules say`);
    else ui.warn(line, more.join(" "));
  };
}

function announce(cosigners: Cosigner[], url: string, port: number, { ui }: Context): void {
  const keys = cosigners.map(({ key }) => encodeVerifierKey(key));
  const [{ key } = cosigners[0]!] = cosigners;
  ui.announce(
    { ok: true, name: key.name, url, keys, port },
    table([["auditor", key.name], ["address", url], ...keys.map((vkey) => ["key", vkey])]),
  );
}

function readInterval(text: string): number {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds > 0) return seconds;
  throw usageError(COMMAND, "--interval is not a number of seconds.");
}
