/**
 * Having checkpoints cosigned: each witness of the policy is asked for the newest stored checkpoint until it gives its cosignature, all of them at once, and
 * whoever waits is told as soon as the quorum stands. Trust assumption: the policy's keys; an address of a witness is only where to ask.
 */
import {
  consistencyRanges,
  type Cosignature,
  decideQuorum,
  digestToBytes,
  encodeNote,
  type Fetch,
  fetchCosignature,
  type Note,
  type NoteSignature,
  parseNote,
  type PolicyWitness,
  type TlogPolicy,
  verifyCosignatures,
} from "@touchmark/log";
import { LogServerError } from "./error.ts";
import type { Snapshot } from "./store-reads.ts";

export type CosigningOptions = {
  readonly policy: TlogPolicy;
  readonly fetch: Fetch;
  /** Size of the published checkpoint, which the witnesses know most likely. */
  readonly published: number;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** Told when a witness begins to fail and when it is back. */
  readonly onTrouble?: (message: string, error?: unknown) => void;
  /** Milliseconds that {@link Cosigning.collect} waits for the quorum, 10,000 if left out. */
  readonly patience?: number;
  /** Milliseconds for one request to a witness, 10,000 if left out. */
  readonly timeout?: number;
};

export type Cosigning = {
  /**
   * The checkpoint's note with the cosignatures of its quorum. Throws `NOT_WITNESSED` if they do not come in time; the witnesses are asked on, and
   * another call for the same checkpoint fails at once until they have answered.
   */
  readonly collect: (tree: Snapshot) => Promise<string>;
  /** Whether the cosignatures on this note are the quorum. */
  readonly covers: (note: string) => boolean;
  /** Has the published checkpoint cosigned again if its quorum time is at least `age` seconds ago. */
  readonly refresh: (tree: Snapshot, age: number) => void;
  /** A note of this published checkpoint with a newer quorum than its own, if there is one by now. */
  readonly improved: (published: string) => string | undefined;
  /** Called when the quorum stands, or stands anew, and nobody waits in `collect`. */
  readonly onQuorum: (listener: () => void) => void;
  readonly stop: () => void;
};

/** The checkpoint that is to be cosigned, and since when a cosignature has to have been had, in seconds. */
type Target = { readonly tree: Snapshot; readonly note: Note; readonly since: number };

/** `known` is the size that it cosigned last, as far as is known; `line` its newest cosignature and the text that it is on. */
type Asked = {
  readonly witness: PolicyWitness & { readonly url: string };
  known: number | undefined;
  line: Line | undefined;
  busy: boolean;
  failures: number;
  failedAt: number;
  timer: NodeJS.Timeout | undefined;
};

/** `time` is the witness's, `had` is this clock's when it was asked; both in seconds. */
type Line = {
  readonly text: string;
  readonly signature: NoteSignature;
  readonly time: number;
  readonly had: number;
};

// Milliseconds.
const LEAST_PAUSE = 250;
const MOST_PAUSE = 30_000;

