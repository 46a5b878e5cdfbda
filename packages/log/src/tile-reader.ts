/** Hashes of any subtree of a log, from its tiles. Tiles are not trusted: whoever uses a hash checks the proof that it becomes part of. */
import { concatDigests, type Digest, DIGEST_BYTES, digestFromBytes, digestsFromBytes, nodeDigest } from "./digest.ts";
import { LogError } from "./error.ts";
import { type Range, type RangeDigest, splitSize } from "./merkle.ts";
import { type Tile, TILE_WIDTH, tilePath, tileWidth } from "./tile.ts";

/** Gives the bytes of a tile of hashes; throws if it cannot. */
export type ReadTile = (tile: Tile) => Uint8Array;
export type FetchTile = (tile: Tile) => Promise<Uint8Array>;

/** Keeps tiles' hashes together with those of all complete subtrees inside them, 16 KiB for a full tile. */
export type TileCache = {
  readonly get: (tile: Tile) => Uint8Array | undefined;
  /** Takes a tile's bytes and gives what it keeps of them. Throws `BAD_TILE` for a wrong length. */
  readonly add: (tile: Tile, bytes: Uint8Array) => Uint8Array;
};

const TILE_HEIGHT = 8;

/** Keeps up to `limit` tiles, the longest unused one leaving first. One cache serves readers of one growing log at several sizes. */
export function tileCache(limit: number): TileCache {
  const kept = new Map<string, Uint8Array>();
  const keep = (path: string, hashes: Uint8Array): Uint8Array => {
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
  return {
    get: (tile) => {
      const path = tilePath(tile);
      const hashes = kept.get(path);
      return hashes && keep(path, hashes);
    },
    add: (tile, bytes) => keep(tilePath(tile), expandTile(tile, bytes)),
  };
}

/** A hash for every subtree of the tree of `size` leaves. Throws `BAD_TILE` for a tile of the wrong length, and what `read` throws. */
export function tileReader(size: number, read: ReadTile, cache: TileCache = tileCache(64)): RangeDigest {
  return (range) => rangeDigest(size, range, (tile) => cache.get(tile) ?? cache.add(tile, read(tile)));
}

/** The hashes over these ranges of the tree of `size` leaves; each tile that is not in the cache is fetched once. */
export async function fetchRangeDigests(
  size: number,
  ranges: readonly Range[],
  fetchTile: FetchTile,
  cache: TileCache = tileCache(64),
): Promise<Digest[]> {
  // Held here as well: what others put into the cache meanwhile may push them out.
  const hashes = new Map<string, Uint8Array>();
  await Promise.all(
    tilesOfRanges(size, ranges).map(async (tile) => {
      hashes.set(tilePath(tile), cache.get(tile) ?? cache.add(tile, await fetchTile(tile)));
    }),
  );
  return ranges.map((range) => rangeDigest(size, range, (tile) => hashes.get(tilePath(tile))!));
}

function rangeDigest(size: number, range: Range, hashesOf: (tile: Tile) => Uint8Array): Digest {
  const digests = completeSubtrees(range).map((subtree) => {
    const { tile, height, position } = placeOf(subtree, size);
    return digestFromBytes(hashesOf(tile), nodeOffset(tile.width, height, position));
  });
  return digests.reduceRight((right, left) => nodeDigest(left, right));
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
