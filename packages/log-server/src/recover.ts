/** What happens when a log is opened: what is on the disk is compared with what was signed, and mended or refused. */
import { join } from "node:path";
import { equalBytes } from "@touchmark/core";
import {
  createPackageMap,
  type Digest,
  digestFromBytes,
  encodeVerifierKey,
  leafDigest,
  type PackageMap,
  parseEpoch,
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

/** As {@link readSigned}; publishes the checkpoint if that had not been done yet. */
export function recoverRow(dir: string, queries: Queries, key: VerifierKey): SignedCheckpoint {
  const { signed, published } = readSigned(dir, queries, key);
  if (published?.size !== signed.size) publishCheckpoint(dir, signed.note);
  return signed;
}

/** The signed checkpoint in the database, and the published one that it was compared with. Throws `STORE_FOREIGN`, `STORE_OLD`, `STORE_DAMAGED`. */
export function readSigned(
  dir: string,
  queries: Queries,
  key: VerifierKey,
): { signed: SignedCheckpoint; published: SignedCheckpoint | undefined } {
  const row = queries.log();
  if (row === undefined || row.format !== FORMAT) throw damaged("The log's database is of an unknown format.");
  if (row.key !== encodeVerifierKey(key)) {
    throw new LogServerError("STORE_FOREIGN", "This log was made with another key.", `Its key is ${row.key}.`);
  }
  const checkpoint = verifyCheckpoint(row.note, key);
  if (checkpoint.size !== row.size || !equalBytes(checkpoint.root, row.root) || queries.lastLeaf() !== row.size - 1) {
    throw damaged("The log's database contradicts itself.");
  }
  const published = readPublished(dir, key);
  if (published !== undefined && published.size > checkpoint.size) {
    throw new LogServerError(
      "STORE_OLD",
      `The database holds ${checkpoint.size} leaves, but a checkpoint of ${published.size} was published.`,
      "It was restored from an old backup; to go on from it would be a second history.",
    );
  }
  if (published?.size === checkpoint.size && !equalBytes(published.root, checkpoint.root)) {
    throw damaged("The published checkpoint contradicts the database.");
  }
  return { signed: checkpoint, published };
}

/** The published checkpoint; a file cut short by a power failure is none. */
function readPublished(dir: string, key: VerifierKey): SignedCheckpoint | undefined {
  const file = readIfThere(join(dir, CHECKPOINT));
  if (file === undefined) return undefined;
  try {
    return verifyCheckpoint(file, key);
  } catch {
    return undefined;
  }
}

/** The tree's right edge, from the tiles, or if they are not what was signed, from the leaves, which then replace the tiles. */
export async function recoverEdge(dir: string, queries: Queries, signed: SignedCheckpoint): Promise<TreeEdge> {
  const fromTiles = edgeFromTiles(dir, queries, signed.size);
  if (fromTiles !== undefined && equalBytes(rootOfEdge(fromTiles), signed.root)) return fromTiles;
  const fromLeaves = await rebuildTiles(dir, queries, signed.size);
  if (equalBytes(rootOfEdge(fromLeaves), signed.root)) return fromLeaves;
  throw damaged("The log's entries are not those of the checkpoint that it signed.");
}

/** The map of all packages, compared with the map root in the last leaf. */
export function recoverMap(queries: Queries, size: number): PackageMap {
  const map = createPackageMap();
  const draft = map.draft();
  for (const head of queries.heads()) draft.set(head);
  draft.commit();
  const last = queries.leaf(size - 1);
  const epoch = last && parseEpoch(last);
  if (epoch?.covers !== size - 1 || !equalBytes(epoch.mapRoot, map.root())) {
    throw damaged("The packages in the database are not those of the last epoch leaf.");
  }
  return map;
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
