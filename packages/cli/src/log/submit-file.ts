import { resolve } from "node:path";
import {
  encodeUtf8,
  type JsonObject,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  parseStatement,
  parseUtf8,
  type Reason,
  type Statement,
} from "@touchmark/core";
import { LogError, nodeCrypto, type SubmitAnswer, verifyReceipt } from "@touchmark/log";
import { type CheckedQuorum, checkQuorum, type Policy } from "@touchmark/verify";
import type { Context } from "../command.ts";
import { EXIT, type Exit, explainFailure } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { readWhole } from "../files/read-file.ts";
import { rememberCheckpoint } from "../files/remember-checkpoint.ts";
import { readEarlierFile } from "../statements/earlier-file.ts";
import { table } from "../ui.ts";
import { leaveOutbox, queueStatement, type Waiting } from "./outbox.ts";
import { isPassing, submitPatiently } from "./submit-patiently.ts";

/** How a submission ended, to be printed. */
export interface Submitted {
  exit: Exit;
  document: JsonObject;
  lines: string[];
}

/** What the log answered, and whether its witnesses have cosigned it. */
export type Logged = { answer: SubmitAnswer; quorum: CheckedQuorum | Reason | null };

/** Hands in the statement in a file; where the log is away it is kept in the outbox. Throws what the log refuses it with. */
export async function submitFile(file: string, policy: Policy, wait: number, context: Context): Promise<Submitted> {
  const { io, ui } = context;
  const home = touchmarkHome(io);
  const envelope = parseUtf8(readWhole(resolve(io.cwd, file), MAX_ENVELOPE_BYTES));
  const statement = statementIn(envelope);
  const earlier = readEarlierFile(statement, `${file}.earlier`, io.cwd);
  const waiting = { origin: policy.log.origin, file: resolve(io.cwd, file), since: io.now(), envelope, earlier };
  let logged: Logged;
  try {
    logged = await send(waiting, policy, wait, context);
  } catch (error) {
    if (!isPassing(error)) throw error;
    await queueStatement(home, waiting);
    const { code, message, hint } = explainFailure(error);
    ui.warn(`${message} [${code}]`, hint);
    return {
      exit: EXIT.unchecked,
      document: { ok: false, queued: true, error: { code, message, hint } },
      lines: [
        "Not logged yet: the statement waits in the outbox, and nothing is lost.",
        "Send it with: touchmark submit --flush",
      ],
    };
  }
  leaveOutbox(home, waiting);
  const { answer, quorum } = logged;
  const authority = statement.kind === "claim" ? statement.authority.digest : null;
  return {
    exit: settle(quorum, context),
    document: {
      ok: lackOf(quorum) === null,
      ...loggedJson(logged, policy),
      ...(authority === null ? {} : { authority }),
    },
    lines: [
      `Logged in ${policy.log.origin}, checkpoint of size ${answer.checkpoint.size}${describeQuorum(quorum)}.`,
      ...entryLines(answer),
      ...(authority === null
        ? []
        : [`Whoever relies on it pins the authority in touchmark.json: "authority": "${authority}"`]),
    ],
  };
}

/** Hands one statement in, and sees it in the log's tree [L-42]. Throws what the log refuses it with, `NOT_LOGGED`, and what the network throws. */
export async function send(waiting: Waiting, policy: Policy, wait: number, { io, ui }: Context): Promise<Logged> {
  const log = logEndpoint(policy, io);
  const { envelope } = waiting;
  const statement = statementIn(envelope);
  const look = async (answer: SubmitAnswer): Promise<void> => {
    await rememberCheckpoint(touchmarkHome(io), log, answer.checkpoint);
    await verifyReceipt(log, { statement, envelope: encodeUtf8(envelope) }, answer);
  };
  const confirm = (answer: SubmitAnswer): Promise<void> => look(answer).catch(orNotYet);
  const answer = await submitPatiently(log, waiting, { wait, signal: io.signal, ui, confirm });
  return { answer, quorum: checkQuorum(policy, answer.checkpoint, io.now()) };
}

// A server that only reads may be a second behind the one that answered.
function orNotYet(error: unknown): never {
  if (!(error instanceof LogError) || error.code !== "NOT_FOUND") throw error;
  throw new LogError("NETWORK", "The log does not serve the tree of its answer yet.", { cause: error });
}

function statementIn(envelope: string): Statement {
  return parseStatement(nodeCrypto, parseEnvelope(envelope).payload);
}

export function loggedJson({ answer, quorum }: Logged, policy: Policy): JsonObject {
  return {
    log: policy.log.origin,
    entries: Object.fromEntries(answer.entries),
    checkpoint: answer.checkpoint.note,
    cosigned: quorum !== null && "time" in quorum ? [...quorum.cosigned] : null,
  };
}

export function entryLines({ entries }: SubmitAnswer): string[] {
  return table([...entries].map(([packageId, index]) => [`  entry ${index}`, packageId]));
}

/** It is logged and keeps its place, but without its quorum whoever has this policy will not rely on it yet. */
export function settle(quorum: Logged["quorum"], { ui }: Context): Exit {
  const lacking = lackOf(quorum);
  if (lacking === null) return EXIT.ok;
  ui.warn(`${lacking.message} [${lacking.code}]`, "Submit it again later: it gets the same entries.");
  return EXIT.unchecked;
}

export function describeQuorum(quorum: Logged["quorum"]): string {
  return quorum !== null && "time" in quorum ? `, cosigned by ${quorum.cosigned.join(", ")}` : "";
}

function lackOf(quorum: Logged["quorum"]): Reason | null {
  return quorum !== null && "code" in quorum ? quorum : null;
}
