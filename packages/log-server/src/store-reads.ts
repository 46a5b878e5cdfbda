/** What can be read of a log at its published checkpoint, by its writer and by those who only read. */
import {
  type Digest,
  fetchRangeDigests,
  type MapRecord,
  type PackageMap,
  type Range,
  type RangeDigest,
  type SignedCheckpoint,
  type Tile,
  TILE_WIDTH,
  tileCache,
  tilePath,
  tileWidth,
} from "@touchmark/log";
import { LogServerError } from "./error.ts";
import type { ReleaseName, ReleaseRow, StatementPlace } from "./storage/ledger.ts";
import type { Storage } from "./storage/storage.ts";
import { readEarlier, readEnvelope } from "./texts.ts";
import { edgeTile, type TreeEdge } from "./tree.ts";

const CACHED_TILES = 1024;

/** A published checkpoint and the right edge of its tree. Replaced as a whole, never changed. */
export type LogView = { readonly checkpoint: SignedCheckpoint; readonly edge: TreeEdge };

export type StoreReads = {
  /** The newest published checkpoint, its note with the cosignatures that were published with it. All reads answer for its tree, but for `tile`, `envelope` and `earlier`, which answer for the newest durable tree [L-32], and `places` and `releases`, which may run ahead of it. */
  readonly checkpoint: () => SignedCheckpoint;
  readonly head: (packageHash: Uint8Array) => MapRecord | undefined;
  readonly bucket: (bucket: number) => Uint8Array;
  readonly mapDigest: RangeDigest;
  readonly leaf: (index: number) => Promise<Uint8Array>;
  readonly leavesAt: (indices: readonly number[]) => Promise<ReadonlyMap<number, Uint8Array>>;
  /** The published tree as it is now: it gives the same hashes when the log has grown. */
  readonly snapshot: () => Snapshot;
  /** As `snapshot`, of the newest tree that is durable, published or not. */
  readonly newest: () => Snapshot;
  /** A tile's bytes, or `undefined` if the newest durable tree has no such tile. */
  readonly tile: (tile: Tile) => Promise<Uint8Array | undefined>;
  /** By the SHA-256 of the payload; the key of the answer is its hex. */
  readonly places: (digests: readonly Uint8Array[]) => Promise<ReadonlyMap<string, StatementPlace>>;
  readonly releases: (wanted: readonly ReleaseName[]) => Promise<readonly ReleaseRow[]>;
  readonly envelope: (hash: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly earlier: (root: Uint8Array) => Promise<string | undefined>;
};

/** What admission judges by. */
export type AdmissionReads = Pick<
  StoreReads,
  "checkpoint" | "head" | "leavesAt" | "places" | "releases" | "envelope" | "earlier"
>;

/** `digests` gives the hashes over subtrees of the tree, in the order of the ranges. */
export type Snapshot = {
  readonly checkpoint: SignedCheckpoint;
  readonly digests: (ranges: readonly Range[]) => Promise<Digest[]>;
};

/** `view` gives the published view, of whose checkpoint the map is; `newest` the one that is published next, if there is one. */
export function storeReads(
  storage: Storage,
  map: PackageMap,
  view: () => LogView,
  newest: () => LogView = view,
): StoreReads {
  const { ledger, blobs } = storage;
  const cache = tileCache(CACHED_TILES);

  const tileOf = async (edge: TreeEdge, wanted: Tile): Promise<Uint8Array | undefined> => {
    // Whether a tile is there is known from the tree's size, so that asking for others touches no storage.
    if (tileWidth(edge.size, wanted.level, wanted.index) < wanted.width) return undefined;
    const atEdge = edgeTile(edge, wanted);
    return atEdge ?? cutTile(required(await blobs.read(tilePath({ ...wanted, width: TILE_WIDTH }))), wanted);
  };
  const snapshotOf = ({ checkpoint, edge }: LogView): Snapshot => {
    const fetchTile = async (wanted: Tile): Promise<Uint8Array> => required(await tileOf(edge, wanted));
    return { checkpoint, digests: (ranges) => fetchRangeDigests(edge.size, ranges, fetchTile, cache) };
  };
  const leavesAt = leavesOf(storage, view);

  return {
    checkpoint: () => view().checkpoint,
    head: map.get,
    bucket: map.bucket,
    mapDigest: map.digestOf,
    leaf: async (index) => required((await leavesAt([index])).get(index)),
    leavesAt,
    snapshot: () => snapshotOf(view()),
    newest: () => snapshotOf(newest()),
    tile: (wanted) => tileOf(newest().edge, wanted),
    places: ledger.places,
    releases: ledger.releases,
    envelope: (hash) => readEnvelope(storage, hash, newest().checkpoint.size),
    earlier: (root) => readEarlier(storage, root),
  };
}

/** Reads that answer for the newest stored tree, published or not; `head` is of its map. */
export function newestReads(
  storage: Storage,
  head: AdmissionReads["head"],
  newest: () => LogView,
  { places, releases, envelope, earlier }: StoreReads,
): AdmissionReads {
  const leavesAt = leavesOf(storage, newest);
  return { checkpoint: () => newest().checkpoint, head, leavesAt, places, releases, envelope, earlier };
}

function leavesOf({ ledger }: Storage, view: () => LogView): StoreReads["leavesAt"] {
  return async (indices) => {
    const { size } = view().checkpoint;
    const found = await ledger.leavesAt(indices);
    if (indices.some((index) => index >= size || !found.has(index))) throw missing();
    return found;
  };
}

/** A full tile begins with each of the partial ones that came before it. */
function cutTile(full: Uint8Array, wanted: Tile): Uint8Array {
  if (wanted.width === TILE_WIDTH) return full;
  if (wanted.level !== "entries") return full.subarray(0, wanted.width * 32);
  const view = new DataView(full.buffer, full.byteOffset, full.byteLength);
  let end = 0;
  for (let i = 0; i < wanted.width; i++) end += 2 + view.getUint16(end);
  return full.subarray(0, end);
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw missing();
  return value;
}

function missing(): LogServerError {
  return new LogServerError("STORE_DAMAGED", "Something that the log must have is missing.", "Open the log again.");
}
