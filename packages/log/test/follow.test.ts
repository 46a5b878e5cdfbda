import { describe, expect, test } from "vitest";
import {
  appendToPeaks,
  encodeEntryBundle,
  fetchPeaks,
  fetchProvedLeaf,
  followLeaves,
  type LogEndpoint,
  NO_PEAKS,
  noteSigner,
  parseTilePath,
  peakRanges,
  type Peaks,
  rootOfPeaks,
} from "../src/index.ts";
import { flipBit, naiveLeaf, naiveRoot } from "./naive.ts";

const signer = noteSigner("log.example/main", new Uint8Array(32).fill(1));
const leaves = Array.from({ length: 17_000 }, (_, i) => new TextEncoder().encode(`leaf ${i}`));
const hashes = leaves.map(naiveLeaf);
const roots = new Map<string, Uint8Array>();
const badTile = expect.objectContaining({ code: "BAD_TILE" });

/** Root over a range; ranges that begin at multiples of 256 come again and again. */
function rootOver(start: number, end: number): Uint8Array {
  const name = `${start}-${end}`;
  const known = roots.get(name);
  if (known !== undefined) return known;
  const root = naiveRoot(hashes.slice(start, end));
  roots.set(name, root);
  return root;
}

function treeOf(size: number): { origin: string; size: number; root: Uint8Array } {
  return { origin: "log.example/main", size, root: rootOver(0, size) };
}

type Change = (path: string, bytes: Uint8Array) => Uint8Array | undefined;

/** Serves the tiles and bundles of `leaves`, each changed as a test wishes. */
function logOf(change: Change = (_, bytes) => bytes): LogEndpoint {
  const url = "https://log.example/main/";
  return {
    url,
    key: signer.key,
    fetch: async (address) => {
      const path = address.slice(url.length);
      const tile = parseTilePath(path)!;
      const first = tile.index * 256;
      const bytes =
        tile.level === "entries"
          ? encodeEntryBundle(leaves.slice(first, first + tile.width))
          : Buffer.concat(
              Array.from({ length: tile.width }, (_, i) => {
                const span = 256 ** Number(tile.level);
                return rootOver((first + i) * span, (first + i + 1) * span);
              }),
            );
      const changed = change(path, bytes);
      return changed === undefined
        ? new Response('{"code":"x"}', { status: 404 })
        : new Response(new Uint8Array(changed));
    },
  };
}

async function followed(log: LogEndpoint, from: Peaks, size: number): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const batch of followLeaves(log, from, treeOf(size))) {
    expect(batch.first).toBe(from.size + all.length);
    all.push(...batch.leaves);
    expect(batch.peaks.size).toBe(from.size + all.length);
  }
  return all;
}

describe("peaks", () => {
  test("lead to the root of every size, however the leaves come", () => {
    let one = NO_PEAKS;
    for (let size = 0; size <= 70; size++) {
      expect(rootOfPeaks(one)).toEqual(Uint8Array.from(naiveRoot(hashes.slice(0, size))));
      expect(one).toEqual(appendToPeaks(NO_PEAKS, leaves.slice(0, size)));
      expect(one.digests.length).toBe(peakRanges(size).length);
      one = appendToPeaks(one, leaves.slice(size, size + 1));
    }
  });
});

describe("following a log", () => {
  test("gives every leaf once, from wherever it was left off", async () => {
    const log = logOf();
    for (const [from, size] of [
      [0, 1],
      [0, 255],
      [255, 257],
      [256, 512],
      [300, 16_900],
      [16_384, 17_000],
      [700, 700],
    ] as const) {
      const peaks = await fetchPeaks(log, from, treeOf(size));
      expect(await followed(log, peaks, size)).toEqual(leaves.slice(from, size));
    }
  });
  test("manages without a partial bundle that is gone", async () => {
    const log = logOf((path, bytes) => (path.includes("entries") && path.includes(".p/") ? undefined : bytes));
    expect(await followed(log, NO_PEAKS, 700)).toEqual(leaves.slice(0, 700));
  });
  test.each<[string, Change]>([
    ["a bundle with another entry", (path, bytes) => (path === "tile/entries/001" ? flipBit(bytes, 100) : bytes)],
    ["a tile of another tree", (path, bytes) => (path.startsWith("tile/1/") ? flipBit(bytes, 8 * 32 * 64) : bytes)],
  ])("%s gives nothing", async (_, change) => {
    const size = 16_900;
    const iterator = followLeaves(logOf(change), NO_PEAKS, treeOf(size));
    await expect(iterator.next()).rejects.toThrow(badTile);
  });
  test("whoever saw another beginning is told", async () => {
    const other = appendToPeaks(NO_PEAKS, leaves.slice(1, 301));
    await expect(followed(logOf(), other, 700)).rejects.toThrow(badTile);
  });
  test("peaks of another tree are refused", async () => {
    const log = logOf((path, bytes) => (path.startsWith("tile/0/001") ? flipBit(bytes, 9) : bytes));
    await expect(fetchPeaks(log, 300, treeOf(700))).rejects.toThrow(badTile);
  });
  test("one leaf is proved alone", async () => {
    const { leaf, proof } = await fetchProvedLeaf(logOf(), 299, treeOf(700));
    expect([leaf, proof.length]).toEqual([leaves[299], 10]);
    const log = logOf((path, bytes) => (path.startsWith("tile/entries/001") ? flipBit(bytes, 8 * 435) : bytes));
    await expect(fetchProvedLeaf(log, 299, treeOf(700))).rejects.toThrow(badTile);
  });
});
