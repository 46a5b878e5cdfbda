/** Hashes of any subtree of a log, from its tiles. Tiles are not trusted: whoever uses a hash checks the proof that it becomes part of. */
import { concatDigests, type Digest, DIGEST_BYTES, digestFromBytes, digestsFromBytes, nodeDigest } from "./digest.ts";
import { LogError } from "./error.ts";
import { type Range, type RangeDigest, splitSize } from "./merkle.ts";
import { type Tile, TILE_WIDTH, tilePath, tileWidth } from "./tile.ts";

/** Gives the bytes of a tile of hashes; throws if it cannot. */
export type ReadTile = (tile: Tile) => Uint8Array;
export type FetchTile = (tile: Tile) => Promise<Uint8Array>;

/** Gives a tile's hashes and those of all complete subtrees inside it, 16 KiB for a full tile, reading the tile if it must. */
export type TileCache = (tile: Tile, read: ReadTile) => Uint8Array;

const TILE_HEIGHT = 8;

/** Keeps up to `limit` tiles, the longest unused one leaving first. One cache serves readers of one growing log at several sizes. */
export function tileCache(limit: number): TileCache {
  const kept = new Map<string, Uint8Array>();
  return (tile, read) => {
    const path = tilePath(tile);
    const hashes = kept.get(path) ?? expandTile(tile, read(tile));
    kept.delete(path);
    kept.set(path, hashes);
    if (kept.size > limit) {
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        break;
      }
    }
    return hashes;
  };
}

/** A hash for every subtree of the tree of `size` leaves. Throws `BAD_TILE` for a tile of the wrong length, and what `read` throws. */
export function tileReader(size: number, read: ReadTile, cache: TileCache = tileCache(64)): RangeDigest {
  return (range) => {
    const digests = completeSubtrees(range).map((subtree) => {
      const { tile, height, position } = placeOf(subtree, size);
      return digestFromBytes(cache(tile, read), nodeOffset(tile.width, height, position));
    });
    return digests.reduceRight((right, left) => nodeDigest(left, right));
  };
}

/** The hashes over these ranges of the tree of `size` leaves, each tile fetched once. */
export async function fetchRangeDigests(
  size: number,
  ranges: readonly Range[],
  fetchTile: FetchTile,
): Promise<Digest[]> {
  const fetched = new Map<string, Uint8Array>();
  await Promise.all(
    tilesOfRanges(size, ranges).map(async (tile) => {
      fetched.set(tilePath(tile), await fetchTile(tile));
    }),
  );
  const digestOf = tileReader(size, (tile) => fetched.get(tilePath(tile))!, tileCache(fetched.size));
  return ranges.map(digestOf);
}

/** The tiles that hold what the hashes over these ranges are made of, each once. */
export function tilesOfRanges(size: number, ranges: readonly Range[]): Tile[] {
  const tiles = new Map<string, Tile>();
  for (const range of ranges) {
    for (const subtree of completeSubtrees(range)) {
      const { tile } = placeOf(subtree, size);
      tiles.set(tilePath(tile), tile);
    }
  }
  return [...tiles.values()];
}

/** A complete subtree has 2^height leaves and begins at a multiple of that. */
type Subtree = { readonly start: number; readonly height: number };

/** A range of the RFC 6962 split as complete subtrees, the greatest, which is leftmost, first. */
function completeSubtrees(range: Range): Subtree[] {
  const subtrees: Subtree[] = [];
  let { start } = range;
  while (start < range.end) {
    const largest = splitSize(range.end - start + 1);
    if (start % largest !== 0) break;
    subtrees.push({ start, height: Math.log2(largest) });
    start += largest;
  }
  if (start !== range.end || subtrees.length === 0) throw new LogError("BAD_ARGUMENT", "The range is no subtree.");
  return subtrees;
}

/** Where a subtree's hash is: in which tile of a tree of `size` leaves, how high above the tile's own hashes, and at which place there. */
function placeOf(subtree: Subtree, size: number): { tile: Tile; height: number; position: number } {
  const level = Math.floor(subtree.height / TILE_HEIGHT);
  const height = subtree.height % TILE_HEIGHT;
  const first = subtree.start / TILE_WIDTH ** level;
  const index = Math.floor(first / TILE_WIDTH);
  const width = tileWidth(size, level, index);
  const position = (first % TILE_WIDTH) / 2 ** height;
  if ((position + 1) * 2 ** height > width) throw new LogError("BAD_ARGUMENT", "The range is outside the tree.");
  return { tile: { level, index, width }, height, position };
}

/** Level by level from the tile's own hashes up: after `width` hashes come half as many, and so on. */
function expandTile(tile: Tile, bytes: Uint8Array): Uint8Array {
  if (bytes.length !== tile.width * DIGEST_BYTES) throw new LogError("BAD_TILE", "The tile has a wrong length.");
  const all = digestsFromBytes(bytes);
  let below = 0;
  for (let count = tile.width >> 1; count > 0; count >>= 1) {
    const above = all.length;
    for (let i = 0; i < count; i++) {
      all.push(nodeDigest(all[below + 2 * i]!, all[below + 2 * i + 1]!));
    }
    below = above;
  }
  return concatDigests(all);
}

function nodeOffset(width: number, height: number, position: number): number {
  let before = 0;
  for (let h = 0; h < height; h++) before += width >> h;
  return (before + position) * DIGEST_BYTES;
}