/** Throws `BAD_QUORUM` if the quorum cannot stand with the witnesses that have an address. */
export function createCosigning(options: CosigningOptions): Cosigning {
  const { policy, clock, onTrouble = () => undefined, patience = 10_000, timeout = 10_000 } = options;
  const ended = new AbortController();
  const asked = policy.witnesses.flatMap((witness) => startOf(witness));
  requireQuorum(policy, asked);
  const waiting = new Set<() => void>();
  let target: Target | undefined;
  let { published } = options;
  let gaveUp: string | undefined;
  let listener: (() => void) | undefined;

  /** The target's note and the newest time of its quorum, out of the cosignatures that were had since then. */
  const standing = (since: number): { note: string; time: number } | undefined => {
    if (target === undefined) return undefined;
    const { text } = target.note;
    const lines = asked.filter(({ line }) => line?.text === text);
    const cosignatures = lines
      .filter(({ line }) => line!.had >= since)
      .map(({ witness, line }): Cosignature => ({ key: witness.key, time: line!.time }));
    const { held, time } = decideQuorum(policy, cosignatures, clock());
    if (!held || time === null) return undefined;
    const signatures = [...target.note.signatures, ...lines.map(({ line }) => line!.signature)];
    return { note: encodeNote({ text, signatures }), time };
  };

  const aim = (tree: Snapshot, since: number): void => {
    const note = parseNote(Buffer.from(tree.checkpoint.note, "utf8"));
    for (const one of asked) one.line ??= lineFrom(note, one.witness);
    target = { tree, note: { text: note.text, signatures: ownSignatures(tree) }, since };
    for (const one of asked) if (performance.now() - one.failedAt >= LEAST_PAUSE) void ask(one);
  };

  const ask = async (one: Asked): Promise<void> => {
    const wanted = target;
    if (one.busy || wanted === undefined || ended.signal.aborted || has(one, wanted)) return;
    one.busy = true;
    clearTimeout(one.timer);
    try {
      await obtain(one, wanted);
      if (one.failures > 0) onTrouble(`The witness ${one.witness.key.name} cosigns again.`);
      one.failures = 0;
    } catch (error) {
      if (ended.signal.aborted) return;
      one.failedAt = performance.now();
      if (one.failures++ === 0)
        onTrouble(`The witness ${one.witness.key.name} does not cosign: ${wordsOf(error)}`, error);
      const pause = Math.min(MOST_PAUSE, LEAST_PAUSE * 2 ** Math.min(one.failures, 10));
      one.timer = setTimeout(() => void ask(one), pause).unref();
    } finally {
      one.busy = false;
    }
    if (one.failures > 0) return;
    announce();
    void ask(one); // the log may have grown meanwhile
  };

  const announce = (): void => {
    if (target === undefined || standing(target.since) === undefined) return;
    if (waiting.size === 0) listener?.();
    for (const wake of waiting) wake();
  };

  /** Asks with the size that the witness knows, and again with the one that it names. */
  const obtain = async (one: Asked, { tree, note }: Target): Promise<void> => {
    const { checkpoint, digests } = tree;
    const endpoint = {
      url: one.witness.url,
      key: one.witness.key,
      fetch: options.fetch,
      timeout,
      signal: ended.signal,
    };
    const source = encodeNote(note);
    const sizes = [one.known ?? published, published, checkpoint.size, 0].filter((size) => size <= checkpoint.size);
    const tried = new Set<number>();
    for (let oldSize = sizes.shift(); oldSize !== undefined; oldSize = sizes.find((size) => !tried.has(size))) {
      tried.add(oldSize);
      const ranges = oldSize === 0 ? [] : consistencyRanges(oldSize, checkpoint.size);
      const proof = (await digests(ranges)).map(digestToBytes);
      const had = Math.floor(clock());
      const answer = await fetchCosignature(endpoint, { oldSize, proof, note: source }, note.text, had);
      if (answer.kind === "cosigned") {
        one.known = checkpoint.size;
        one.line = { text: note.text, signature: answer.line, time: answer.time, had };
        return;
      }
      if (answer.size === undefined) continue;
      if (answer.size > checkpoint.size) throw setBack(answer.size, checkpoint.size);
      sizes.splice(0, sizes.length, answer.size);
    }
    throw new LogServerError(
      "BAD_ANSWER",
      "it does not say which size it cosigned last, or says another one each time.",
    );
  };

  return {
    collect: async (tree) => {
      aim(tree, 0);
      const text = target?.note.text;
      const limit = gaveUp === text ? 0 : patience;
      await untilTrue(() => standing(0) !== undefined, waiting, limit, ended.signal);
      const found = standing(0);
      gaveUp = found === undefined ? text : undefined;
      if (found === undefined) throw notWitnessed();
      published = tree.checkpoint.size;
      return found.note;
    },
    covers: (source) => {
      const note = parseNote(Buffer.from(source, "utf8"));
      const keys = policy.witnesses.map(({ key }) => key);
      const { cosignatures } = verifyCosignatures(note, keys);
      return decideQuorum(policy, cosignatures, clock()).held;
    },
    refresh: (tree, age) => {
      const now = Math.floor(clock());
      if (target?.tree.checkpoint.size !== tree.checkpoint.size) aim(tree, 0);
      const time = standing(0)?.time;
      if (time === undefined || now - time >= age) aim(tree, now);
    },
    improved: (source) => {
      if (target === undefined || !source.startsWith(`${target.note.text}\n`)) return undefined;
      const found = standing(target.since);
      return found !== undefined && found.note !== source ? found.note : undefined;
    },
    onQuorum: (call) => {
      listener = call;
    },
    stop: () => {
      ended.abort();
      for (const { timer } of asked) clearTimeout(timer);
    },
  };
}

