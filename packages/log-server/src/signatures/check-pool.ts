/**
 * Signature checks beside the main thread. All that are asked for in one turn of the event loop go to a thread in one message: `crypto.verify` with a
 * callback costs the main thread as much as the check itself, since it makes a job of each, and wakes a thread for each.
 */
import { availableParallelism } from "node:os";
import { LogServerError } from "../error.ts";
import { beginThread, type Thread, threadProgram } from "../thread.ts";
import { encodeChecks, type SignatureCheck } from "./check-message.ts";

/** The outcome of each check, in order. Rejects with `INTERNAL` if they could not be made. */
export type CheckPool = (checks: readonly SignatureCheck[]) => Promise<readonly boolean[]>;

type Asked = {
  readonly checks: readonly SignatureCheck[];
  readonly resolve: (outcomes: readonly boolean[]) => void;
  readonly reject: (error: LogServerError) => void;
};

const MAX_THREADS = 4;
const MEMORY = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

/** Threads begin when they are needed. */
export function createCheckPool(
  program: URL = threadProgram("signatures/check-thread"),
  most: number = Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1)),
): CheckPool {
  let threads: Thread[] = [];
  let asked: Asked[] = [];

  const choose = (): Thread => {
    threads = threads.filter((thread) => !thread.lost());
    const idlest = threads.toSorted((a, b) => a.waiting() - b.waiting())[0];
    if (idlest !== undefined && (idlest.waiting() === 0 || threads.length >= most)) return idlest;
    const thread = beginThread(program, { resourceLimits: MEMORY });
    threads.push(thread);
    return thread;
  };
  const send = async (): Promise<void> => {
    const batch = asked;
    asked = [];
    try {
      const message = encodeChecks(batch.flatMap(({ checks }) => checks));
      settle(batch, await choose().ask(message, [message.packed.buffer]));
    } catch (error) {
      for (const { reject } of batch) reject(notChecked(error));
    }
  };

  return (checks) =>
    new Promise((resolve, reject) => {
      asked.push({ checks, resolve, reject });
      if (asked.length === 1) setImmediate(() => void send());
    });
}

function settle(batch: readonly Asked[], answers: unknown): void {
  const wanted = batch.reduce((sum, { checks }) => sum + checks.length, 0);
  if (!(answers instanceof Uint8Array) || answers.length !== wanted) throw new Error("The thread answered otherwise.");
  let at = 0;
  for (const { checks, resolve } of batch) {
    resolve(Array.from(answers.subarray(at, at + checks.length), (answer) => answer === 1));
    at += checks.length;
  }
}

function notChecked(cause: unknown): LogServerError {
  return new LogServerError("INTERNAL", "The signatures could not be checked.", "Send it again in a minute.", cause);
}
