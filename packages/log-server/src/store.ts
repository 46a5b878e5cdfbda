/**
 * A log on disk: SQLite for all that must change at once, and full tiles as files that never change. Order of durability: tiles, then the transaction
 * with entries, envelopes and the signed checkpoint; then, in a step of its own, the checkpoint is published, and only then is anything answered [L-16].
 * Trust assumption: this machine's disk keeps what fsync says it keeps. What is read at start is compared with what was signed.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { equalBytes } from "@touchmark/core";
import {
  createPackageMap,
  encodeEpoch,
  encodeVerifierKey,
  type MapDraft,
  type MapRecord,
  type NoteSigner,
  type PackageMap,
  type RangeDigest,
  signCheckpoint,
  type SignedCheckpoint,
  type Tile,
  TILE_WIDTH,
  tileCache,
  tileReader,
  tileWidth,
  verifyCheckpoint,
} from "@touchmark/log";
import { createDatabase, createTables, type Database, FORMAT, inTransaction, openDatabase } from "./database.ts";
import { LogServerError } from "./error.ts";
import { prepareQueries, type Queries, type ReleaseRow, type StatementPlace } from "./queries.ts";
import { recoverEdge, recoverMap, recoverRow } from "./recover.ts";
import { publishCheckpoint, readTileFile, writeTiles } from "./tile-files.ts";
import { appendLeaves, edgeTile, EMPTY_EDGE, rootOfEdge, type TreeEdge } from "./tree.ts";

/** Name of the database file in the log's folder. */
export const DATABASE = "log.sqlite";
const CACHED_TILES = 4096;

/** A statement that was admitted: its entries, and what they change. */
export type AdmittedStatement = {
  /** SHA-256 of the payload. */
  readonly digest: Uint8Array;
  readonly envelopeHash: Uint8Array;
  readonly envelope: Uint8Array;
  /** Package entries, encoded, next to each other. */
  readonly entries: readonly Uint8Array[];
  readonly heads: readonly MapRecord[];
  readonly releases: readonly ReleaseRow[];
  /** Lists of earlier versions by their root [S-15]. */
  readonly earlier: readonly { readonly root: Uint8Array; readonly list: string }[];
};

export type Store = {
  /** The newest published checkpoint, its note with the cosignatures that were published with it. All reads below answer for its tree, but for `place` and `release`, which may run ahead of it. */
  readonly checkpoint: () => SignedCheckpoint;
  readonly leaf: (index: number) => Uint8Array;
  readonly head: (packageHash: Uint8Array) => MapRecord | undefined;
  readonly bucket: (bucket: number) => Uint8Array;
  readonly mapDigest: RangeDigest;
  /** The published tree as it is now: it gives the same hashes when the log has grown. */
  readonly snapshot: () => Snapshot;
  /** As `snapshot`, of the newest tree that is on the disk, published or not. */
  readonly newest: () => Snapshot;
  /** A tile's bytes, or `undefined` if the published tree has no such tile. */
  readonly tile: (tile: Tile) => Uint8Array | undefined;
  readonly place: (digest: Uint8Array) => StatementPlace | undefined;
  readonly release: (packageHash: Uint8Array, version: string) => ReleaseRow | undefined;
  readonly envelope: (hash: Uint8Array) => Uint8Array | undefined;
  readonly envelopeAt: (index: number) => Uint8Array;
  readonly earlier: (root: Uint8Array) => string | undefined;
  /** The checkpoint that is signed and on the disk, but not published yet: after `append`, and perhaps after a restart [L-30]. */
  readonly pending: () => SignedCheckpoint | undefined;
  /**
   * Appends these statements in order and an epoch leaf, and gives the signed checkpoint, which has to be published before the next call. `time` is the log
   * time of the epoch leaf, in seconds. Throws before anything changed, or throws and refuses all later calls with `STOPPED` if it cannot know what is on the disk.
   */
  readonly append: (statements: readonly AdmittedStatement[], time: number) => Promise<SignedCheckpoint>;
  /**
   * [L-30] Shows this note of the pending checkpoint, or of the published one again, with whatever cosignatures are on it. Throws `WRONG_CHECKPOINT` for a note
   * of another checkpoint, a `LogError` for one that the log did not sign; after any other failure it can be called again.
   */
  readonly publish: (note: string) => Promise<void>;
  /** Whether `append` can be called at all. */
  readonly ready: () => boolean;
  readonly close: () => void;
};

