import { makeCorpus } from "./corpus.ts";
import { FuzzFailure, parserTargets, type Target } from "./parsers.ts";
import { createRandom } from "./random.ts";
import { talkTargets } from "./talks.ts";

export interface CaseRange {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
}

export interface Targets {
  readonly parsers: readonly Target[];
  readonly talks: readonly Target[];
}

/** Of so many cases one is a whole talk; the others are single messages. */
const TALK_EVERY = 20;
/** Talks mostly wait for time-outs, so many go on at once. */
const TALKS_AT_ONCE = 50;

export async function makeTargets(): Promise<Targets> {
  const corpus = await makeCorpus();
  return { parsers: parserTargets(corpus), talks: talkTargets(corpus) };
}

/** Runs the cases; the same numbers give the same choices. Throws FuzzFailure. */
export async function runCases({ parsers, talks }: Targets, { seed, first, count }: CaseRange): Promise<void> {
  let going: Promise<void>[] = [];
  for (let index = first; index < first + count; index++) {
    const isTalk = index % TALK_EVERY === 0;
    const targets = isTalk ? talks : parsers;
    const target = targets[Math.floor(isTalk ? index / TALK_EVERY : index) % targets.length];
    if (target === undefined) continue;
    const work = runCase(target, seed, index);
    if (isTalk) going.push(work);
    else await work;
    if (going.length < TALKS_AT_ONCE) continue;
    await Promise.all(going);
    going = [];
  }
  await Promise.all(going);
}

async function runCase(target: Target, seed: number, index: number): Promise<void> {
  try {
    await target.run(createRandom(seed, index));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new FuzzFailure(`case ${index} of seed ${seed} (${target.name}): ${what}`, { cause });
  }
}
