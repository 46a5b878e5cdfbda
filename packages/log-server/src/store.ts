/**
 * A log over its storage, as its one writer. Order: tiles and envelopes durable, then in one step entries and the tree's size and root; only then is that
 * signed, so that nothing is signed which the log could forget; then, in a step of its own, the checkpoint is published, and only then is anything answered
 * [L-16] [L-30]. Trust assumption: storage keeps what it says is durable. What is read at start is compared with what was stored and published.
 */
import { equalBytes } from "@touchmark/core";
import {
  createPackageMap,
  encodeEpoch,
  encodeVerifierKey,
  type MapDraft,
  type NoteSigner,
  type PackageMap,
  signCheckpoint,
  type SignedCheckpoint,
  tilePath,
  verifyCheckpoint,
} from "@touchmark/log";
import { LogServerError } from "./error.ts";
import { writeMapCache } from "./map-cache.ts";
import { mendTiles, readState, recoverMap, recoverPending, recoverView } from "./recover.ts";
import { type AdmittedStatement, LEDGER_FORMAT, type TreeHead } from "./storage/ledger.ts";
import { closeStorage, type Storage } from "./storage/storage.ts";
import { type AdmissionReads, type LogView, newestReads, type StoreReads, storeReads } from "./store-reads.ts";
import { writeBefore } from "./texts.ts";
import { appendLeaves, EMPTY_EDGE, rootOfEdge, type TreeEdge } from "./tree.ts";

// Leaves after which the map is kept: while running, and at the end.
const CACHE_EACH = 200_000;
const CACHE_AT_END = 20_000;

export type Store = StoreReads & {
  /** Log time of the newest stored epoch leaf, in seconds. */
  readonly time: () => number;
  /** The newest checkpoint that is signed and durable, but not published yet: after `append`, and perhaps after a restart [L-30]. */
  readonly pending: () => SignedCheckpoint | undefined;
  /** What the next `append` adds to: as the other reads, but of the newest stored tree. */
  readonly ahead: AdmissionReads;
  /**
   * Appends these statements in order and an epoch leaf, and gives the signed checkpoint. One more may be appended while that is being published, but none
   * while there are two, or one that was found at the start [L-30]. `time` is the log time of the epoch leaf, in seconds. Throws before anything changed, or
   * throws and refuses all later calls with `STOPPED` if it cannot know what is stored.
   */
  readonly append: (statements: readonly AdmittedStatement[], time: number) => Promise<SignedCheckpoint>;
  /**
   * [L-30] Shows this note of a pending checkpoint, or if there is none of the published one again, with whatever cosignatures are on it; one that was pending
   * before it is passed over. Throws `WRONG_CHECKPOINT` for a note of another checkpoint, a `LogError` for one that the log did not sign; after any other failure it can be called again, unless the store is not `ready` any more.
   */
  readonly publish: (note: string) => Promise<void>;
  /** Whether `append` can be called at all. */
  readonly ready: () => boolean;
  readonly close: () => Promise<void>;
};

/**
 * Makes a new log whose first leaf is the epoch leaf over the empty map [L-8]. It is durable before this resolves. The storage is closed with the store, and
 * if this throws. Throws `STORE_EXISTS`.
 */
export async function createStore(storage: Storage, signer: NoteSigner, time: number): Promise<Store> {
  return closingOnFailure(storage, async () => {
    const map = createPackageMap();
    const epoch = encodeEpoch({ kind: "epoch", time, mapRoot: map.root(), covers: 0, previousEpoch: null });
    const { edge } = appendLeaves(EMPTY_EDGE, [epoch]);
    const head = { size: edge.size, root: rootOfEdge(edge) };
    const key = encodeVerifierKey(signer.key);
    // Ed25519 signs the same tree with the same bytes, however often: that this one is not stored yet forks nothing unless another one is made under this key.
    const note = sign(head, signer);
    await storage.ledger.create({ ...head, format: LEDGER_FORMAT, key, published: note }, epoch);
    if (!(await storage.ledger.takeWriting())) throw locked();
    await storage.blobs.show(note);
    const checkpoint = { origin: signer.key.name, ...head, note };
    return storeOver({ storage, signer, map, view: { checkpoint, edge }, time, pending: [] });
  });
}

/**
 * Opens a log as its one writer, after comparing tree, map and published checkpoint with what was signed, and mending what can be mended. The storage is
 * closed with the store, and if this throws. Throws `STORE_MISSING`, `STORE_LOCKED`, `STORE_FOREIGN` (another log's key), `STORE_OLD` (restored from a backup),
 * `STORE_DAMAGED`.
 */
export async function openStore(storage: Storage, signer: NoteSigner): Promise<Store> {
  return closingOnFailure(storage, async () => {
    if (!(await storage.ledger.takeWriting())) throw locked();
    const state = await readState(storage, signer.key);
    await storage.blobs.show(state.published.note); // if it is behind, cut short or gone
    await mendTiles(storage, state.published);
    await mendTiles(storage, state.stored);
    const view = await recoverView(storage, state.published);
    const { map, time } = await recoverMap(storage, state.published);
    const stored = { ...state.stored, note: sign(state.stored, signer) };
    const pending = await recoverPending(storage, view, map, stored);
    return storeOver({ storage, signer, map, view, time, pending: pending === undefined ? [] : [pending] });
  });
}

