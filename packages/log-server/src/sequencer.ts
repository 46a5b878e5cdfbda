/** The single writer: gathers what is submitted, admits it in order, and answers when all of a batch is durable and signed. */
import { setImmediate, setTimeout } from "node:timers/promises";
import { type PackageState, type SignedStatement, statementChains } from "@touchmark/core";
import { parseEpoch, parseLeaf } from "@touchmark/log";
import {
  type Admission,
  type AdmittingLog,
  admitStatement,
  type Candidate,
  isRefusal,
  type PackageView,
} from "./admission.ts";
import type { Cosigning } from "./cosigning.ts";
import { LogServerError } from "./error.ts";
import type { PackageStates } from "./package-states.ts";
import type { StatementPlace } from "./queries.ts";
import type { AdmittedStatement, Store } from "./store.ts";

/** The entries of a statement, and a signed checkpoint that covers them. */
export type Receipt = { readonly entries: ReadonlyMap<string, number>; readonly note: string };

export type SequencerOptions = {
  readonly store: Store;
  readonly states: PackageStates;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** The digest of the authority that may claim the log's own id; none may if it is left out. */
  readonly charter?: string | undefined;
  /** Where the log has witnesses: nothing is published without their cosignatures. */
  readonly cosigning?: Cosigning | undefined;
  /** Told what went wrong while nobody was to blame; `error` is kept out of every answer. */
  readonly onFailure?: (error: unknown) => void;
  /** Statements in one batch at most, 512 if left out. */
  readonly batch?: number;
  /** Statements that may wait at most, 4,096 if left out. */
  readonly queue?: number;
};

export type Sequencer = {
  /** [L-14] to [L-16]. Rejects with a `CoreError` or `LogServerError` that says why not. */
  readonly submit: (candidate: Candidate) => Promise<Receipt>;
  /** The receipt of a statement that is published already, whoever signs it now. */
  readonly receiptOf: (signed: SignedStatement) => Receipt | undefined;
  /** [L-18] Appends an epoch leaf if the last one is at least `age` seconds old. */
  readonly heartbeat: (age: number) => Promise<void>;
  /** Refuses what comes from now on and waits for what was taken in. */
  readonly stop: () => Promise<void>;
};

// Milliseconds.
const BUSY = 20;
const MAX_WAIT = 5;

