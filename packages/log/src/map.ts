/** The map inside the log: which entries are each package's last. Trust assumption: none; a bucket counts once its proof leads to a trusted map root. */
import {
  type Digest,
  digestFromBytes,
  digestToBytes,
  leafDigest,
  nodeDigest,
  nodeDigestOfPair,
  writeDigest,
} from "./digest.ts";
import { LogError } from "./error.ts";
import { bucketIn, GROUP_HEIGHT, GROUPS, growingGroup, type GrowingGroup } from "./map-groups.ts";
import { emptyAt, emptyPage, PAGE_BYTES, PAGES, placeOf } from "./map-pages.ts";
import { bucketOf, findRecord, MAP_HEIGHT, MAP_SIZE, type MapRecord, RECORD_BYTES } from "./map-record.ts";
import type { Range, RangeDigest } from "./merkle.ts";
import { rootFromMultiProofOfData } from "./multi-proof.ts";

/** The whole map in memory. What it gives out is not to be changed. */
export type PackageMap = {
  readonly root: () => Uint8Array;
  /** How many packages are in it. */
  readonly size: () => number;
  readonly get: (packageHash: Uint8Array) => MapRecord | undefined;
  /** The bytes of a bucket; no bytes for an empty one. */
  readonly bucket: (bucket: number) => Uint8Array;
  /** Hash over a range of buckets that is one subtree, for `multiProof(MAP_SIZE, …)`. */
  readonly digestOf: RangeDigest;
  /** Changes that can be looked at before they are made. */
  readonly draft: () => MapDraft;
  /** The map as it is when this is called, in pieces, for {@link loadPackageMap}. The form is this version's own, with no promise to keep it. */
  readonly dump: () => Generator<Uint8Array>;
};

export type MapDraft = {
  readonly set: (record: MapRecord) => void;
  /** As the map will have it. */
  readonly get: (packageHash: Uint8Array) => MapRecord | undefined;
  /** The root that the map will have. */
  readonly root: () => Uint8Array;
  /** Makes the changes. Throws `BAD_ARGUMENT` if the map has changed since the draft was begun, but for the draft that it was begun on. */
  readonly commit: () => void;
  /** Changes on top of these, which are changed no more; they are made after these. */
  readonly draft: () => MapDraft;
};

/** A draft, and what another one that is begun on it has to see. */
type OpenDraft = MapDraft & {
  readonly committed: () => boolean;
  readonly groupOf: (number: number) => Uint8Array;
  readonly pageOf: (number: number) => Uint8Array | undefined;
};

/** The map root that these buckets (number to bytes, ascending, at least one) and their multi-proof lead to. Throws `BAD_PROOF`. */
export function mapRootFromBuckets(buckets: ReadonlyMap<number, Uint8Array>, proof: Uint8Array): Uint8Array {
  return rootFromMultiProofOfData(MAP_SIZE, [...buckets.keys()], [...buckets.values()], proof);
}

/** An empty map. */
export function createPackageMap(): PackageMap {
  return mapOver(...emptyParts());
}

/** The map that {@link PackageMap.dump} wrote. Throws `BAD_RECORD` if it is no such thing; whether it is whole is not looked at. */
export function loadPackageMap(dump: Uint8Array): PackageMap {
  const [groups, pages] = emptyParts();
  const view = new DataView(dump.buffer, dump.byteOffset, dump.byteLength);
  let at = 0;
  const take = (length: number): number => {
    if (at + length > dump.length) throw new LogError("BAD_RECORD", "A dump of the map is cut short.");
    at += length;
    return at - length;
  };
  const read = (into: (Uint8Array | undefined)[], lengthOf: () => number): void => {
    for (let count = view.getUint32(take(4)); count > 0; count--) {
      const number = view.getUint32(take(4));
      const length = lengthOf();
      if (number >= into.length) throw new LogError("BAD_RECORD", "A dump of the map names a part that there is not.");
      const start = take(length);
      into[number] = dump.subarray(start, start + length);
    }
  };
  read(groups, () => view.getUint32(take(4)));
  read(pages, () => PAGE_BYTES);
  return mapOver(groups, pages);
}

function emptyParts(): [groups: Uint8Array[], pages: (Uint8Array | undefined)[]] {
  const groups: Uint8Array[] = [];
  const pages: undefined[] = [];
  while (groups.length < GROUPS) groups.push(NO_BYTES);
  while (pages.length < PAGES) pages.push(undefined);
  return [groups, pages];
}

