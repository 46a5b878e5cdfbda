/**
 * Replays a log from its public files alone and says whether its newest checkpoint may be vouched for. Trust assumptions: the log's key, this machine's
 * clock and disk; nothing else that the log says is believed before it was computed again.
 */
import { setImmediate } from "node:timers/promises";
import { CoreError, encodeHex, equalBytes, type SignedStatement, verifyEnvelopes } from "@touchmark/core";
import {
  appendDigests,
  type Digest,
  fetchConsistency,
  fetchEarlier,
  fetchEnvelope,
  followLeaves,
  type LogEndpoint,
  LogError,
  nodeCrypto,
  type NotePair,
  parseLeaf,
  type SignedCheckpoint,
  type VerifierKey,
} from "@touchmark/log";
import { createReplay, type Problem, readLeaf, type ReadLeaf, type ReplayMaterial } from "../replay.ts";
import type { ProofChecker } from "../claim-proofs.ts";
import { judgeProofs } from "./audit-proofs.ts";
import { type AuditStore, type Halt, openAuditStore } from "./audit-store.ts";

export type AuditVerdict =
  /** Everything was replayed. `time` is the last leaf's, `seen` this machine's clock when the checkpoint was first seen, both in seconds. */
  | { readonly kind: "good"; readonly checkpoint: SignedCheckpoint; readonly time: number; readonly seen: number }
  /** A rule is broken, now or when it was last looked at [M-10]. */
  | { readonly kind: "broken"; readonly halt: Halt }
  /** The log signed two histories. */
  | { readonly kind: "fork"; readonly halt: Halt; readonly notes: NotePair }
  /** Something could not be had, or is not what was asked for: nothing is known. */
  | { readonly kind: "unchecked"; readonly error: LogError };

export type Auditor = {
  /** Replays up to a checkpoint that the log's key signed. One call runs at a time, the others wait. Throws what the disk throws. */
  readonly audit: (log: LogEndpoint, checkpoint: SignedCheckpoint) => Promise<AuditVerdict>;
  /** The newest checkpoint of which everything was replayed. */
  readonly checkpoint: () => SignedCheckpoint | undefined;
  readonly halt: () => Halt | undefined;
  /** An operator has looked at what stopped it: the next audit looks again from before it. */
  readonly resolve: () => void;
  readonly close: () => Promise<void>;
};

export type AuditorOptions = {
  readonly dir: string;
  readonly key: VerifierKey;
  /** Seconds since 1970. */
  readonly clock: () => number;
  readonly onProgress?: (replayed: number, size: number) => void;
  /** [M-16] Looks up proofs of first claims; without it they are taken as the log has them. */
  readonly proofs?: ProofChecker | undefined;
  /** Bytes of envelopes that are held at one time, about, 2 MiB if left out. */
  readonly stepBytes?: number;
  /** [L-41] The authority that may claim the log's own id; any may if it is left out. */
  readonly charter?: string | undefined;
};

/** [M-6] Seconds by which clocks may differ. */
export const CLOCK_TOLERANCE = 600;
/** Leaves whose envelopes are fetched, and their signatures checked, together; fewer where those are large, or have many signatures, which anybody can have logged. */
const STEP = 1024;
const STEP_BYTES = 2 * 1024 * 1024;
/** Envelopes asked for at once. */
const AT_ONCE = 16;
/** Leaves after which what was replayed is made durable at the next epoch leaf. */
const KEEP_AFTER = 4096;

/** Opens the auditor in a folder. Throws `STORE_LOCKED`, `STORE_FOREIGN`, `STORE_DAMAGED`. */
export function openAuditor(options: AuditorOptions): Auditor {
  const { dir, key, clock } = options;
  const store = openAuditStore(dir, key);
  let work: Promise<unknown> = Promise.resolve();
  const audit = async (log: LogEndpoint, checkpoint: SignedCheckpoint): Promise<AuditVerdict> => {
    const halt = store.halt();
    if (halt) return { kind: "broken", halt };
    try {
      return await auditTo(store, log, checkpoint, clock(), options);
    } catch (error) {
      store.reopen();
      if (!(error instanceof LogError)) throw error;
      if (error.code !== "FORK" || !error.notes) return { kind: "unchecked", error };
      const problem = { index: checkpoint.size - 1, rule: "M-2", message: error.message };
      const fork = { problem, note: checkpoint.note };
      store.setHalt(fork);
      return { kind: "fork", halt: fork, notes: error.notes };
    }
  };
  return {
    audit: (log, checkpoint) => {
      const result = work.then(() => audit(log, checkpoint));
      work = result.catch(() => undefined);
      return result;
    },
    checkpoint: () => {
      const { checkpoint, peaks } = store.state();
      return checkpoint?.size === peaks.size ? checkpoint : undefined;
    },
    halt: store.halt,
    resolve: () => store.setHalt(undefined),
    close: async () => {
      await work;
      store.close();
    },
  };
}

