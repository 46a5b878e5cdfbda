import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  consistencyProof,
  digestFromBytes,
  emptyRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  type Range,
  rootOfLeaves,
  verifyConsistency,
  verifyInclusion,
} from "../src/index.ts";
import { splitSize } from "../src/merkle.ts";
import { flipBit, naivePath, naiveProof, naiveRoot, someLeaves } from "./naive.ts";
import own from "./vectors/rfc6962.json" with { type: "json" };

const base64 = (text: string): Uint8Array => Buffer.from(text, "base64");
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const hexes = (hashes: readonly Uint8Array[]): string[] => hashes.map(hex);
const publicVectors = join(process.env["TOUCHMARK_VECTORS"] ?? "/nonexistent", "rfc6962");

describe("RFC 6962: trees of the eight well-known leaves", () => {
  const leaves = own.leaves.map((leaf) => leafHash(Buffer.from(leaf, "hex")));
  test.each(own.roots.map((root, size) => ({ root, size })))("root of size $size", ({ root, size }) => {
    expect(hex(rootOfLeaves(leaves.slice(0, size)))).toBe(root);
  });
  test("the root of the empty tree is SHA-256 of nothing", () => {
    expect(hex(emptyRoot())).toBe(own.roots[0]);
  });
  test("a leaf longer than the common input is hashed alike", () => {
    const long = new Uint8Array(70_000).fill(7);
    expect(leafHash(long)).toEqual(leafHash(Uint8Array.from(long)));
    expect(hex(leafHash(long.subarray(0, 4095)))).not.toBe(hex(leafHash(long.subarray(0, 4096))));
  });
});

// Others' vectors, where they are at hand.
if (existsSync(publicVectors))
  describe("RFC 6962: public vectors", () => {
    test("inclusion, 98 cases", () => {
      const cases = readCases<InclusionCase>("inclusion");
      expect(cases).toHaveLength(98);
      for (const { leafIdx, treeSize, leafHash: leaf, proof, root, wantErr, desc } of cases) {
        const check = (): void =>
          verifyInclusion(base64(leaf), leafIdx, treeSize, (proof ?? []).map(base64), base64(root ?? ""));
        if (wantErr) expect(check, desc).toThrow();
        else expect(check, desc).not.toThrow();
      }
    });
    test("consistency, 98 cases", () => {
      const cases = readCases<ConsistencyCase>("consistency");
      expect(cases).toHaveLength(98);
      for (const { size1, size2, root1, root2, proof, wantErr, desc } of cases) {
        const check = (): void =>
          verifyConsistency(size1, size2, (proof ?? []).map(base64), base64(root1 ?? ""), base64(root2 ?? ""));
        if (wantErr) expect(check, desc).toThrow();
        else expect(check, desc).not.toThrow();
      }
    });
  });

