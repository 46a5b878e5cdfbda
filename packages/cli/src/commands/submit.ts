import { resolve } from "node:path";
import {
  type JsonObject,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  parseStatement,
  parseUtf8,
  type Reason,
} from "@touchmark/core";
import { LogError, nodeCrypto, type SubmitAnswer } from "@touchmark/log";
import { type CheckedQuorum, checkQuorum, type Policy } from "@touchmark/verify";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { EXIT, type Exit, explainFailure } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readWhole } from "../files/read-file.ts";
import { rememberCheckpoint } from "../files/remember-checkpoint.ts";
import { leaveOutbox, queueStatement, readOutbox, setAside, type Waiting } from "../log/outbox.ts";
import { isPassing, submitPatiently } from "../log/submit-patiently.ts";
import { readEarlierFile } from "../statements/earlier-file.ts";
import { count, table } from "../ui.ts";

export const submit: Command = defineCommand({
  name: "submit",
  usage: "FILE.touchmark [--wait 30] | --flush",
  examples: ["touchmark submit widget-1.0.0.tgz.touchmark", "touchmark submit --flush"],
  about: [
    "Hands a statement to the policy's log, and ends when a signed checkpoint covers it, cosigned by the log's witnesses.",
    "The same statement again gets the same answer, so that it can always be repeated.",
    "While the log is away it is tried again; then the statement is kept in the outbox (exit code 3), and --flush sends what waits there.",
  ],
  flags: {
    wait: {
      value: "SECONDS",
      help: "how long to try again while the log is away; 30 when left out, 0 for a single try",
    },
    flush: { help: "send what waits in the outbox" },
  },
  operands: [0, 1],
  run: async (values, [file], context) => {
    const wait = readSeconds(values.wait ?? "30");
    if (values.flush) {
      if (file !== undefined) throw usageError("submit", "--flush sends the outbox and takes no file.");
      return flush(loadPolicy(context), wait, context);
    }
    if (file === undefined) throw usageError("submit", "touchmark submit needs FILE.touchmark, or --flush.");
    const policy = loadPolicy(context);
    return submitFile(file, policy, wait, context);
  },
});

async function submitFile(file: string, policy: Policy, wait: number, context: Context): Promise<Exit> {
  const { io, ui } = context;
  const home = touchmarkHome(io);
  const envelope = parseUtf8(readWhole(resolve(io.cwd, file), MAX_ENVELOPE_BYTES));
  const statement = parseStatement(nodeCrypto, parseEnvelope(envelope).payload);
  const earlier = readEarlierFile(statement, `${file}.earlier`, io.cwd);
  const waiting = { origin: policy.log.origin, file: resolve(io.cwd, file), since: io.now(), envelope, earlier };
  let logged: Logged;
  try {
    logged = await send(waiting, policy, wait, context);
  } catch (error) {
    if (!isPassing(error)) throw error;
    await queueStatement(home, waiting);
    const { code, message, hint } = explainFailure(error);
    ui.result({ ok: false, queued: true, error: { code, message, hint } }, [
      "Not logged yet: the statement waits in the outbox, and nothing is lost.",
      "Send it with: touchmark submit --flush",
    ]);
    ui.warn(`${message} [${code}]`, hint);
    return EXIT.unchecked;
  }
  leaveOutbox(home, waiting);
  const { answer, quorum } = logged;
  const authority = statement.kind === "claim" ? statement.authority.digest : null;
  ui.result(
    { ok: lackOf(quorum) === null, ...loggedJson(logged, policy), ...(authority === null ? {} : { authority }) },
    [
      `Logged in ${policy.log.origin}, checkpoint of size ${answer.checkpoint.size}${describeQuorum(quorum)}.`,
      ...entryLines(answer),
      ...(authority === null
        ? []
        : [`Whoever relies on it pins the authority in touchmark.json: "authority": "${authority}"`]),
    ],
  );
  return settle(quorum, context);
}

/** Sends what waits for the policy's log. What the log is away for waits on; what it refuses is set aside. */
async function flush(policy: Policy, wait: number, context: Context): Promise<Exit> {
  const { io, ui } = context;
  const home = touchmarkHome(io);
  const outbox = readOutbox(home, policy.log.origin);
  const done: JsonObject[] = [];
  const lines: string[] = [];
  const exits = new Set<Exit>();
  let patience = wait;
  for (const waiting of outbox) {
    const { file } = waiting;
    try {
      const logged = await send(waiting, policy, patience, context);
      leaveOutbox(home, waiting);
      done.push({ file, ok: true, ...loggedJson(logged, policy) });
      lines.push(`Logged ${file}${describeQuorum(logged.quorum)}.`, ...entryLines(logged.answer));
      exits.add(settle(logged.quorum, context));
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      const { exit: failed, code, message, hint } = explainFailure(error);
      const away = failed !== EXIT.rejected;
      // Where the log is away for one it is away for all.
      if (away) patience = 0;
      const kept = away ? null : setAside(home, waiting);
      done.push({ file, ok: false, waits: away, kept, error: { code, message, hint } });
      lines.push(away ? `Waits: ${file}.` : `Refused: ${file}; kept as ${kept}.`, `  ${message} [${code}]`);
      exits.add(away ? EXIT.unchecked : EXIT.rejected);
    }
  }
  const exit = [EXIT.rejected, EXIT.unchecked].find((code) => exits.has(code)) ?? EXIT.ok;
  const left = done.filter((one) => one["waits"] === true).length;
  ui.result(
    { ok: exit === EXIT.ok, statements: done },
    outbox.length === 0
      ? ["Nothing waits in the outbox."]
      : [...lines, `${count(left, "statement")} left in the outbox.`],
  );
  return exit;
}

type Logged = { answer: SubmitAnswer; quorum: CheckedQuorum | Reason | null };

async function send(waiting: Waiting, policy: Policy, wait: number, { io, ui }: Context): Promise<Logged> {
  const log = logEndpoint(policy, io);
  const answer = await submitPatiently(log, waiting, { wait, signal: io.signal, ui });
  await rememberCheckpoint(touchmarkHome(io), log, answer.checkpoint);
  return { answer, quorum: checkQuorum(policy, answer.checkpoint, io.now()) };
}

function loggedJson({ answer, quorum }: Logged, policy: Policy): JsonObject {
  return {
    log: policy.log.origin,
    entries: Object.fromEntries(answer.entries),
    checkpoint: answer.checkpoint.note,
    cosigned: quorum !== null && "time" in quorum ? [...quorum.cosigned] : null,
  };
}

function entryLines({ entries }: SubmitAnswer): string[] {
  return table([...entries].map(([packageId, index]) => [`  entry ${index}`, packageId]));
}

/** It is logged and keeps its place, but without its quorum whoever has this policy will not rely on it yet. */
function settle(quorum: Logged["quorum"], { ui }: Context): Exit {
  const lacking = lackOf(quorum);
  if (lacking === null) return EXIT.ok;
  ui.warn(`${lacking.message} [${lacking.code}]`, "Submit it again later: it gets the same entries.");
  return EXIT.unchecked;
}

function lackOf(quorum: Logged["quorum"]): Reason | null {
  return quorum !== null && "code" in quorum ? quorum : null;
}

function describeQuorum(quorum: Logged["quorum"]): string {
  return quorum !== null && "time" in quorum ? `, cosigned by ${quorum.cosigned.join(", ")}` : "";
}

function readSeconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw usageError("submit", "--wait is not a number of seconds.");
}
