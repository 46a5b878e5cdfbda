/**
 * Signature checks beside the main thread. All that are asked for in one turn of the event loop go to a thread in one message: `crypto.verify` with a
 * callback costs the main thread as much as the check itself, since it makes a job of each, and wakes a thread for each.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { LogServerError } from "../error.ts";
import { encodeChecks, type SignatureCheck } from "./check-message.ts";

/** The outcome of each check, in order. Rejects with `INTERNAL` if they could not be made. */
export type CheckPool = (checks: readonly SignatureCheck[]) => Promise<readonly boolean[]>;

type Asked = {
  readonly checks: readonly SignatureCheck[];
  readonly resolve: (outcomes: readonly boolean[]) => void;
  readonly reject: (error: LogServerError) => void;
};

/** `sent` are the messages that are not answered yet, the oldest first. */
type Thread = { readonly worker: Worker; readonly sent: (readonly Asked[])[] };

const MAX_THREADS = 4;

/** Threads begin when they are needed, and keep no process from ending unless something is asked of them. */
export function createCheckPool(
  program: URL = CHECK_THREAD,
  most: number = Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1)),
): CheckPool {
  const threads: Thread[] = [];
  let asked: Asked[] = [];

  const begin = (): Thread => {
    const worker = new Worker(program, { resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 } });
    const thread: Thread = { worker, sent: [] };
    worker.on("message", (answers: Uint8Array) => {
      const answered = thread.sent.shift() ?? [];
      if (thread.sent.length === 0) worker.unref();
      settle(answered, answers);
    });
    const lost = (cause: unknown): void => {
      const at = threads.indexOf(thread);
      if (at >= 0) threads.splice(at, 1);
      for (const { reject } of thread.sent.splice(0).flat()) reject(notChecked(cause));
    };
    worker.on("error", lost);
    worker.on("exit", (code) => lost(new Error(`The thread ended with ${code}.`)));
    threads.push(thread);
    return thread;
  };

  const send = (): void => {
    const batch = asked;
    asked = [];
    const idlest = threads.toSorted((a, b) => a.sent.length - b.sent.length)[0];
    const busy = idlest === undefined || (idlest.sent.length > 0 && threads.length < most);
    const thread = busy ? begin() : idlest;
    const bytes = encodeChecks(batch.flatMap(({ checks }) => checks));
    thread.sent.push(batch);
    thread.worker.ref();
    thread.worker.postMessage(bytes, [bytes.buffer]);
  };

  return (checks) =>
    new Promise((resolve, reject) => {
      asked.push({ checks, resolve, reject });
      if (asked.length === 1) setImmediate(send);
    });
}

const CHECK_THREAD = new URL(
  import.meta.url.endsWith(".ts") ? "check-thread.ts" : "signatures/check-thread.js",
  import.meta.url,
);

function settle(batch: readonly Asked[], answers: Uint8Array): void {
  let at = 0;
  for (const { checks, resolve, reject } of batch) {
    const own = answers.subarray(at, at + checks.length);
    at += checks.length;
    if (own.length === checks.length) resolve(Array.from(own, (answer) => answer === 1));
    else reject(notChecked());
  }
}

function notChecked(cause?: unknown): LogServerError {
  return new LogServerError("INTERNAL", "The signatures could not be checked.", "Send it again in a minute.", cause);
}
