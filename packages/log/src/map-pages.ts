/**
 * The map's hashes in memory: subtrees of five levels to a page, so that a package's path touches four pages, and a page that nobody touched is not there.
 * The hashes of the buckets themselves are not kept: they are made from the buckets.
 */
import { type Digest, DIGEST_BYTES, leafDigest, nodeDigest, writeDigest } from "./digest.ts";
import { MAP_HEIGHT } from "./map-record.ts";

const PAGE_HEIGHT = 5;
const PAGE_NODES = 2 ** PAGE_HEIGHT - 1;
export const PAGE_BYTES: number = PAGE_NODES * DIGEST_BYTES;
// How many pages lie above the pages of each row: 0, 1, 1 + 2^5, and so on.
const ABOVE: readonly number[] = pagesAbove();
export const PAGES: number = ABOVE.at(-1)!;

/** Where a node's hash is. Nodes are numbered as in a heap: 1 is the root, node n has the children 2n and 2n + 1. `node` is no bucket. */
export function placeOf(node: number): { page: number; offset: number } {
  const level = 31 - Math.clz32(node);
  const row = Math.floor(level / PAGE_HEIGHT);
  const depth = level % PAGE_HEIGHT;
  const pageRoot = node >> depth;
  const inPage = (1 << depth) | (node & ((1 << depth) - 1));
  return { page: ABOVE[row]! + pageRoot - (1 << (row * PAGE_HEIGHT)), offset: (inPage - 1) * DIGEST_BYTES };
}

/** A page whose subtrees are empty. */
export function emptyPage(page: number): Uint8Array {
  const row = ABOVE.findLastIndex((above) => above <= page);
  return (EMPTY_PAGES[row] ??= emptyPageOf(row)).slice();
}

const EMPTY_PAGES: (Uint8Array | undefined)[] = ABOVE.map(() => undefined);

function emptyPageOf(row: number): Uint8Array {
  const bytes = new Uint8Array(PAGE_BYTES);
  for (let inPage = 1; inPage <= PAGE_NODES; inPage++) {
    const depth = 31 - Math.clz32(inPage);
    writeDigest(bytes, (inPage - 1) * DIGEST_BYTES, emptyAt(row * PAGE_HEIGHT + depth));
  }
  return bytes;
}

/** The hash of a subtree of empty buckets whose root is on this level; the root of the map is on level 0. */
export function emptyAt(level: number): Digest {
  return EMPTY[MAP_HEIGHT - level]!;
}

const EMPTY: readonly Digest[] = emptyLevels();

function emptyLevels(): Digest[] {
  const levels = [leafDigest(new Uint8Array(0))];
  for (let height = 0; height < MAP_HEIGHT; height++) levels.push(nodeDigest(levels[height]!, levels[height]!));
  return levels;
}

function pagesAbove(): number[] {
  const above = [0];
  for (let level = 0; level < MAP_HEIGHT; level += PAGE_HEIGHT) above.push(above.at(-1)! + 2 ** level);
  return above;
}
