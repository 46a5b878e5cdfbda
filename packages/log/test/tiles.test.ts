import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  consistencyProof,
  digestToBytes,
  encodeEntryBundle,
  fetchRangeDigests,
  inclusionProof,
  parseEntryBundle,
  parseTilePath,
  type Tile,
  tileCache,
  tilePath,
  tileReader,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
} from "../src/index.ts";
import { tilesOfRanges } from "../src/tile-reader.ts";
import { naiveRoot, someLeaves } from "./naive.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const leaves = someLeaves(70_000);
const above = chunk(leaves).map((tile) => naiveRoot(tile));
const levels = [leaves, above, chunk(above).map((tile) => naiveRoot(tile))];

/** The tile as a log of `size` leaves would serve it. */
function tileOf(size: number): (tile: Tile) => Uint8Array {
  return ({ level, index, width }) => {
    if (level === "entries") throw new Error("not a tile of hashes");
    expect(width).toBe(tileWidth(size, level, index));
    return Buffer.concat(levels[level]!.slice(index * 256, index * 256 + width));
  };
}

function root(size: number): Uint8Array {
  return naiveRoot(leaves.slice(0, size));
}

function chunk(hashes: readonly Uint8Array[]): Uint8Array[][] {
  return Array.from({ length: Math.floor(hashes.length / 256) }, (_, i) => hashes.slice(i * 256, i * 256 + 256));
}

describe("tlog-tiles: names", () => {
  test.each([
    [{ level: 0, index: 0, width: 256 }, "tile/0/000"],
    [{ level: 0, index: 1_234_067, width: 256 }, "tile/0/x001/x234/067"],
    [{ level: 63, index: 1000, width: 1 }, "tile/63/x001/000.p/1"],
    [{ level: "entries", index: 5, width: 255 }, "tile/entries/005.p/255"],
    [{ level: 0, index: Number.MAX_SAFE_INTEGER, width: 256 }, "tile/0/x009/x007/x199/x254/x740/991"],
  ] as const)("%o is %s", (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });
  test.each([
    "tile/0/0",
    "tile/0/x000/000",
    "tile/00/000",
    "tile/01/000",
    "tile/64/000",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p/",
    "tile/0/001/002",
    "tile/0/x001",
    "tile/0/../000",
    "tile/0/000/",
    "/tile/0/000",
    "tile/entries/000.p/-1",
    "tile/0/x999/x999/x999/x999/x999/999",
  ])("%s is no tile", (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
  test("the tiles of a tree of 70,000 leaves are those of the specification's example", () => {
    expect(tileWidth(70_000, 0, 272)).toBe(256);
    expect(tileWidth(70_000, 0, 273)).toBe(112);
    expect(tileWidth(70_000, 0, 274)).toBe(0);
    expect(tileWidth(70_000, 1, 0)).toBe(256);
    expect(tileWidth(70_000, 1, 1)).toBe(17);
    expect(tileWidth(70_000, 2, 0)).toBe(1);
    expect(tileWidth(256, 0, 0)).toBe(256);
    expect(tileWidth(256, 1, 0)).toBe(1);
  });
});

describe("tlog-tiles: entry bundles", () => {
  test("are read as they were written", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 }), (entries) => {
        expect(parseEntryBundle(encodeEntryBundle(entries), entries.length).map(hex)).toEqual(entries.map(hex));
      }),
      { numRuns: 50 },
    );
  });
  test("with too many, too few or cut entries are refused", () => {
    const bundle = encodeEntryBundle([Buffer.from("one"), Buffer.from("two")]);
    const bad = expect.objectContaining({ code: "BAD_TILE" });
    for (const [bytes, width] of [
      [bundle, 1],
      [bundle, 3],
      [bundle.subarray(0, 8), 2],
      [bundle.subarray(0, 6), 2],
    ] as const) {
      expect(() => parseEntryBundle(bytes, width)).toThrow(bad);
    }
    expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow(bad);
  });
});

describe("tlog-tiles: proofs from tiles", () => {
  test.each([1, 2, 255, 256, 257, 511, 65_536, 65_537, 70_000])("root of size %i", (size) => {
    expect(hex(digestToBytes(tileReader(size, tileOf(size))({ start: 0, end: size })))).toBe(hex(root(size)));
  });

  test("inclusion and consistency proofs verify", () => {
    const sizes = [300, 65_600, 70_000];
    const cache = tileCache(1000);
    for (const size of sizes) {
      const digestOf = tileReader(size, tileOf(size), cache);
      const newRoot = root(size);
      for (const index of [0, 1, 255, 256, 299, size - 1, Math.floor(size / 2)]) {
        verifyInclusion(leaves[index]!, index, size, inclusionProof(index, size, digestOf), newRoot);
      }
      for (const older of [1, 2, 255, 256, 257, size - 1, Math.floor(size / 2), size]) {
        verifyConsistency(older, size, consistencyProof(older, size, digestOf), root(older), newRoot);
      }
    }
  });

  test("each tile that a proof needs is fetched once", async () => {
    const asked: string[] = [];
    const ranges = [
      { start: 0, end: 70_000 },
      { start: 0, end: 65_536 },
      { start: 69_888, end: 70_000 },
    ];
    const digests = await fetchRangeDigests(70_000, ranges, async (tile) => {
      asked.push(tilePath(tile));
      return tileOf(70_000)(tile);
    });
    expect(digests.map((digest) => hex(digestToBytes(digest)))).toEqual([
      hex(root(70_000)),
      hex(root(65_536)),
      hex(naiveRoot(leaves.slice(69_888))),
    ]);
    expect(asked.toSorted()).toEqual(["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
  });

  test("a tile of the wrong length, and a range that is no subtree, are refused", () => {
    const cut = (tile: Tile): Uint8Array => tileOf(300)(tile).subarray(1);
    expect(() => tileReader(300, cut)({ start: 0, end: 300 })).toThrow(expect.objectContaining({ code: "BAD_TILE" }));
    const digestOf = tileReader(300, tileOf(300));
    for (const [start, end] of [
      [1, 3],
      [0, 0],
      [3, 2],
      [0, 301],
      [256, 512],
    ] as const) {
      expect(() => digestOf({ start, end })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    }
    expect(tilesOfRanges(300, [{ start: 0, end: 128 }])).toEqual([{ level: 0, index: 0, width: 256 }]);
  });

  test("a cache keeps no more tiles than it may, and none is read again while kept", () => {
    let reads = 0;
    const cache = tileCache(2);
    const read = (tile: Tile): Uint8Array => {
      reads++;
      return tileOf(70_000)(tile);
    };
    const digestOf = tileReader(70_000, read, cache);
    const touch = (tile: number): string => digestOf({ start: tile * 256, end: tile * 256 + 1 });
    for (const tile of [0, 1, 0, 1]) touch(tile);
    expect(reads).toBe(2);
    touch(2);
    touch(1);
    expect(reads).toBe(3);
    touch(0);
    expect(reads).toBe(4);
  });
});
