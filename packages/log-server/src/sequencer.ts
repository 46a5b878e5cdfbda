/** The single writer: gathers what is submitted, admits it in order, and answers when all of a batch is durable and signed. */
import { setImmediate, setTimeout } from "node:timers/promises";
import { type SignedStatement, statementChains } from "@touchmark/core";
import { type Candidate, isRefusal } from "./admission.ts";
import { type Batch, beginBatch, entriesAt } from "./batch.ts";
import type { Cosigning } from "./cosigning.ts";
import { LogServerError } from "./error.ts";
import type { PackageStates } from "./stored-states.ts";
import type { Store } from "./store.ts";

/** The entries of a statement, and a signed checkpoint that covers them. */
export type Receipt = { readonly entries: ReadonlyMap<string, number>; readonly note: string };

export type SequencerOptions = {
  readonly store: Store;
  /** Over the store's `ahead`. */
  readonly states: PackageStates;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** The digest of the authority that may claim the log's own id; none may if it is left out. */
  readonly charter?: string | undefined;
  /** Where the log has witnesses: nothing is published without their cosignatures. */
  readonly cosigning?: Cosigning | undefined;
  /** Told what went wrong while nobody was to blame; `error` is kept out of every answer. */
  readonly onFailure?: (error: unknown) => void;
  /** Told how many statements a published batch had. */
  readonly onBatch?: (statements: number) => void;
  /** Statements in one batch at most, 512 if left out. */
  readonly batch?: number;
  /** Statements that may wait at most, 4,096 if left out. */
  readonly queue?: number;
};

export type Sequencer = {
  /** [L-14] to [L-16]. Rejects with a `CoreError` or `LogServerError` that says why not. */
  readonly submit: (candidate: Candidate) => Promise<Receipt>;
  /** The receipt of a statement that is published already, whoever signs it now. */
  readonly receiptOf: (signed: SignedStatement) => Promise<Receipt | undefined>;
  /** [L-18] Appends an epoch leaf if the last one is at least `age` seconds old. */
  readonly heartbeat: (age: number) => Promise<void>;
  /** Refuses what comes from now on and waits for what was taken in. */
  readonly stop: () => Promise<void>;
  /** How many statements wait. */
  readonly waiting: () => number;
};

// Milliseconds.
const BUSY = 20;
const MAX_WAIT = 5;

