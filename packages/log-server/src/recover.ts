/** What happens when a log is opened: what is stored is compared with itself and with what was published, and mended or refused. */
import { encodeHex, equalBytes } from "@touchmark/core";
import {
  type Checkpoint,
  createPackageMap,
  type Digest,
  digestFromBytes,
  encodeVerifierKey,
  leafDigest,
  type MapDraft,
  type MapRecord,
  type PackageMap,
  parseEpoch,
  parseLeaf,
  rootOfDigests,
  type SignedCheckpoint,
  TILE_WIDTH,
  tilePath,
  type VerifierKey,
  verifyCheckpoint,
} from "@touchmark/log";
import { LogServerError } from "./error.ts";
import { type Blobs, CHECKPOINT } from "./storage/blobs.ts";
import { type Ledger, requireFormat } from "./storage/ledger.ts";
import type { Storage } from "./storage/storage.ts";
import { type CachedMap, readMapCache } from "./map-cache.ts";
import { changesOf } from "./map-changes.ts";
import type { LogView } from "./store-reads.ts";
import { appendLeaves, EMPTY_EDGE, rootOfEdge, type TreeEdge } from "./tree.ts";

const CHUNK = 65_536;

/** The tree that the log stored last, and the note of it or of an earlier one that it showed last, perhaps with cosignatures. */
export type StoredState = { readonly stored: Checkpoint; readonly published: SignedCheckpoint };

/** Compares the ledger with the shown checkpoint. Throws `STORE_MISSING`, `STORE_FOREIGN`, `STORE_OLD`, `STORE_DAMAGED`. */
export async function readState({ ledger, blobs }: Storage, key: VerifierKey): Promise<StoredState> {
  // The shown one first: it is never ahead of a row that is read later.
  const shown = await readShown(blobs, key);
  const row = await ledger.row();
  if (row === undefined)
    throw new LogServerError("STORE_MISSING", "There is no log here.", "A log is made at its first start.");
  requireFormat(row.format);
  if (row.key !== encodeVerifierKey(key)) {
    throw new LogServerError("STORE_FOREIGN", "This log was made with another key.", `Its key is ${row.key}.`);
  }
  const kept = verifyCheckpoint(row.published, key);
  for (const checkpoint of shown === undefined ? [kept] : [kept, shown]) {
    if (checkpoint.size > row.size) {
      throw new LogServerError(
        "STORE_OLD",
        `The database holds ${row.size} leaves, but a checkpoint of ${checkpoint.size} was published.`,
        "It was restored from an old backup; to go on from it would be a second history.",
      );
    }
    if (checkpoint.size === row.size && !equalBytes(checkpoint.root, row.root)) {
      throw damaged("The published checkpoint contradicts the database.");
    }
  }
  const stored = { origin: key.name, size: row.size, root: row.root };
  return { stored, published: shown !== undefined && shown.size > kept.size ? shown : kept };
}

/** The shown checkpoint; one cut short by a power failure is none. */
async function readShown(blobs: Blobs, key: VerifierKey): Promise<SignedCheckpoint | undefined> {
  const bytes = await blobs.read(CHECKPOINT);
  if (bytes === undefined) return undefined;
  try {
    return verifyCheckpoint(bytes, key);
  } catch {
    return undefined;
  }
}

/**
 * Sees to it that the tiles which the tree's edge is made of are those of this tree; if they are not, every tile is made again from the leaves.
 * Throws `STORE_DAMAGED` if the leaves are not its own either.
 */
export async function mendTiles(storage: Storage, tree: Checkpoint): Promise<void> {
  const { ledger, blobs } = storage;
  const edge = await edgeFromTiles(storage, tree.size);
  if (edge !== undefined && equalBytes(rootOfEdge(edge), tree.root)) return;
  let made = EMPTY_EDGE;
  while (made.size < tree.size) {
    const leaves = await ledger.leaves(made.size, Math.min(tree.size, made.size + CHUNK));
    if (leaves.length === 0) throw damaged("Leaves are missing from the log's database.");
    const next = appendLeaves(made, leaves);
    for (const { tile, bytes } of next.full) {
      const path = tilePath(tile);
      const stored = await blobs.read(path);
      if (stored === undefined || !equalBytes(stored, bytes)) await blobs.write([{ path, bytes }]);
    }
    made = next.edge;
  }
  if (!equalBytes(rootOfEdge(made), tree.root))
    throw damaged("The log's entries are not those of the tree that it stored.");
}

/** The edge of the tree of a published checkpoint. Throws `STORE_DAMAGED` if it is not what was signed. */
export async function recoverView(storage: Storage, checkpoint: SignedCheckpoint): Promise<LogView> {
  const edge = await edgeFromTiles(storage, checkpoint.size);
  if (edge === undefined || !equalBytes(rootOfEdge(edge), checkpoint.root))
    throw damaged("The log's tiles are not those of the checkpoint that it published.");
  return { checkpoint, edge };
}