type Parts = {
  readonly storage: Storage;
  readonly signer: NoteSigner;
  readonly map: PackageMap;
  view: LogView;
  time: number;
  /** Each extends the one before it, the first the published one. */
  pending: readonly Pending[];
};

/** What becomes the store's state when the checkpoint is published. */
export type Pending = LogView & { readonly draft: MapDraft; readonly time: number };

function storeOver(parts: Parts): Store {
  const { storage, signer, map } = parts;
  const { ledger, blobs } = storage;
  let stopped = false;
  let appending = false;
  let found = parts.pending.length > 0;
  const newest = (): LogView => parts.pending.at(-1) ?? parts.view;
  let cachedSize = 0;
  let caching: Promise<void> | undefined;

  const append = async (statements: readonly AdmittedStatement[], time: number): Promise<SignedCheckpoint> => {
    const { checkpoint, edge } = newest();
    const draft = parts.pending.at(-1)?.draft.draft() ?? map.draft();
    for (const { heads } of statements) for (const head of heads) draft.set(head);
    const entries = statements.flatMap((statement) => statement.entries);
    const covers = checkpoint.size + entries.length;
    const epoch = { kind: "epoch", time, mapRoot: draft.root(), covers, previousEpoch: checkpoint.size - 1 } as const;
    const leaves = [...entries, encodeEpoch(epoch)];
    const next = appendLeaves(edge, leaves);
    const head = headOf(next.edge);
    const tiles = next.full.map(({ tile, bytes }) => ({ path: tilePath(tile), bytes }));
    await writeBefore(storage, tiles, statements);
    await ledger.append({ from: checkpoint, to: head, leaves, statements });
    const signed = { origin: signer.key.name, ...head, note: sign(head, signer) };
    parts.pending = [...parts.pending, { checkpoint: signed, edge: next.edge, draft, time }];
    return signed;
  };

  const publish = async (note: string): Promise<void> => {
    const shown = verifyCheckpoint(note, signer.key);
    const choices: readonly LogView[] = parts.pending.length > 0 ? parts.pending : [parts.view];
    const wanted = choices.find(
      ({ checkpoint: { size, root } }) => size === shown.size && equalBytes(root, shown.root),
    );
    if (wanted === undefined) {
      throw new LogServerError("WRONG_CHECKPOINT", "The note is not of the checkpoint that is to be published.");
    }
    await blobs.show(note);
    await ledger.setPublished(note);
    // Another one may have been appended meanwhile.
    const covered = parts.pending.filter(({ checkpoint }) => checkpoint.size <= shown.size);
    parts.view = { checkpoint: shown, edge: wanted.edge };
    parts.pending = parts.pending.slice(covered.length);
    found = false;
    for (const { draft, time } of covered) {
      draft.commit();
      parts.time = time;
    }
    if (shown.size - cachedSize >= CACHE_EACH) void keepMap();
  };

  /** A file that can't be written is not missed: the next start takes longer. */
  const keepMap = async (): Promise<void> => {
    if (storage.cache === undefined || caching !== undefined) return caching;
    const { size } = parts.view.checkpoint;
    cachedSize = size;
    caching = writeMapCache(storage.cache, { size, map }).catch(() => undefined);
    await caching;
    caching = undefined;
  };

  /** A storage that is lost stays so. */
  const noticed = (error: unknown): unknown => {
    if (error instanceof LogServerError && error.code === "STORE_LOST") stopped = true;
    return error;
  };

  const reads = storeReads(storage, map, () => parts.view, newest);
  const newestHead: StoreReads["head"] = (packageHash) => (parts.pending.at(-1)?.draft ?? map).get(packageHash);
  return {
    ...reads,
    ahead: newestReads(storage, newestHead, newest, reads),
    time: () => parts.pending.at(-1)?.time ?? parts.time,
    pending: () => parts.pending.at(-1)?.checkpoint,
    append: async (statements, time) => {
      if (stopped || appending || found || parts.pending.length > 1)
        throw new LogServerError("STOPPED", "The log cannot append.", "Its operator has to restart it.");
      appending = true;
      try {
        return await append(statements, time);
      } catch (error) {
        throw noticed(error);
      } finally {
        appending = false;
      }
    },
    publish: (note) =>
      publish(note).catch((error: unknown) => {
        throw noticed(error);
      }),
    ready: () => !stopped,
    close: async () => {
      if (parts.view.checkpoint.size - cachedSize >= CACHE_AT_END) await keepMap();
      await caching;
      await closeStorage(storage);
    },
  };
}

function headOf(edge: TreeEdge): TreeHead {
  return { size: edge.size, root: rootOfEdge(edge) };
}

function sign({ size, root }: TreeHead, signer: NoteSigner): string {
  return signCheckpoint({ origin: signer.key.name, size, root }, signer);
}

/** Runs `work`; what it threw that is not of this package means that storage can't be read. */
export async function closingOnFailure<T>(storage: Storage, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await closeStorage(storage);
    if (error instanceof LogServerError) throw error;
    throw new LogServerError("STORE_DAMAGED", "The log's storage cannot be read.", "Restore it from a backup.", error);
  }
}

function locked(): LogServerError {
  return new LogServerError("STORE_LOCKED", "Another process is writing this log.", "One writer at a time.");
}
