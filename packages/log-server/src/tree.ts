/** The right edge of the log's tree: all that is needed to append and to know the root. Everything left of it lies in full tiles. */
import {
  concatDigests,
  type Digest,
  digestToBytes,
  emptyRoot,
  encodeEntryBundle,
  leafDigest,
  nodeDigest,
  rootOfDigests,
  type Tile,
  TILE_WIDTH,
} from "@touchmark/log";

/** `tails[l]` are the hashes of level l that fill no tile yet, fewer than 256; `bundle` the leaves of level 0's. Never changed in place. */
export type TreeEdge = {
  readonly size: number;
  readonly tails: readonly (readonly Digest[])[];
  readonly bundle: readonly Uint8Array[];
};

/** A tile that has become full, and with that immutable. */
export type FullTile = { readonly tile: Tile; readonly bytes: Uint8Array };

export const EMPTY_EDGE: TreeEdge = { size: 0, tails: [], bundle: [] };

/** The edge after these leaves, and the tiles that they filled, lower levels first. */
export function appendLeaves(edge: TreeEdge, leaves: readonly Uint8Array[]): { edge: TreeEdge; full: FullTile[] } {
  const tails = edge.tails.map((tail) => [...tail]);
  const full: FullTile[] = [];
  let bundle = [...edge.bundle];
  let { size } = edge;

  const push = (level: number, digest: Digest): void => {
    const tail = (tails[level] ??= []);
    tail.push(digest);
    if (tail.length < TILE_WIDTH) return;
    const index = size / TILE_WIDTH ** (level + 1) - 1;
    full.push({ tile: { level, index, width: TILE_WIDTH }, bytes: concatDigests(tail) });
    tails[level] = [];
    push(level + 1, rootOfDigests(tail));
  };
  for (const leaf of leaves) {
    size++;
    bundle.push(leaf);
    if (bundle.length === TILE_WIDTH) {
      const tile: Tile = { level: "entries", index: size / TILE_WIDTH - 1, width: TILE_WIDTH };
      full.push({ tile, bytes: encodeEntryBundle(bundle) });
      bundle = [];
    }
    push(0, leafDigest(leaf));
  }
  return { edge: { size, tails, bundle }, full };
}

/** The root of the whole tree. */
export function rootOfEdge(edge: TreeEdge): Uint8Array {
  let root: Digest | undefined;
  for (const tail of edge.tails) {
    let end = tail.length;
    // From the right: the complete subtrees of a tail are as large as the bits of its length.
    for (let width = 1; end > 0; width *= 2) {
      if ((tail.length & width) === 0) continue;
      const left = rootOfDigests(tail.slice(end - width, end));
      root = root === undefined ? left : nodeDigest(left, root);
      end -= width;
    }
  }
  return root === undefined ? emptyRoot() : digestToBytes(root);
}

/** The bytes of the partial tile at the edge, cut to `width`, or `undefined` if the edge is elsewhere. */
export function edgeTile(edge: TreeEdge, tile: Tile): Uint8Array | undefined {
  const level = tile.level === "entries" ? 0 : tile.level;
  if (tile.index !== Math.floor(edge.size / TILE_WIDTH ** (level + 1))) return undefined;
  return tile.level === "entries"
    ? encodeEntryBundle(edge.bundle.slice(0, tile.width))
    : concatDigests((edge.tails[level] ?? []).slice(0, tile.width));
}