function startOf(witness: PolicyWitness): Asked[] {
  const { url } = witness;
  if (url === undefined) return [];
  const state = { known: undefined, line: undefined, busy: false, failures: 0, failedAt: -Infinity, timer: undefined };
  return [{ witness: { ...witness, url }, ...state }];
}

function requireQuorum(policy: TlogPolicy, asked: readonly Asked[]): void {
  for (const { witness } of asked) {
    if (/^https?:$/.test(URL.parse(witness.url)?.protocol ?? "")) continue;
    throw new LogServerError("BAD_QUORUM", `The address of the witness ${witness.name} is no http(s) address.`);
  }
  const all = asked.map(({ witness }): Cosignature => ({ key: witness.key, time: 1 }));
  if (policy.quorum !== null && decideQuorum(policy, all, 1).held) return;
  throw new LogServerError(
    "BAD_QUORUM",
    policy.quorum === null
      ? "The policy asks for no cosignatures."
      : "The quorum cannot stand: too few of its witnesses have an address.",
    "Give each witness its submission prefix: witness NAME VKEY https://witness.example/",
  );
}

function has({ line }: Asked, { note, since }: Target): boolean {
  return line?.text === note.text && line.had >= since;
}

/** The log's own lines of a note. */
function ownSignatures({ checkpoint }: Snapshot): NoteSignature[] {
  const { signatures } = parseNote(Buffer.from(checkpoint.note, "utf8"));
  return signatures.filter(({ name }) => name === checkpoint.origin);
}

/** What a published note has of a witness already, so that it need not be asked again after a restart. */
function lineFrom(note: Note, { key }: PolicyWitness): Line | undefined {
  const [newest] = note.signatures
    .filter(({ name, keyId }) => name === key.name && keyId === key.keyId)
    .map((signature) => ({ signature, time: timeOf({ text: note.text, signatures: [signature] }, key) }))
    .toSorted((a, b) => b.time - a.time);
  return newest && { text: note.text, ...newest, had: 0 };
}

function timeOf(note: Note, key: PolicyWitness["key"]): number {
  return verifyCosignatures(note, [key]).cosignatures[0]?.time ?? 0;
}

/** Waits until it is true when woken, at most `limit` milliseconds. */
async function untilTrue(
  isTrue: () => boolean,
  waiting: Set<() => void>,
  limit: number,
  signal: AbortSignal,
): Promise<void> {
  if (isTrue() || limit === 0) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => {
    if (isTrue()) resolve();
  };
  const timer = setTimeout(resolve, limit);
  waiting.add(wake);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  waiting.delete(wake);
  clearTimeout(timer);
}

function setBack(theirs: number, ours: number): LogServerError {
  return new LogServerError(
    "SET_BACK",
    `it has cosigned ${theirs} leaves of this log, which has ${ours}.`,
    "The log was restored from an old backup, or somebody else signs with its key. To go on from here would be a second history.",
  );
}

function notWitnessed(): LogServerError {
  return new LogServerError(
    "NOT_WITNESSED",
    "The log's witnesses have not cosigned yet.",
    "What was sent is not lost: send it again in a minute, and it gets the same place.",
  );
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
