// Runs the cases in a process of its own, so that one that hangs can be ended. Needs --expose-gc.
import { makeTargets, runCases } from "./run-cases.ts";

export interface Progress {
  /** Cases that have ended. */
  readonly done: number;
  /** Bytes in use after everything that nobody holds was thrown away. */
  readonly heap: number;
}

const STEP = 2_000;

const [seed = 0, first = 0, count = 0] = process.argv.slice(2).map(Number);
const targets = await makeTargets();
for (let done = 0; done < count;) {
  const next = Math.min(STEP, count - done);
  await runCases(targets, { seed, first: first + done, count: next });
  done += next;
  globalThis.gc?.();
  process.send?.({ done, heap: process.memoryUsage().heapUsed } satisfies Progress);
}