describe("RFC 6962: proofs made and checked", () => {
  const leaves = someLeaves(130);
  const digestOf = (range: Range): string => digestFromBytes(naiveRoot(leaves.slice(range.start, range.end)));

  test("inclusion proofs are those of section 2.1.1, and verify", () => {
    for (const size of [1, 2, 3, 7, 8, 33, 64, 100]) {
      const root = naiveRoot(leaves.slice(0, size));
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(index, size, digestOf);
        expect(hexes(proof)).toEqual(hexes(naivePath(index, leaves.slice(0, size))));
        verifyInclusion(leaves[index]!, index, size, proof, root);
      }
    }
  });

  test("consistency proofs are those of section 2.1.2, and verify", () => {
    for (let newSize = 1; newSize <= 40; newSize++) {
      const newRoot = naiveRoot(leaves.slice(0, newSize));
      for (let oldSize = 1; oldSize <= newSize; oldSize++) {
        const proof = consistencyProof(oldSize, newSize, digestOf);
        expect(hexes(proof)).toEqual(hexes(naiveProof(oldSize, leaves.slice(0, newSize))));
        verifyConsistency(oldSize, newSize, proof, naiveRoot(leaves.slice(0, oldSize)), newRoot);
      }
    }
  });

  test("no bit of an inclusion proof can be turned, no hash added, dropped or swapped", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 130 }), fc.nat(), fc.nat(), fc.nat(), (size, at, which, bit) => {
        const index = at % size;
        const root = naiveRoot(leaves.slice(0, size));
        const proof = inclusionProof(index, size, digestOf);
        const victim = which % proof.length;
        const refuse = (hashes: Uint8Array[], leaf = leaves[index]!, place = index, n = size, goal = root): void => {
          expect(() => verifyInclusion(leaf, place, n, hashes, goal)).toThrow(
            expect.objectContaining({ code: "BAD_PROOF" }),
          );
        };
        refuse(proof.with(victim, flipBit(proof[victim]!, bit)));
        refuse(proof.toSpliced(victim, 1));
        refuse(proof.toSpliced(victim, 0, proof[victim]!));
        refuse(proof, flipBit(leaves[index]!, bit));
        refuse(proof, leaves[index], index, size, flipBit(root, bit));
        refuse(proof, leaves[index], (index + 1) % size);
        refuse(proof.with(victim, proof[victim]!.subarray(1)));
        refuse(proof, leaves[index], size);
      }),
      { numRuns: 100 },
    );
  });

  test("no bit of a consistency proof can be turned", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 130 }), fc.nat(), fc.nat(), fc.nat(), (newSize, at, which, bit) => {
        const oldSize = 1 + (at % (newSize - 1));
        const proof = consistencyProof(oldSize, newSize, digestOf);
        const victim = which % proof.length;
        const [oldRoot, newRoot] = [naiveRoot(leaves.slice(0, oldSize)), naiveRoot(leaves.slice(0, newSize))];
        const refuse = (hashes: Uint8Array[], older = oldRoot, newer = newRoot): void => {
          expect(() => verifyConsistency(oldSize, newSize, hashes, older, newer)).toThrow(
            expect.objectContaining({ code: "BAD_PROOF" }),
          );
        };
        refuse(proof.with(victim, flipBit(proof[victim]!, bit)));
        refuse(proof.toSpliced(victim, 1));
        refuse(proof.toSpliced(victim, 0, proof[victim]!));
        refuse(proof, flipBit(oldRoot, bit));
        refuse(proof, oldRoot, flipBit(newRoot, bit));
      }),
      { numRuns: 100 },
    );
  });

  test("sizes that are out of order, zero, or no safe integers are refused", () => {
    const root = leaves[0]!;
    for (const [older, newer] of [
      [0, 1],
      [2, 1],
      [-1, 1],
      [1, 2 ** 53],
      [0.5, 1],
      [Number.NaN, 1],
    ] as const) {
      expect(() => verifyConsistency(older, newer, [], root, root)).toThrow(
        expect.objectContaining({ code: "BAD_PROOF" }),
      );
    }
    for (const [index, size] of [
      [0, 0],
      [1, 1],
      [-1, 1],
      [0, 2 ** 53],
      [0.5, 1],
    ] as const) {
      expect(() => verifyInclusion(root, index, size, [], root)).toThrow(
        expect.objectContaining({ code: "BAD_PROOF" }),
      );
    }
  });

  test("the split is the largest power of two below the size, up to 2^53", () => {
    for (let power = 0; power < 53; power++) {
      const size = 2 ** power;
      expect(splitSize(size + 1)).toBe(size);
      expect(splitSize(2 * size)).toBe(size);
    }
  });

  test("a node's hash is not a leaf's", () => {
    const [left, right] = [leaves[0]!, leaves[1]!];
    expect(hex(nodeHash(left, right))).not.toBe(hex(leafHash(Buffer.concat([left, right]))));
    expect(() => nodeHash(left.subarray(1), right)).toThrow(expect.objectContaining({ code: "BAD_PROOF" }));
  });
});

type Case = { desc: string; wantErr: boolean; proof: string[] | null };
type InclusionCase = Case & { leafIdx: number; treeSize: number; root: string | null; leafHash: string };
type ConsistencyCase = Case & { size1: number; size2: number; root1: string | null; root2: string | null };

function readCases<T>(kind: string): T[] {
  const folder = join(publicVectors, kind);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as T);
}
