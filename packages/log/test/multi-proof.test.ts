import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  digestFromBytes,
  leafHash,
  multiProof,
  type Range,
  rootFromMultiProof,
  rootFromMultiProofOfData,
} from "../src/index.ts";
import { flipBit, naivePath, naiveRoot, someLeaves } from "./naive.ts";

const leaves = someLeaves(200);
const digestOf = (range: Range): string => digestFromBytes(naiveRoot(leaves.slice(range.start, range.end)));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const known = (indices: readonly number[]): { index: number; hash: Uint8Array }[] =>
  indices.map((index) => ({ index, hash: leaves[index] ?? leaves[0]! }));
const badProof = expect.objectContaining({ code: "BAD_PROOF" });

const treeAndIndices = fc
  .integer({ min: 1, max: 200 })
  .chain((size) => fc.tuple(fc.constant(size), fc.uniqueArray(fc.nat(size - 1), { minLength: 1, maxLength: 40 })))
  .map(([size, indices]) => ({ size, indices: indices.toSorted((a, b) => a - b) }));

describe("[L-13] multi-proofs", () => {
  test("lead to the root of RFC 6962, for any set of leaves of any tree", () => {
    fc.assert(
      fc.property(treeAndIndices, ({ size, indices }) => {
        const proof = multiProof(size, indices, digestOf);
        expect(hex(rootFromMultiProof(size, known(indices), proof))).toBe(hex(naiveRoot(leaves.slice(0, size))));
      }),
      { numRuns: 200 },
    );
  });

  test("hold no hash that the separate inclusion proofs do not hold, and none twice", () => {
    fc.assert(
      fc.property(treeAndIndices, ({ size, indices }) => {
        const proof = hex(multiProof(size, indices, digestOf));
        const nodes = proof.match(/.{64}/g) ?? [];
        const separate = new Set(indices.flatMap((index) => naivePath(index, leaves.slice(0, size)).map(hex)));
        expect(new Set(nodes).size).toBe(nodes.length);
        expect(nodes.filter((node) => !separate.has(node))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test("of one leaf are its inclusion proof in the order of the walk", () => {
    const proof = multiProof(5, [2], digestOf);
    const [sibling, left, right] = naivePath(2, leaves.slice(0, 5)).map(hex);
    expect(hex(proof)).toBe(`${left}${sibling}${right}`);
  });

  test("of all leaves are empty", () => {
    expect(multiProof(7, [0, 1, 2, 3, 4, 5, 6], digestOf)).toHaveLength(0);
  });

  test("with a bit turned, a hash more or less, or another leaf or index never lead to the root", () => {
    fc.assert(
      fc.property(treeAndIndices, fc.nat(), fc.nat(), ({ size, indices }, which, bit) => {
        const root = hex(naiveRoot(leaves.slice(0, size)));
        const proof = multiProof(size, indices, digestOf);
        const victim = which % indices.length;
        const forged = known(indices).with(victim, {
          index: indices[victim]!,
          hash: flipBit(leaves[indices[victim]!]!, bit),
        });
        expect(hex(rootFromMultiProof(size, forged, proof))).not.toBe(root);
        expect(() => rootFromMultiProof(size, known(indices), Buffer.concat([proof, leaves[0]!]))).toThrow(badProof);
        expect(() => rootFromMultiProof(size, known(indices), Buffer.concat([proof, Buffer.alloc(1)]))).toThrow(
          badProof,
        );
        if (proof.length === 0) return;
        expect(hex(rootFromMultiProof(size, known(indices), flipBit(proof, which * 8 + (bit % 8))))).not.toBe(root);
        expect(() => rootFromMultiProof(size, known(indices), proof.subarray(32))).toThrow(badProof);
        expect(() => rootFromMultiProof(size, known(indices), proof.subarray(1))).toThrow(badProof);
      }),
      { numRuns: 100 },
    );
  });

  test("refuse indices that do not ascend or lie outside, and no indices at all", () => {
    for (const indices of [[], [1, 1], [2, 1], [5], [-1], [0.5]]) {
      expect(() => rootFromMultiProof(5, known(indices), new Uint8Array(0))).toThrow(badProof);
    }
    expect(() => rootFromMultiProof(2 ** 53, known([0]), new Uint8Array(0))).toThrow(badProof);
    expect(() => multiProof(5, [1, 1], digestOf)).toThrow(badProof);
    expect(() => rootFromMultiProof(1, [{ index: 0, hash: new Uint8Array(31) }], new Uint8Array(0))).toThrow(badProof);
  });

  test("of no leaf are the root itself", () => {
    expect(hex(multiProof(6, [], digestOf))).toBe(hex(naiveRoot(leaves.slice(0, 6))));
  });

  test("may be checked from the leaves' bytes", () => {
    const data = ["a", "b", "c"].map((text) => Buffer.from(text));
    const hashes = data.map(leafHash);
    const proof = multiProof(3, [0, 2], ({ start }) => digestFromBytes(hashes[start]!));
    const root = rootFromMultiProofOfData(3, [0, 2], [data[0]!, data[2]!], proof);
    expect(hex(root)).toBe(hex(naiveRoot(hashes)));
  });
});