export function createSequencer(options: SequencerOptions): Sequencer {
  const { store, states, clock, cosigning, onFailure = () => undefined, batch = 512, queue: limit = 4096 } = options;
  const { origin } = store.checkpoint();
  const chartered = (authority: string): boolean => authority === options.charter;
  // A log may have been without witnesses, or begun before they first answered.
  let witnessed = cosigning === undefined || cosigning.covers(store.checkpoint().note);
  const queue: Job[] = [];
  let beat: number | undefined;
  let working = false;
  let work = Promise.resolve();
  let ended = -Infinity;
  let stopping = false;

  const start = (): Promise<void> => {
    if (!working) work = workOff();
    return work;
  };
  // Between the look at the empty queue and `working = false` nothing else runs, so that nothing can be queued unseen.
  const workOff = async (): Promise<void> => {
    working = true;
    while (queue.length > 0 || beat !== undefined) {
      await gather(performance.now() - ended < BUSY);
      const jobs = queue.splice(0, batch);
      const age = beat;
      beat = undefined;
      try {
        await runBatch(jobs, age);
      } catch (error) {
        const awaited = isNotWitnessed(error); // its operator was told by whoever waits for the witnesses
        if (!awaited) onFailure(error);
        for (const job of jobs) job.reject(awaited ? error : notNow(error));
      }
      ended = performance.now();
    }
    working = false;
  };
  /** Under load a batch waits as long as more comes in, so that one write to the disk serves many; after a pause it does not wait. */
  const gather = async (busy: boolean): Promise<void> => {
    const begun = performance.now();
    await setImmediate();
    if (!busy) return;
    for (let seen = 0; seen < queue.length && queue.length < batch && performance.now() - begun < MAX_WAIT;) {
      seen = queue.length;
      await setTimeout(1);
    }
  };

  /** Shows the newest stored checkpoint, with the cosignatures of its quorum where the log has witnesses. */
  const publish = async (): Promise<void> => {
    const newest = store.newest();
    await store.publish(cosigning === undefined ? newest.checkpoint.note : await cosigning.collect(newest));
    witnessed = true;
  };

  const runBatch = async (jobs: readonly Job[], age: number | undefined): Promise<void> => {
    // [L-16] What is durable but not published can't be answered for, not even if it is known already.
    if (!store.ready()) throw notNow();
    if (store.pending() !== undefined || !witnessed) await publish(); // [L-30]
    const { size } = store.checkpoint();
    const last = parseEpoch(store.leaf(size - 1)).time;
    const time = Math.max(last, Math.floor(clock())); // [L-7]
    const plan = planBatch(store, states, { origin, chartered }, time);
    const taken = jobs.filter((job) => {
      try {
        plan.admit(job);
        return true;
      } catch (error) {
        if (!isRefusal(error)) onFailure(error);
        job.reject(isRefusal(error) ? error : internal(error));
        return false;
      }
    });
    const due = age !== undefined && time - last >= age;
    if (plan.statements.length > 0 || due) {
      await store.append(plan.statements, time);
      await publish();
    } else {
      const improved = cosigning?.improved(store.checkpoint().note);
      if (improved !== undefined) await store.publish(improved);
    }
    const { note } = store.checkpoint();
    for (const job of taken) job.resolve({ entries: plan.entriesOf(job), note });
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
    receiptOf: ({ digest, statement }) => {
      const place = store.place(Buffer.from(digest, "hex"));
      const { size, note } = store.checkpoint();
      if (!witnessed || place === undefined || place.first + place.count > size) return undefined;
      return { entries: entriesAt(place, statementChains(statement)), note };
    },
    heartbeat,
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

type Plan = {
  readonly statements: AdmittedStatement[];
  readonly admit: (job: Job) => void;
  readonly entriesOf: (job: Job) => ReadonlyMap<string, number>;
};

/** A batch in the making: each statement is judged by the store and what the batch has admitted before it. */
function planBatch(store: Store, published: PackageStates, log: AdmittingLog, time: number): Plan {
  const statements: AdmittedStatement[] = [];
  const states = new Map<string, PackageState>();
  const heads = new Map<string, Admission["statement"]["heads"][number]>();
  const releases = new Map<string, Admission["statement"]["releases"][number]>();
  const places = new Map<string, StatementPlace>();
  const lists = new Set<string>();
  const first = store.checkpoint().size;
  let next = first;

  const view: PackageView = {
    head: (packageHash) => heads.get(hex(packageHash)) ?? store.head(packageHash),
    state: (packageId, packageHash) =>
      states.get(packageId) ?? published(packageId, store.head(packageHash)?.lastAuthority ?? null),
    release: (packageHash, version) =>
      releases.get(`${hex(packageHash)}@${version}`) ?? store.release(packageHash, version),
    time: (index) => (index < first ? parseLeaf(store.leaf(index)).time : time),
    hasEarlier: (root) => lists.has(hex(root)) || store.earlier(root) !== undefined,
  };
  return {
    statements,
    admit: ({ candidate }) => {
      const { digest } = candidate.signed;
      const known = places.get(digest) ?? store.place(Buffer.from(digest, "hex"));
      if (known !== undefined) {
        places.set(digest, known); // [L-15]
        return;
      }
      const { statement, states: fresh } = admitStatement(view, candidate, next, time, log);
      places.set(digest, { first: next, count: statement.entries.length });
      next += statement.entries.length;
      statements.push(statement);
      for (const [packageId, state] of fresh) states.set(packageId, state);
      for (const head of statement.heads) heads.set(hex(head.packageHash), head);
      for (const row of statement.releases) releases.set(`${hex(row.packageHash)}@${row.version}`, row);
      for (const { root } of statement.earlier) lists.add(hex(root));
    },
    entriesOf: ({ candidate }) => {
      const place = places.get(candidate.signed.digest);
      return place === undefined ? new Map() : entriesAt(place, statementChains(candidate.signed.statement));
    },
  };
}

/** [L-6] A statement's entries are in the order of its package ids. */
function entriesAt(place: StatementPlace, packages: readonly string[]): Map<string, number> {
  return new Map(packages.map((packageId, i) => [packageId, place.first + i]));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

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
