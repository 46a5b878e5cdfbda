/** What happens when a log is opened: what is on the disk is compared with what was signed, and mended or refused. */
import { join } from "node:path";
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
  type VerifierKey,
  verifyCheckpoint,
} from "@touchmark/log";
import { FORMAT } from "./database.ts";
import { LogServerError } from "./error.ts";
import type { Queries } from "./queries.ts";
import { CHECKPOINT, publishCheckpoint, readIfThere, readTileFile, writeTiles } from "./tile-files.ts";
import { appendLeaves, EMPTY_EDGE, rootOfEdge, type TreeEdge } from "./tree.ts";

const CHUNK = 65_536;

/** What the log signed last, and the note of it or of an earlier checkpoint that it showed last, perhaps with cosignatures. */
export type SignedState = { readonly signed: SignedCheckpoint; readonly published: SignedCheckpoint };

/** As {@link readSigned}; shows again what was published, if its file is behind. */
export function recoverRow(dir: string, queries: Queries, key: VerifierKey): SignedState {
  const state = readSigned(dir, queries, key);
  if (readShown(dir, key)?.note !== state.published.note) publishCheckpoint(dir, state.published.note);
  return state;
}

/** Compares the database with itself and with the file of the published checkpoint. Throws `STORE_FOREIGN`, `STORE_OLD`, `STORE_DAMAGED`. */
export function readSigned(dir: string, queries: Queries, key: VerifierKey): SignedState {
  const row = queries.log();
  if (row === undefined || row.format !== FORMAT) throw damaged("The log's database is of an unknown format.");
  if (row.key !== encodeVerifierKey(key)) {
    throw new LogServerError("STORE_FOREIGN", "This log was made with another key.", `Its key is ${row.key}.`);
  }
  const signed = verifyCheckpoint(row.note, key);
  if (signed.size !== row.size || !equalBytes(signed.root, row.root) || queries.lastLeaf() !== row.size - 1) {
    throw damaged("The log's database contradicts itself.");
  }
  const kept = verifyCheckpoint(row.published, key);
  const shown = readShown(dir, key) ?? kept;
  for (const checkpoint of [kept, shown]) {
    if (checkpoint.size > signed.size) {
      throw new LogServerError(
        "STORE_OLD",
        `The database holds ${signed.size} leaves, but a checkpoint of ${checkpoint.size} was published.`,
        "It was restored from an old backup; to go on from it would be a second history.",
      );
    }
    if (checkpoint.size === signed.size && !equalBytes(checkpoint.root, signed.root)) {
      throw damaged("The published checkpoint contradicts the database.");
    }
  }
  return { signed, published: shown.size > kept.size ? shown : kept };
}

/** The checkpoint in its file; one cut short by a power failure is none. */
function readShown(dir: string, key: VerifierKey): SignedCheckpoint | undefined {
  const file = readIfThere(join(dir, CHECKPOINT));
  if (file === undefined) return undefined;
  try {
    return verifyCheckpoint(file, key);
  } catch {
    return undefined;
  }
}

/** The tree's right edge, from the tiles, or if they are not what was signed, from the leaves, which then replace the tiles. */
export async function recoverEdge(dir: string, queries: Queries, checkpoint: Checkpoint): Promise<TreeEdge> {
  const fromTiles = edgeFromTiles(dir, queries, checkpoint.size);
  if (fromTiles !== undefined && equalBytes(rootOfEdge(fromTiles), checkpoint.root)) return fromTiles;
  const fromLeaves = await rebuildTiles(dir, queries, checkpoint.size);
  if (equalBytes(rootOfEdge(fromLeaves), checkpoint.root)) return fromLeaves;
  throw damaged("The log's entries are not those of the checkpoint that it signed.");
}

/** The map of all packages as the published checkpoint has it, and the draft with what the signed one changes; each is compared with its epoch leaf. */
export function recoverMap(queries: Queries, state: SignedState): { map: PackageMap; ahead: MapDraft } {
  const [from, to] = [state.published.size, state.signed.size];
  const before = headsBefore(queries, from, to);
  const map = createPackageMap();
  const draft = map.draft();
  const newer: MapRecord[] = [];
  for (const head of queries.heads()) {
    const older = head.last < from ? head : before.get(encodeHex(head.packageHash));
    if (older) draft.set(older);
    if (older !== head) newer.push(head);
  }
  draft.commit();
  requireMapRoot(queries, from, map.root());
  const ahead = map.draft();
  for (const head of newer) ahead.set(head);
  requireMapRoot(queries, to, ahead.root());
  return { map, ahead };
}

/** The heads that the packages with entries in `[from, to)` had before, `null` for a package that had none. */
function headsBefore(queries: Queries, from: number, to: number): Map<string, MapRecord | null> {
  const before = new Map<string, MapRecord | null>();
  for (const leaf of queries.leaves(from, to).map(parseLeaf)) {
    if (leaf.kind === "epoch") continue;
    const { packageHash, previous, previousAuthority } = leaf;
    const id = encodeHex(packageHash);
    if (before.has(id)) continue;
    before.set(id, previous === null ? null : { packageHash, last: previous, lastAuthority: previousAuthority });
  }
  return before;
}

function requireMapRoot(queries: Queries, size: number, root: Uint8Array): void {
  const last = queries.leaf(size - 1);
  const epoch = last && parseEpoch(last);
  if (epoch?.covers !== size - 1 || !equalBytes(epoch.mapRoot, root)) {
    throw damaged("The packages in the database are not those of the last epoch leaf.");
  }
}

/** Writes every full tile of the first `size` leaves that is missing or differs from what the leaves give. */
export async function rebuildTiles(dir: string, queries: Queries, size: number): Promise<TreeEdge> {
  let edge = EMPTY_EDGE;
  while (edge.size < size) {
    const leaves = queries.leaves(edge.size, Math.min(size, edge.size + CHUNK));
    if (leaves.length === 0) throw damaged("Leaves are missing from the log's database.");
    const next = appendLeaves(edge, leaves);
    const wrong = next.full.filter(({ tile, bytes }) => {
      const file = readTileFile(dir, tile);
      return file === undefined || !equalBytes(file, bytes);
    });
    await writeTiles(dir, wrong);
    edge = next.edge;
  }
  return edge;
}

function edgeFromTiles(dir: string, queries: Queries, size: number): TreeEdge | undefined {
  const bundle = queries.leaves(size - (size % TILE_WIDTH), size);
  const tails: Digest[][] = [bundle.map(leafDigest)];
  for (
    let level = 1, hashes = Math.floor(size / TILE_WIDTH);
    hashes > 0;
    level++, hashes = Math.floor(hashes / TILE_WIDTH)
  ) {
    const tail: Digest[] = [];
    for (let index = hashes - (hashes % TILE_WIDTH); index < hashes; index++) {
      const file = readTileFile(dir, { level: level - 1, index, width: TILE_WIDTH });
      if (file?.length !== TILE_WIDTH * 32) return undefined;
      tail.push(rootOfDigests(Array.from({ length: TILE_WIDTH }, (_, i) => digestFromBytes(file, i * 32))));
    }
    tails.push(tail);
  }
  return { size, tails, bundle };
}

function damaged(message: string): LogServerError {
  return new LogServerError(
    "STORE_DAMAGED",
    message,
    "Restore the log from a backup of its whole folder, or run checkStore.",
  );
}