export function createSequencer(options: SequencerOptions): Sequencer {
  const {
    store,
    states,
    clock,
    charter,
    cosigning,
    onFailure = () => undefined,
    batch = 512,
    queue: limit = 4096,
  } = options;
  // A log may have been without witnesses, or begun before they first answered.
  let witnessed = cosigning === undefined || cosigning.covers(store.checkpoint().note);
  // Something is stored, and nobody is about to publish it: after a restart, and when publishing failed.
  let behind = store.pending() !== undefined;
  const queue: Job[] = [];
  let beat: number | undefined;
  let working = false;
  let work = Promise.resolve();
  let ended = -Infinity;
  let lastBatch = 0;
  let stopping = false;
  let expected: { readonly jobs: number; readonly resolve: () => void } | undefined;

  const start = (): Promise<void> => {
    if (!working) work = workOff();
    else if (expected !== undefined && (queue.length >= expected.jobs || beat !== undefined)) expected.resolve();
    return work;
  };
  // Between the look at the empty queue and `working = false` nothing else runs, so that nothing can be queued unseen.
  const workOff = async (): Promise<void> => {
    working = true;
    let publishing: Promise<void> | undefined;
    for (;;) {
      if (queue.length === 0 && beat === undefined) {
        if (publishing === undefined) break;
        await Promise.race([publishing, arrival(1)]);
        continue;
      }
      // What is stored early is published no earlier: it waits for as many as are in the batch that is being published, which saves a batch in four.
      if (publishing !== undefined) await Promise.race([publishing, arrival(Math.min(batch, lastBatch))]);
      await gather(publishing !== undefined || performance.now() - ended < BUSY);
      if (behind || !witnessed) await publishing;
      const jobs = queue.splice(0, batch);
      lastBatch = jobs.length;
      const age = beat;
      beat = undefined;
      // The batch before this one is cosigned and published meanwhile.
      const admitted = await admitBatch(jobs, age).catch((error: unknown) => refuse(jobs, error));
      await publishing;
      if (admitted === undefined) continue;
      publishing = answerBatch(admitted)
        .catch((error: unknown) => refuse(jobs, error))
        .finally(() => {
          publishing = undefined;
          ended = performance.now();
        });
    }
    working = false;
  };
  /** Until so many wait, or an epoch leaf is due. */
  const arrival = (jobs: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    expected = { jobs, resolve };
    if (queue.length >= jobs) resolve();
    return promise;
  };
  const refuse = (jobs: readonly Job[], error: unknown): undefined => {
    const awaited = isNotWitnessed(error); // its operator was told by whoever waits for the witnesses
    if (!awaited) onFailure(error);
    for (const job of jobs) job.reject(awaited ? error : notNow(error));
  };
  /**
   * Under load a batch waits as long as more comes in, so that one write to the disk serves many; but not once as much came in as is in the last batch, while
   * that was written and cosigned: whoever was answered then is read and verified while this one is. After a pause it does not wait.
   */
  const gather = async (busy: boolean): Promise<void> => {
    const begun = performance.now();
    await setImmediate();
    if (!busy) return;
    const enough = Math.min(batch, Math.max(2, lastBatch));
    for (let seen = 0; seen < queue.length && queue.length < enough && performance.now() - begun < MAX_WAIT;) {
      seen = queue.length;
      await setTimeout(1);
    }
  };

  /** Shows the newest stored checkpoint, with the cosignatures of its quorum where the log has witnesses. */
  const publish = async (): Promise<void> => {
    const newest = store.newest();
    try {
      await store.publish(cosigning === undefined ? newest.checkpoint.note : await cosigning.collect(newest));
      behind = false;
      witnessed = true;
    } catch (error) {
      behind = true;
      throw error;
    }
  };

  /** Admits what it can of the jobs and stores it, on top of a batch that is perhaps not published yet. */
  const admitBatch = async (jobs: readonly Job[], age: number | undefined): Promise<AdmittedBatch> => {
    // [L-16] What is durable but not published can't be answered for, not even if it is known already.
    if (!store.ready()) throw notNow();
    if (behind || !witnessed) await publish(); // [L-30]
    const last = store.time();
    const time = Math.max(last, Math.floor(clock())); // [L-7]
    const plan = await beginBatch(
      store.ahead,
      states,
      jobs.map(({ candidate }) => candidate),
      time,
      (authority) => authority === charter,
    );
    const taken = jobs.filter((job) => {
      try {
        plan.admit(job.candidate);
        return true;
      } catch (error) {
        if (!isRefusal(error)) onFailure(error);
        job.reject(isRefusal(error) ? error : internal(error));
        return false;
      }
    });
    const due = age !== undefined && time - last >= age;
    const appended = plan.statements.length > 0 || due;
    if (appended) await store.append(plan.statements, time);
    return { plan, taken, appended };
  };

  /** [L-16] */
  const answerBatch = async ({ plan, taken, appended }: AdmittedBatch): Promise<void> => {
    // What was not appended now may have been in the batch before, whose publication failed.
    if (store.pending() !== undefined) await publish();
    else {
      const improved = cosigning?.improved(store.checkpoint().note);
      if (improved !== undefined) await store.publish(improved);
    }
    if (appended) options.onBatch?.(plan.statements.length);
    const { note } = store.checkpoint();
    for (const job of taken) job.resolve({ entries: plan.entriesOf(job.candidate), note });
  };

  const heartbeat = (age: number): Promise<void> => {
    if (stopping) return Promise.resolve();
    beat = Math.min(age, beat ?? Infinity);
    return start();
  };
  cosigning?.onQuorum(() => void heartbeat(Infinity)); // which appends nothing, and publishes what there is

  return {
    submit: (candidate) => {
      if (stopping) return Promise.reject(notNow());
      if (queue.length >= limit) {
        return Promise.reject(
          new LogServerError("TOO_MANY", "Too much waits to be logged.", "Send it again in a minute."),
        );
      }
      return new Promise((resolve, reject) => {
        queue.push({ candidate, resolve, reject });
        void start();
      });
    },
    receiptOf: async ({ digest, statement }) => {
      const place = (await store.places([Buffer.from(digest, "hex")])).get(digest);
      const { size, note } = store.checkpoint();
      if (!witnessed || place === undefined || place.first + place.count > size) return undefined;
      return { entries: entriesAt(place, statementChains(statement)), note };
    },
    heartbeat,
    waiting: () => queue.length,
    stop: async () => {
      stopping = true;
      await work;
    },
  };
}

type Job = {
  readonly candidate: Candidate;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: Error) => void;
};

type AdmittedBatch = { readonly plan: Batch; readonly taken: readonly Job[]; readonly appended: boolean };

function isNotWitnessed(error: unknown): error is LogServerError {
  return error instanceof LogServerError && error.code === "NOT_WITNESSED";
}

function notNow(cause?: unknown): LogServerError {
  return new LogServerError(
    "STOPPED",
    "The log cannot take anything in just now.",
    "Send it again in a minute.",
    cause,
  );
}

function internal(cause: unknown): LogServerError {
  return new LogServerError("INTERNAL", "Something went wrong inside the log.", "Its operator has been told.", cause);
}