/** Groups and pages are replaced when they change, never written to, so that a draft shares all others with the map, and a dump all of them. */
function mapOver(groups: Uint8Array[], pages: (Uint8Array | undefined)[]): PackageMap {
  let version = 0;
  const draftOn = (under: OpenDraft | undefined, begunAt: number): OpenDraft => {
    let base = under;
    let committed = false;
    // What lies under it is let go of once it is in the map, or each draft would hold all that there were before.
    const stillOpen = (): OpenDraft | undefined => (base?.committed() ? (base = undefined) : base);
    const changed = new Map<number, GrowingGroup>();
    const changedPages = new Map<number, Uint8Array>();
    let stale = new Set<number>();

    const groupUnder = (number: number): Uint8Array => stillOpen()?.groupOf(number) ?? groups[number]!;
    const pageUnder = (number: number): Uint8Array | undefined => {
      const open = stillOpen();
      return open === undefined ? pages[number] : open.pageOf(number);
    };
    const groupOf = (number: number): Uint8Array => changed.get(number)?.bytes() ?? groupUnder(number);
    const pageOf = (number: number): Uint8Array | undefined => changedPages.get(number) ?? pageUnder(number);
    const set = (record: MapRecord): void => {
      const bucket = bucketOf(record.packageHash);
      const number = bucket >> GROUP_HEIGHT;
      const group = changed.get(number) ?? growingGroup(groupUnder(number));
      group.set(record);
      changed.set(number, group);
      stale.add(bucket);
    };
    const write = (node: number, digest: Digest): void => {
      const { page, offset } = placeOf(node);
      let bytes = changedPages.get(page);
      if (bytes === undefined) {
        bytes = pageUnder(page)?.slice() ?? emptyPage(page);
        changedPages.set(page, bytes);
      }
      writeDigest(bytes, offset, digest);
    };
    const rehash = (): void => {
      let level = [...stale].map((bucket) => MAP_SIZE + bucket).toSorted((a, b) => a - b);
      stale = new Set();
      while (level[0] !== undefined && level[0] > 1) {
        level = parentsOf(level);
        for (const node of level) write(node, digestOfChildren(node, groupOf, pageOf));
      }
    };
    const open: OpenDraft = {
      set,
      get: (packageHash) => recordIn(groupOf, packageHash),
      root: () => {
        rehash();
        return digestToBytes(nodeAt(1, groupOf, pageOf));
      },
      commit: () => {
        if (version !== begunAt) throw new LogError("BAD_ARGUMENT", "The map has changed since the draft was begun.");
        rehash();
        version++;
        for (const [number, group] of changed) groups[number] = group.bytes().slice();
        for (const [number, bytes] of changedPages) pages[number] = bytes;
        committed = true;
        base = undefined;
      },
      draft: () => {
        rehash();
        return draftOn(open, begunAt + 1);
      },
      committed: () => committed,
      groupOf,
      pageOf,
    };
    return open;
  };

  const nodeNow = (node: number): Digest =>
    nodeAt(
      node,
      (number) => groups[number]!,
      (number) => pages[number],
    );
  return {
    root: () => digestToBytes(nodeNow(1)),
    size: () => groups.reduce((sum, group) => sum + group.length / RECORD_BYTES, 0),
    get: (packageHash) => recordIn((number) => groups[number]!, packageHash),
    bucket: (number) => bucketIn(groups[number >> GROUP_HEIGHT]!, number),
    digestOf: (range) => nodeNow(nodeOver(range)),
    draft: () => draftOn(undefined, version),
    dump: () => dumpOf([...groups], [...pages]),
  };
}

function recordIn(groupOf: (number: number) => Uint8Array, packageHash: Uint8Array): MapRecord | undefined {
  const bucket = bucketOf(packageHash);
  return findRecord(bucketIn(groupOf(bucket >> GROUP_HEIGHT), bucket), packageHash);
}

function* dumpOf(groups: readonly Uint8Array[], pages: readonly (Uint8Array | undefined)[]): Generator<Uint8Array> {
  const present = [...groups.entries()].filter(([, group]) => group.length > 0);
  yield numbersAsBytes(present.length);
  for (const [number, group] of present) {
    yield numbersAsBytes(number, group.length);
    yield group;
  }
  const made = [...pages.entries()].filter((entry): entry is [number, Uint8Array] => entry[1] !== undefined);
  yield numbersAsBytes(made.length);
  for (const [number, page] of made) {
    yield numbersAsBytes(number);
    yield page;
  }
}

/** Nodes are numbered as in a heap: 1 is the root, node n has the children 2n and 2n + 1, bucket b is node MAP_SIZE + b. */
function nodeOver(range: Range): number {
  const length = range.end - range.start;
  const node = (MAP_SIZE + range.start) / length;
  if (!Number.isInteger(node) || !Number.isInteger(Math.log2(length)) || range.end > MAP_SIZE) {
    throw new LogError("BAD_ARGUMENT", "The range is no subtree of the map.");
  }
  return node;
}

/** A node's hash; that of a bucket is made from its bytes, all others are kept. */
function nodeAt(
  node: number,
  groupOf: (number: number) => Uint8Array,
  pageOf: (number: number) => Uint8Array | undefined,
): Digest {
  if (node >= MAP_SIZE) {
    const bucket = node - MAP_SIZE;
    const bytes = bucketIn(groupOf(bucket >> GROUP_HEIGHT), bucket);
    return bytes.length === 0 ? emptyAt(MAP_HEIGHT) : leafDigest(bytes);
  }
  const { page, offset } = placeOf(node);
  const bytes = pageOf(page);
  return bytes === undefined ? emptyAt(31 - Math.clz32(node)) : digestFromBytes(bytes, offset);
}

/** The hash of a node that is no bucket, from its children's. Where these are kept in one page they stand next to each other. */
function digestOfChildren(
  node: number,
  groupOf: (number: number) => Uint8Array,
  pageOf: (number: number) => Uint8Array | undefined,
): Digest {
  if (2 * node < MAP_SIZE) {
    const { page, offset } = placeOf(2 * node);
    const bytes = offset === 0 ? undefined : pageOf(page);
    if (bytes !== undefined) return nodeDigestOfPair(bytes, offset);
  }
  return nodeDigest(nodeAt(2 * node, groupOf, pageOf), nodeAt(2 * node + 1, groupOf, pageOf));
}

/** Of nodes of one level in ascending order, each once. */
function parentsOf(nodes: readonly number[]): number[] {
  const parents: number[] = [];
  for (const node of nodes) if (node >> 1 !== parents.at(-1)) parents.push(node >> 1);
  return parents;
}

function numbersAsBytes(...numbers: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) view.setUint32(4 * i, number);
  return bytes;
}

const NO_BYTES = new Uint8Array(0);
