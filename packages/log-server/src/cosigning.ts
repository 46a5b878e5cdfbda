/**
 * Having checkpoints cosigned: each witness of the policy is asked for the newest stored checkpoint until it gives its cosignature, all of them at once, and
 * whoever waits is told as soon as the quorum stands. Trust assumption: the policy's keys; an address of a witness is only where to ask.
 */
import { cleanText } from "@touchmark/core";
import {
  decideQuorum,
  encodeNote,
  parseNote,
  type QuorumVerdict,
  type TlogPolicy,
  verifyCosignatures,
} from "@touchmark/log";
import { askWitness } from "./ask-witness.ts";
import { LogServerError } from "./error.ts";
import type { Snapshot } from "./store-reads.ts";
import { type AskedWitness, createAsker, type Target, targetOf } from "./witness-asker.ts";

export type CosigningOptions = {
  readonly policy: TlogPolicy;
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
  /** The quorum time of this note, in seconds; null if it has no quorum. */
  readonly quorumTime: (note: string) => number | null;
  /** Has the published checkpoint cosigned again if its quorum time is at least `age` seconds ago. */
  readonly refresh: (tree: Snapshot, age: number) => void;
  /** A note of this published checkpoint with a newer quorum than its own, if there is one by now. */
  readonly improved: (published: string) => string | undefined;
  /** Called when the quorum stands, or stands anew, and nobody waits in `collect`. */
  readonly onQuorum: (listener: () => void) => void;
  readonly stop: () => void;
};

/** Throws `BAD_QUORUM` if the quorum cannot stand with the witnesses that have an address. */
export function createCosigning(options: CosigningOptions): Cosigning {
  const { policy, clock, onTrouble = () => undefined, patience = 10_000, timeout = 10_000 } = options;
  const ended = new AbortController();
  const waiting = new Set<() => void>();
  let target: Target | undefined;
  let { published } = options;
  let gaveUp: string | undefined;
  let listener: (() => void) | undefined;

  /** The target's note and the newest time of its quorum, out of the cosignatures that were had since then. */
  const standing = (since: number): { note: string; time: number } | undefined => {
    if (target === undefined) return undefined;
    const { text, signatures } = target.note;
    const had = askers.flatMap(({ witness, line }) => ({ key: witness.key, line: line() }));
    const lines = had.flatMap(({ key, line }) => (line?.text === text ? [{ key, ...line }] : []));
    const { held, time } = decideQuorum(
      policy,
      lines.filter((line) => line.had >= since),
      clock(),
    );
    if (!held || time === null) return undefined;
    return {
      note: encodeNote({ text, signatures: [...signatures, ...lines.map(({ signature }) => signature)] }),
      time,
    };
  };

  const announce = (): void => {
    if (target === undefined || standing(target.since) === undefined) return;
    if (waiting.size === 0) listener?.();
    for (const wake of waiting) wake();
  };

  const askers = witnessesOf(policy).map((witness) =>
    createAsker({
      witness,
      ask: askWitness,
      clock,
      timeout,
      signal: ended.signal,
      target: () => target,
      published: () => published,
      onLine: announce,
      onTrouble,
    }),
  );

  const aim = (tree: Snapshot, since: number): void => {
    const note = parseNote(Buffer.from(tree.checkpoint.note, "utf8"));
    target = targetOf(tree, note, since);
    for (const asker of askers) {
      asker.learn(note);
      asker.ask();
    }
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
    covers: (source) => decideNote(policy, source, clock()).held,
    quorumTime: (source) => decideNote(policy, source, clock()).time,
    refresh: (tree, age) => {
      const now = Math.floor(clock());
      if (target?.size !== tree.checkpoint.size) aim(tree, 0);
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
    stop: () => ended.abort(),
  };
}

/** The verdict on the cosignatures of a note that was signed by the log. */
function decideNote(policy: TlogPolicy, source: string, now: number): QuorumVerdict {
  const note = parseNote(Buffer.from(source, "utf8"));
  const keys = policy.witnesses.map(({ key }) => key);
  return decideQuorum(policy, verifyCosignatures(note, keys).cosignatures, now);
}

/** The witnesses that can be asked. Throws `BAD_QUORUM` if the quorum cannot stand with them. */
function witnessesOf(policy: TlogPolicy): AskedWitness[] {
  if (policy.quorum === null) throw badQuorum("The policy asks for no cosignatures.");
  const asked = policy.witnesses.flatMap(({ url, ...witness }) => (url === undefined ? [] : [{ ...witness, url }]));
  for (const { name, url } of asked) {
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
      throw badQuorum(`The address of the witness ${cleanText(name)} is no http(s) address.`);
  }
  const all = asked.map(({ key }) => ({ key, time: 1 }));
  if (decideQuorum(policy, all, 1).held) return asked;
  throw badQuorum("The quorum cannot stand: too few of its witnesses have an address.");
}

function badQuorum(message: string): LogServerError {
  const hint = "Give each witness its submission prefix: witness NAME VKEY https://witness.example/";
  return new LogServerError("BAD_QUORUM", message, hint);
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

function notWitnessed(): LogServerError {
  return new LogServerError(
    "NOT_WITNESSED",
    "The log's witnesses have not cosigned yet.",
    "What was sent is not lost: send it again in a minute, and it gets the same place.",
  );
}
