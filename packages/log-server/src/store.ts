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
import { type LogView, type StoreReads, storeReads } from "./store-reads.ts";
import { textBlobs } from "./texts.ts";
import { appendLeaves, EMPTY_EDGE, rootOfEdge, type TreeEdge } from "./tree.ts";

// Leaves after which the map is kept: while running, and at the end.
const CACHE_EACH = 200_000;
const CACHE_AT_END = 20_000;

export type Store = StoreReads & {
  /** Log time of the published checkpoint's epoch leaf, in seconds. */
  readonly time: () => number;
  /** The checkpoint that is signed and durable, but not published yet: after `append`, and perhaps after a restart [L-30]. */
  readonly pending: () => SignedCheckpoint | undefined;
  /**
   * Appends these statements in order and an epoch leaf, and gives the signed checkpoint, which has to be published before the next call. `time` is the log
   * time of the epoch leaf, in seconds. Throws before anything changed, or throws and refuses all later calls with `STOPPED` if it cannot know what is stored.
   */
  readonly append: (statements: readonly AdmittedStatement[], time: number) => Promise<SignedCheckpoint>;
  /**
   * [L-30] Shows this note of the pending checkpoint, or of the published one again, with whatever cosignatures are on it. Throws `WRONG_CHECKPOINT` for a note
   * of another checkpoint, a `LogError` for one that the log did not sign; after any other failure it can be called again.
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
    return storeOver({ storage, signer, map, view: { checkpoint, edge }, time, pending: undefined });
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
    return storeOver({ storage, signer, map, view, time, pending });
  });
}

type Parts = {
  readonly storage: Storage;
  readonly signer: NoteSigner;
  readonly map: PackageMap;
  view: LogView;
  time: number;
  pending: Pending | undefined;
};

/** What becomes the store's state when the checkpoint is published. */
export type Pending = LogView & { readonly draft: MapDraft; readonly time: number };

function storeOver(parts: Parts): Store {
  const { storage, signer, map } = parts;
  const { ledger, blobs } = storage;
  let stopped = false;
  let appending = false;
  let cachedSize = 0;
  let caching: Promise<void> | undefined;

  const append = async (statements: readonly AdmittedStatement[], time: number): Promise<SignedCheckpoint> => {
    const { checkpoint, edge } = parts.view;
    const draft = map.draft();
    for (const { heads } of statements) for (const head of heads) draft.set(head);
    const entries = statements.flatMap((statement) => statement.entries);
    const covers = checkpoint.size + entries.length;
    const epoch = { kind: "epoch", time, mapRoot: draft.root(), covers, previousEpoch: checkpoint.size - 1 } as const;
    const leaves = [...entries, encodeEpoch(epoch)];
    const next = appendLeaves(edge, leaves);
    const head = headOf(next.edge);
    const tiles = next.full.map(({ tile, bytes }) => ({ path: tilePath(tile), bytes }));
    await blobs.write([...tiles, ...textBlobs(storage, statements)]);
    await ledger.append({ from: checkpoint, to: head, leaves, statements });
    const signed = { origin: signer.key.name, ...head, note: sign(head, signer) };
    parts.pending = { checkpoint: signed, edge: next.edge, draft, time };
    return signed;
  };

  const publish = async (note: string): Promise<void> => {
    const { pending } = parts;
    const wanted = pending?.checkpoint ?? parts.view.checkpoint;
    const shown = verifyCheckpoint(note, signer.key);
    if (shown.size !== wanted.size || !equalBytes(shown.root, wanted.root)) {
      throw new LogServerError("WRONG_CHECKPOINT", "The note is not of the checkpoint that is to be published.");
    }
    await blobs.show(note);
    await ledger.setPublished(note);
    parts.view = { checkpoint: shown, edge: pending?.edge ?? parts.view.edge };
    if (pending === undefined) return;
    pending.draft.commit();
    parts.time = pending.time;
    parts.pending = undefined;
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

  return {
    ...storeReads(
      storage,
      map,
      () => parts.view,
      () => parts.pending ?? parts.view,
    ),
    time: () => parts.time,
    pending: () => parts.pending?.checkpoint,
    append: async (statements, time) => {
      if (stopped || appending || parts.pending !== undefined)
        throw new LogServerError("STOPPED", "The log cannot append.", "Its operator has to restart it.");
      appending = true;
      try {
        return await append(statements, time);
      } catch (error) {
        stopped = error instanceof LogServerError && error.code === "STORE_LOST";
        throw error;
      } finally {
        appending = false;
      }
    },
    publish,
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
