/** Work beside the main thread. */
import { extname } from "node:path";
import { Worker, type WorkerOptions } from "node:worker_threads";

/** A thread that answers each message with one, in their order. It keeps no process from ending unless something is asked of it. */
export type Thread = {
  /** What is transferred is this thread's no more. Rejects if the other thread is lost before it has answered; all later questions then do. */
  readonly ask: (message: unknown, transfer?: readonly ArrayBuffer[]) => Promise<unknown>;
  /** How many questions are not answered yet. */
  readonly waiting: () => number;
  readonly lost: () => boolean;
};

type Question = { readonly resolve: (answer: unknown) => void; readonly reject: (error: unknown) => void };

export function beginThread(program: URL, options: WorkerOptions): Thread {
  const worker = new Worker(program, options);
  const waiting: Question[] = [];
  let lost: unknown;
  const lose = (cause: unknown): void => {
    lost ??= cause;
    for (const { reject } of waiting.splice(0)) reject(lost);
  };
  worker.on("message", (answer: unknown) => {
    waiting.shift()?.resolve(answer);
    if (waiting.length === 0) worker.unref();
  });
  worker.on("error", lose);
  worker.on("exit", (code) => lose(new Error(`The thread ended with ${code}.`)));
  worker.unref();
  return {
    ask: (message, transfer = []) =>
      new Promise((resolve, reject) => {
        if (lost !== undefined) return reject(lost);
        waiting.push({ resolve, reject });
        worker.ref();
        worker.postMessage(message, transfer);
      }),
    waiting: () => waiting.length,
    lost: () => lost !== undefined,
  };
}

/** The program of a thread, by its path below this folder and without its ending; it lies there in the published package too. */
export function threadProgram(path: string): URL {
  return new URL(`${path}${extname(import.meta.filename)}`, import.meta.url);
}
