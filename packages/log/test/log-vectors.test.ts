import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  bucketOf,
  createPackageMap,
  encodeEntry,
  encodeEpoch,
  findRecord,
  leafHash,
  LogError,
  MAP_SIZE,
  mapRootFromBuckets,
  multiProof,
  parseBucket,
  parseLeaf,
  rootFromMultiProof,
  rootOfLeaves,
  verifyConsistency,
  verifyInclusion,
} from "../src/index.ts";
import {
  type BucketCase,
  type LeafCase,
  LOG_VECTORS,
  makeLogVectors,
  type MapCase,
  type ProofCase,
  type TreeCase,
} from "./support/log-vectors.ts";

// Chapter 04 as data for other implementations: test/vectors/log, made without the code under test.

const read = <T>(file: string): T[] => JSON.parse(readFileSync(join(LOG_VECTORS, file), "utf8")) as T[];
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");
const idHash = (id: string): Uint8Array => createHash("sha256").update(id).digest();

test("the vectors on the disk are those that their program makes", () => {
  for (const [file, content] of Object.entries(makeLogVectors())) {
    expect(readFileSync(join(LOG_VECTORS, file), "utf8")).toBe(content);
  }
});

describe("[L-1] to [L-4] leaves", () => {
  test.each(read<LeafCase>("leaves.json"))("$name", (one) => {
    const data = bytes(one.bytes);
    if ("refused" in one) {
      expect(() => parseLeaf(data)).toThrow(expect.objectContaining({ code: "BAD_ENTRY" }));
      return;
    }
    const leaf = parseLeaf(data);
    expect(
      JSON.parse(JSON.stringify(leaf, (_, value: unknown) => (value instanceof Uint8Array ? hex(value) : value))),
    ).toEqual(one.leaf);
    expect(hex(leaf.kind === "epoch" ? encodeEpoch(leaf) : encodeEntry(leaf))).toBe(one.bytes);
  });
});

describe("RFC 6962 trees", () => {
  test.each(read<TreeCase>("trees.json"))("of $size leaves", ({ size, root, inclusion, consistency }) => {
    const leaves = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));
    expect(hex(rootOfLeaves(leaves))).toBe(root);
    for (const { index, proof } of inclusion)
      verifyInclusion(leaves[index]!, index, size, proof.map(bytes), bytes(root));
    for (const { from, root: old, proof } of consistency) {
      verifyConsistency(from, size, proof.map(bytes), bytes(old), bytes(root));
      expect(hex(rootOfLeaves(leaves.slice(0, from)))).toBe(old);
    }
  });
});

describe("[L-13] multi-proofs", () => {
  test.each(read<ProofCase>("multi-proofs.json"))("$name", ({ size, leaves, proof, root, refused }) => {
    const known = Object.entries(leaves).map(([index, hash]) => ({ index: Number(index), hash: bytes(hash) }));
    const holds = (): boolean => hex(rootFromMultiProof(size, known, bytes(proof))) === root;
    if (refused === undefined) expect(holds()).toBe(true);
    else expect(isTrue(holds)).toBe(false);
  });
});

describe("[L-9] to [L-12] the map", () => {
  test.each(read<BucketCase>("buckets.json"))("a bucket: $name", (one) => {
    const data = bytes(one.bytes);
    if ("refused" in one) {
      expect(() => parseBucket(data, one.bucket)).toThrow(LogError);
      return;
    }
    const records = parseBucket(data, one.bucket).map(({ packageHash, ...rest }) => ({
      packageHash: hex(packageHash),
      ...rest,
    }));
    expect(records).toEqual(one.records);
  });

  test.each(read<MapCase>("maps.json"))("a map: $name", ({ packages, root, proofs }) => {
    const map = createPackageMap();
    const draft = map.draft();
    for (const [id, record] of Object.entries(packages)) draft.set({ packageHash: idHash(id), ...record });
    draft.commit();
    expect(hex(map.root())).toBe(root);
    for (const { asked, present, buckets, proof } of proofs) {
      const shown = new Map(Object.entries(buckets).map(([number, data]) => [Number(number), bytes(data)]));
      expect(hex(mapRootFromBuckets(shown, bytes(proof)))).toBe(root);
      expect(hex(multiProof(MAP_SIZE, [...shown.keys()], map.digestOf))).toBe(proof);
      const found = asked.filter((id) => findRecord(shown.get(bucketOf(idHash(id)))!, idHash(id)) !== undefined);
      expect(found).toEqual(present);
    }
  });
});

function isTrue(holds: () => boolean): boolean {
  try {
    return holds();
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}