export type Snapshot = { readonly checkpoint: SignedCheckpoint; readonly treeDigest: RangeDigest };

/** Makes a new log whose first leaf is the epoch leaf over the empty map [L-8]. It is on the disk before this returns. Throws `STORE_EXISTS`, `STORE_LOCKED`. */
export function createStore(dir: string, signer: NoteSigner, time: number): Store {
  mkdirSync(dir, { recursive: true });
  const database = createDatabase(join(dir, DATABASE));
  const map = createPackageMap();
  const epoch = encodeEpoch({ kind: "epoch", time, mapRoot: map.root(), covers: 0, previousEpoch: null });
  const { edge } = appendLeaves(EMPTY_EDGE, [epoch]);
  const checkpoint = sign(edge, signer);
  const queries = inTransaction(database.db, () => {
    createTables(database.db);
    const prepared = prepareQueries(database.db);
    prepared.addLeaf(0, epoch);
    const { note } = checkpoint;
    prepared.createLog({ format: FORMAT, key: encodeVerifierKey(signer.key), ...checkpoint, published: note });
    return prepared;
  });
  database.flushNow();
  publishCheckpoint(dir, checkpoint.note);
  return storeOver({ dir, database, queries, signer, map, edge, checkpoint, pending: undefined });
}

/**
 * Opens a log for this process alone, after comparing tree, map and published checkpoint with what was signed, and mending what can be mended.
 * Throws `STORE_MISSING`, `STORE_LOCKED`, `STORE_FOREIGN` (another log's key), `STORE_OLD` (restored from a backup), `STORE_DAMAGED`.
 */
export async function openStore(dir: string, signer: NoteSigner): Promise<Store> {
  mkdirSync(dir, { recursive: true });
  const database = openDatabase(join(dir, DATABASE));
  try {
    const queries = prepareQueries(database.db);
    await database.flush(); // what was committed when the last process was killed may not be on the disk, and is published next
    const state = recoverRow(dir, queries, signer.key);
    const { signed, published: checkpoint } = state;
    const edge = await recoverEdge(dir, queries, checkpoint);
    const { map, ahead: draft } = recoverMap(queries, state);
    const next = await recoverEdge(dir, queries, signed);
    const pending = signed.size > checkpoint.size ? { checkpoint: signed, edge: next, draft } : undefined;
    return storeOver({ dir, database, queries, signer, map, edge, checkpoint, pending });
  } catch (error) {
    database.close();
    if (error instanceof LogServerError) throw error;
    throw new LogServerError("STORE_DAMAGED", "The log's files cannot be read.", "Restore them from a backup.", error);
  }
}

type Parts = {
  readonly dir: string;
  readonly database: Database;
  readonly queries: Queries;
  readonly signer: NoteSigner;
  readonly map: PackageMap;
  edge: TreeEdge;
  checkpoint: SignedCheckpoint;
  pending: Pending | undefined;
};

/** What becomes the store's state when the checkpoint is published. */
type Pending = { readonly checkpoint: SignedCheckpoint; readonly edge: TreeEdge; readonly draft: MapDraft };

