/** A log that is killed at each step of a batch and of a start [L-30], where torture.ts kills at random instants. */
import { setTimeout } from "node:timers/promises";
import type { Step } from "./kill-step.ts";
import { beginLife, type Life, startChild, type TortureReport, type Victim } from "./torture.ts";

/** In their order. At the second call the batch before it is being published, or is not yet. */
export const OF_A_BATCH: readonly Step[] = [
  { call: "write", when: "before", count: 1 },
  { call: "write", when: "half", count: 2 },
  { call: "write", when: "after", count: 1 },
  { call: "append", when: "amid", count: 1 },
  { call: "append", when: "amid", count: 2 },
  { call: "append", when: "after", count: 1 },
  { call: "append", when: "after", count: 2 },
  { call: "sign", when: "after", count: 2 },
  { call: "show", when: "before", count: 1 },
  { call: "show", when: "amid", count: 2 },
  { call: "show", when: "after", count: 1 },
  { call: "publish", when: "amid", count: 2 },
  { call: "publish", when: "after", count: 1 },
  { call: "answer", when: "after", count: 3 },
];

/**
 * Starts one after another, each list after a batch that was stored and not published: it is there to be recovered until a start has shown it. A start shows
 * the published checkpoint, signs the stored tree, and, where that was not published, shows it and remembers it as published.
 */
export const OF_STARTS: readonly (readonly Step[])[] = [
  [
    { call: "take writing", when: "after", count: 1 },
    { call: "show", when: "amid", count: 1 },
    { call: "show", when: "after", count: 1 },
    { call: "sign", when: "after", count: 1 },
    { call: "show", when: "after", count: 2 },
  ],
  [{ call: "publish", when: "after", count: 1 }],
];

const STORED: Step = { call: "append", when: "after", count: 1 };
// As many as make a second batch while the first is published.
const CLIENTS = 4;

/** Throws an error that says what was lost or forked, or which step was never come to. */
export async function killAtSteps(
  victim: Victim,
  batch: readonly Step[],
  starts: readonly (readonly Step[])[],
  onKill: (step: Step) => void = () => undefined,
): Promise<TortureReport> {
  const life = await beginLife(victim, () => 0);
  let round = 0;
  const liveUntil = async (step: Step): Promise<void> => {
    const child = startChild(victim, round);
    const log = await child.ready;
    await life.lookAt(log);
    const load = life.load(log, `${round++}`, CLIENTS);
    await Promise.race([load, answers(life, 4)]);
    child.arm(step);
    await load;
    await died(child.ended, step);
  };
  const died = async (ended: Promise<string | null>, step: Step): Promise<void> => {
    if ((await ended) !== "SIGKILL") throw new Error(`The log ended before it came to ${JSON.stringify(step)}.`);
    onKill(step);
  };
  for (const step of batch) await liveUntil(step);
  for (const steps of starts) {
    await liveUntil(STORED);
    for (const step of steps) await died(startChild(victim, round++, step).ended, step);
  }
  const last = startChild(victim, round);
  await life.lookAt(await last.ready);
  await last.kill();
  return life.end();
}

/** Waits for so many more answers. */
async function answers({ acknowledged }: Life, more: number): Promise<void> {
  for (const wanted = acknowledged.length + more; acknowledged.length < wanted;) await setTimeout(2);
}