async function auditTo(
  store: AuditStore,
  log: LogEndpoint,
  checkpoint: SignedCheckpoint,
  now: number,
  { onProgress, proofs, charter, stepBytes = STEP_BYTES }: AuditorOptions,
): Promise<AuditVerdict> {
  const { checkpoint: older, peaks, epoch, seen } = store.state();
  if (older) await fetchConsistency(log, older, checkpoint); // [M-2]
  if (older && peaks.size === older.size && older.size === checkpoint.size) {
    return { kind: "good", checkpoint, time: parseLeaf(epoch!).time, seen };
  }
  const firstSeen = older && sameTree(older, checkpoint) ? seen : now;
  const start = { size: peaks.size, time: epoch ? parseLeaf(epoch).time : 0, map: store.map() };
  const replay = createReplay({
    origin: log.key.name,
    start,
    memory: store.memory,
    latest: now + CLOCK_TOLERANCE,
    ...(charter === undefined ? {} : { chartered: (authority: string) => authority === charter }),
  });
  const halted = (problem: Problem): AuditVerdict => {
    store.reopen();
    const halt = { problem, note: checkpoint.note };
    store.setHalt(halt);
    return { kind: "broken", halt };
  };
  let kept = peaks;
  let since: Digest[] = [];
  let last = epoch;
  const keepUpTo = (): void => {
    kept = appendDigests(kept, since);
    store.keep({ peaks: kept, epoch: last, checkpoint, seen: firstSeen });
    since = [];
    onProgress?.(kept.size, checkpoint.size);
  };
  store.begin();
  for await (const batch of followLeaves(log, peaks, checkpoint)) {
    for (let at = 0; at < batch.leaves.length;) {
      const step = batch.leaves.slice(at, at + STEP).map(readLeaf);
      const { count, ...material } = await fetchMaterial(log, store, step, batch.first + at, stepBytes);
      for (let i = 0; i < count; i++) {
        const leaf = step[i]!;
        const doubt = proofs && (await judgeProofs(batch.first + at + i, leaf, material, store.memory, now, proofs));
        if (doubt) return halted(doubt);
        const [problem] = replay.next(leaf, material);
        if (problem) return halted(problem);
        since.push(batch.digests[at + i]!);
        last = leaf.bytes;
        if (since.length >= KEEP_AFTER && replay.settled()) {
          keepUpTo();
          store.begin();
        }
      }
      at += count;
      await setImmediate();
    }
  }
  const unended = replay.end();
  if (unended) return halted(unended);
  keepUpTo();
  return { kind: "good", checkpoint, time: replay.time(), seen: firstSeen };
}

function sameTree(a: SignedCheckpoint, b: SignedCheckpoint): boolean {
  return a.size === b.size && equalBytes(a.root, b.root);
}

/** Everything that lies beside the first `count` of these leaves [M-4]. Throws a `LogError` that names the entry if something can't be had. */
async function fetchMaterial(
  log: LogEndpoint,
  store: AuditStore,
  leaves: readonly ReadLeaf[],
  first: number,
  stepBytes: number,
): Promise<ReplayMaterial & { count: number }> {
  const wanted = wantedEnvelopes(leaves, first);
  const all = [...wanted.values()];
  let bytes = 0;
  await inParallel(
    all,
    async (one) => {
      one.envelope = await orNamed(one.index, "envelope", fetchEnvelope(log, one.hash));
      bytes += one.envelope.length;
    },
    () => bytes < stepBytes,
  );
  const missing = all.findIndex(({ envelope }) => envelope === undefined);
  const had = missing < 0 ? all : all.slice(0, missing);
  const next = all[had.length];
  const opened = verifyEnvelopes(
    nodeCrypto,
    had.map(({ envelope }) => textOf(envelope!)),
  );
  for (const [i, one] of had.entries()) one.opened = opened[i];
  const lists = new Map<string, number>();
  await inParallel(earlierRoots(had), async ({ root, index }) => {
    const list = await orNamed(index, "list of earlier versions", fetchEarlier(log, root)); // [M-5]
    lists.set(encodeHex(root), list.length);
  });
  store.lend((hash) => wanted.get(latin1(hash))!.envelope!);
  return {
    count: next === undefined ? leaves.length : next.index - first,
    statement: (hash) => {
      const signed = wanted.get(latin1(hash))?.opened;
      if (signed instanceof CoreError) throw signed;
      return signed;
    },
    earlierSize: (root) => lists.get(encodeHex(root)),
  };
}

/** An envelope, and the first entry that names it. */
type Wanted = {
  readonly hash: Uint8Array;
  readonly index: number;
  envelope: Uint8Array | undefined;
  opened: SignedStatement | CoreError | undefined;
};

/** By the hash's bytes in latin1, in the order of the entries. */
function wantedEnvelopes(leaves: readonly ReadLeaf[], first: number): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  let index = first;
  for (const { leaf } of leaves) {
    const at = index++;
    if (leaf instanceof LogError || leaf.kind === "epoch") continue; // the replay says what is wrong with a leaf
    const name = latin1(leaf.envelopeHash);
    if (wanted.has(name)) continue;
    wanted.set(name, { hash: leaf.envelopeHash, index: at, envelope: undefined, opened: undefined });
  }
  return wanted;
}

/** The roots of the lists that claims name [S-15], each once. */
function earlierRoots(wanted: readonly Wanted[]): { root: Uint8Array; index: number }[] {
  const roots = new Map<string, { root: Uint8Array; index: number }>();
  for (const { opened, index } of wanted) {
    if (opened === undefined || opened instanceof CoreError || opened.statement.kind !== "claim") continue;
    for (const { earlier } of opened.statement.packages.values()) {
      if (earlier.size > 0) roots.set(encodeHex(earlier.root), { root: earlier.root, index });
    }
  }
  return [...roots.values()];
}

async function orNamed<T>(index: number, what: string, fetched: Promise<T>): Promise<T> {
  try {
    return await fetched;
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    throw new LogError(cause.code, `The ${what} of entry ${index} cannot be had: ${cause.message}`, { cause });
  }
}

async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  goesOn: () => boolean = () => true,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && goesOn()) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** An envelope is ASCII [S-1]: in one that isn't, the characters that these bytes become are refused like any that don't belong there. */
function textOf(envelope: Uint8Array): string {
  return latin1(envelope);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