function storeOver(parts: Parts): Store {
  const { dir, database, queries, signer, map } = parts;
  const cache = tileCache(CACHED_TILES);
  let stopped = false;
  let appending = false;

  const tileOf = (edge: TreeEdge, wanted: Tile): Uint8Array | undefined => {
    if (tileWidth(edge.size, wanted.level, wanted.index) < wanted.width) return undefined;
    return edgeTile(edge, wanted) ?? cutTile(readTileFile(dir, { ...wanted, width: TILE_WIDTH }), wanted);
  };
  const snapshotOf = ({ checkpoint, edge }: Pick<Pending, "checkpoint" | "edge">): Snapshot => {
    const read = (wanted: Tile): Uint8Array => {
      const found = tileOf(edge, wanted);
      if (found !== undefined) return found;
      throw new LogServerError("STORE_DAMAGED", "A tile of the log is missing.", "Open the log again to mend it.");
    };
    return { checkpoint, treeDigest: tileReader(edge.size, read, cache) };
  };

  const append = async (statements: readonly AdmittedStatement[], time: number): Promise<SignedCheckpoint> => {
    const { checkpoint, edge } = parts;
    const draft = map.draft();
    for (const { heads } of statements) for (const head of heads) draft.set(head);
    const entries = statements.flatMap((statement) => statement.entries);
    const covers = checkpoint.size + entries.length;
    const epoch = { kind: "epoch", time, mapRoot: draft.root(), covers, previousEpoch: checkpoint.size - 1 } as const;
    const leaves = [...entries, encodeEpoch(epoch)];
    const next = appendLeaves(edge, leaves);
    await writeTiles(dir, next.full);
    const signed = inTransaction(database.db, () => {
      writeBatch(queries, checkpoint.size, leaves, statements);
      const fresh = sign(next.edge, signer);
      if (!queries.moveLog(checkpoint, fresh))
        throw new LogServerError("STORE_CHANGED", "The log's state is not the expected one.");
      return fresh;
    });
    try {
      await database.flush();
    } catch (error) {
      stopped = true; // what is committed is perhaps not on the disk: a restart finds out
      throw error;
    }
    parts.pending = { checkpoint: signed, edge: next.edge, draft };
    return signed;
  };

  const publish = (note: string): void => {
    const { pending } = parts;
    const wanted = pending?.checkpoint ?? parts.checkpoint;
    const shown = verifyCheckpoint(note, signer.key);
    if (shown.size !== wanted.size || !equalBytes(shown.root, wanted.root)) {
      throw new LogServerError("WRONG_CHECKPOINT", "The note is not of the checkpoint that is to be published.");
    }
    publishCheckpoint(dir, note);
    queries.setPublished(note);
    parts.checkpoint = shown;
    if (pending === undefined) return;
    pending.draft.commit();
    parts.edge = pending.edge;
    parts.pending = undefined;
  };

  return {
    checkpoint: () => parts.checkpoint,
    leaf: (index) => required(index < parts.checkpoint.size ? queries.leaf(index) : undefined),
    head: map.get,
    bucket: map.bucket,
    mapDigest: map.digestOf,
    snapshot: () => snapshotOf(parts),
    newest: () => snapshotOf(parts.pending ?? parts),
    tile: (wanted) => tileOf(parts.edge, wanted),
    place: queries.place,
    release: queries.release,
    envelope: (hash) => {
      const found = queries.envelopeByHash(hash);
      return found !== undefined && found.first < parts.checkpoint.size ? found.envelope : undefined;
    },
    envelopeAt: (index) => required(queries.envelopeAt(index)),
    earlier: queries.earlier,
    append: async (statements, time) => {
      if (stopped || appending || parts.pending !== undefined)
        throw new LogServerError("STOPPED", "The log cannot append.", "Its operator has to restart it.");
      appending = true;
      try {
        return await append(statements, time);
      } finally {
        appending = false;
      }
    },
    pending: () => parts.pending?.checkpoint,
    publish: async (note) => publish(note),
    ready: () => !stopped,
    close: database.close,
  };
}

function sign(edge: TreeEdge, signer: NoteSigner): SignedCheckpoint {
  const checkpoint = { origin: signer.key.name, size: edge.size, root: rootOfEdge(edge) };
  return { ...checkpoint, note: signCheckpoint(checkpoint, signer) };
}

function writeBatch(
  queries: Queries,
  size: number,
  leaves: readonly Uint8Array[],
  statements: readonly AdmittedStatement[],
): void {
  for (const [i, leaf] of leaves.entries()) queries.addLeaf(size + i, leaf);
  let first = size;
  for (const statement of statements) {
    const count = statement.entries.length;
    queries.addStatement({ first, count }, statement.digest, statement.envelopeHash, statement.envelope);
    for (const head of statement.heads) queries.setHead(head);
    for (const release of statement.releases) queries.addRelease(release);
    for (const { root, list } of statement.earlier) queries.addEarlier(root, list);
    first += count;
  }
}

/** A full tile begins with each of the partial ones that came before it. */
function cutTile(full: Uint8Array | undefined, wanted: Tile): Uint8Array | undefined {
  if (full === undefined || wanted.width === TILE_WIDTH) return full;
  if (wanted.level !== "entries") return full.subarray(0, wanted.width * 32);
  const view = new DataView(full.buffer, full.byteOffset, full.byteLength);
  let end = 0;
  for (let i = 0; i < wanted.width; i++) end += 2 + view.getUint16(end);
  return full.subarray(0, end);
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new LogServerError("STORE_DAMAGED", "Something that the log must have is missing.");
  return value;
}