/** The map of all packages as the first `size` leaves leave it, and the time of the last of them. Throws `STORE_DAMAGED` if that is no epoch leaf with its root. */
export async function recoverMap(storage: Storage, { size }: Checkpoint): Promise<{ map: PackageMap; time: number }> {
  const { ledger, cache } = storage;
  const last = (await ledger.leaves(size - 1, size))[0];
  const cached = cache === undefined ? undefined : await mapFromCache(cache, ledger, size);
  if (cached !== undefined && isMapRoot(last, size, cached.root()))
    return { map: cached, time: requireMapRoot(last, size, cached.root()) };
  const map = await (ledger.heads === undefined
    ? grownMap({ size: 0, map: createPackageMap() }, ledger, size)
    : mapFromHeads(ledger, ledger.heads(), size));
  return { map, time: requireMapRoot(last, size, map.root()) };
}

async function mapFromCache(path: string, ledger: Ledger, size: number): Promise<PackageMap | undefined> {
  const cached = await readMapCache(path);
  return cached === undefined || cached.size > size ? undefined : grownMap(cached, ledger, size);
}

/** A map with what the leaves since then changed in it. */
async function grownMap({ size: from, map }: CachedMap, ledger: Ledger, size: number): Promise<PackageMap> {
  const draft = map.draft();
  for (let at = from; at < size; at += CHUNK) {
    const leaves = await ledger.leaves(at, Math.min(size, at + CHUNK));
    for (const record of changesOf(leaves, at)) draft.set(record);
  }
  draft.commit();
  return map;
}

async function mapFromHeads(
  ledger: Ledger,
  pieces: AsyncIterable<readonly MapRecord[]>,
  size: number,
): Promise<PackageMap> {
  const map = createPackageMap();
  const draft = map.draft();
  const newer: MapRecord[] = [];
  for await (const heads of pieces) {
    for (const head of heads) {
      if (head.last < size) draft.set(head);
      else newer.push(head);
    }
  }
  const before = newer.length === 0 ? undefined : await headsBefore(ledger, size);
  for (const { packageHash } of newer) {
    const older = before?.get(encodeHex(packageHash));
    if (older) draft.set(older);
  }
  draft.commit();
  return map;
}

/** What the stored tree adds to the published one, if it does. Throws `STORE_DAMAGED` if the leaves are not the tree's. */
export async function recoverPending(
  { ledger }: Storage,
  view: LogView,
  map: PackageMap,
  stored: SignedCheckpoint,
): Promise<(LogView & { draft: MapDraft; time: number }) | undefined> {
  const { size } = view.checkpoint;
  if ((await ledger.leafCount()) !== stored.size) throw damaged("The log's database contradicts itself.");
  if (stored.size === size) return undefined;
  const leaves = await ledger.leaves(size, stored.size);
  const { edge } = appendLeaves(view.edge, leaves);
  if (edge.size !== stored.size || !equalBytes(rootOfEdge(edge), stored.root))
    throw damaged("The log's entries are not those of the tree that it stored.");
  const draft = map.draft();
  for (const record of changesOf(leaves, size)) draft.set(record);
  return { checkpoint: stored, edge, draft, time: requireMapRoot(leaves.at(-1), stored.size, draft.root()) };
}

/** The heads that the packages with entries from `size` on had before, `null` for a package that had none. */
async function headsBefore(ledger: Ledger, size: number): Promise<Map<string, MapRecord | null>> {
  const before = new Map<string, MapRecord | null>();
  const leaves = await ledger.leaves(size, (await ledger.leafCount()) ?? size);
  for (const leaf of leaves.map(parseLeaf)) {
    if (leaf.kind === "epoch") continue;
    const { packageHash, previous, previousAuthority } = leaf;
    const id = encodeHex(packageHash);
    if (before.has(id)) continue;
    before.set(id, previous === null ? null : { packageHash, last: previous, lastAuthority: previousAuthority });
  }
  return before;
}

/** [L-8] Gives the epoch leaf's time. */
export function requireMapRoot(last: Uint8Array | undefined, size: number, root: Uint8Array): number {
  if (last === undefined || !isMapRoot(last, size, root))
    throw damaged("The packages in the database are not those of the last epoch leaf.");
  return parseEpoch(last).time;
}

function isMapRoot(last: Uint8Array | undefined, size: number, root: Uint8Array): boolean {
  const epoch = last && parseEpoch(last);
  return epoch?.covers === size - 1 && equalBytes(epoch.mapRoot, root);
}

async function edgeFromTiles({ ledger, blobs }: Storage, size: number): Promise<TreeEdge | undefined> {
  const bundle = await ledger.leaves(size - (size % TILE_WIDTH), size);
  const tails: Digest[][] = [bundle.map(leafDigest)];
  for (
    let level = 1, hashes = Math.floor(size / TILE_WIDTH);
    hashes > 0;
    level++, hashes = Math.floor(hashes / TILE_WIDTH)
  ) {
    const first = hashes - (hashes % TILE_WIDTH);
    const tiles = await Promise.all(
      Array.from({ length: hashes - first }, (_, i) =>
        blobs.read(tilePath({ level: level - 1, index: first + i, width: TILE_WIDTH })),
      ),
    );
    if (tiles.some((tile) => tile?.length !== TILE_WIDTH * 32)) return undefined;
    tails.push(
      tiles.map((tile) => rootOfDigests(Array.from({ length: TILE_WIDTH }, (_, i) => digestFromBytes(tile!, i * 32)))),
    );
  }
  return { size, tails, bundle };
}

function damaged(message: string): LogServerError {
  return new LogServerError(
    "STORE_DAMAGED",
    message,
    "Restore the log from a backup of all its storage, or let touchmark log fsck say what is wrong.",
  );
}
