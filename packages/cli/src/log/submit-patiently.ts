import { setTimeout } from "node:timers/promises";
import { encodeUtf8 } from "@touchmark/core";
import { type LogEndpoint, LogError, type SubmitAnswer, submitEnvelope } from "@touchmark/log";
import type { Ui } from "../ui.ts";
import type { Waiting } from "./outbox.ts";

export interface Patience {
  /** Seconds for which it is tried again. */
  wait: number;
  /** Fires when the person has waited long enough. */
  signal: AbortSignal;
  ui: Ui;
  /** Looks at what the log answered; what it throws counts as the log's failure. */
  confirm: (answer: SubmitAnswer) => Promise<void>;
}

const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 30;

/**
 * Hands a statement in, again and again at growing intervals while the log is away: the same statement gets the same entries however often it is sent
 * [L-15]. Throws the last failure when the time is over or the person has had enough, and at once any that will not pass.
 */
export async function submitPatiently(log: LogEndpoint, waiting: Waiting, patience: Patience): Promise<SubmitAnswer> {
  const { envelope, earlier } = waiting;
  const submission = { envelope: encodeUtf8(envelope), ...(earlier === null ? {} : { earlier }) };
  let left = patience.wait;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      const answer = await submitEnvelope(log, submission);
      await patience.confirm(answer);
      return answer;
    } catch (error) {
      const wait = Math.min(pause, left);
      if (!isPassing(error) || wait <= 0 || patience.signal.aborted) throw error;
      patience.ui.progress(`${sentenceOf(error)} trying again in ${wait} s; Ctrl-C stops waiting`);
      left -= wait;
      await setTimeout(wait * 1000, undefined, { signal: patience.signal }).catch(() => undefined);
      if (patience.signal.aborted) throw error;
    }
  }
}

/** Whether a failure says something of the log's day and nothing of the statement. */
export function isPassing(error: unknown): error is LogError {
  if (!(error instanceof LogError)) return false;
  const { code, refusal } = error;
  if (code === "NETWORK" || code === "TIMEOUT") return true;
  return code === "REFUSED" && refusal !== undefined && (refusal.status >= 500 || refusal.status === 429);
}

function sentenceOf(error: LogError): string {
  return `${error.message.slice(0, 1).toLowerCase()}${error.message.slice(1).replace(/\.$/, "")};`;
}
