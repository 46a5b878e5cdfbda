import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  bucketOf,
  createPackageMap,
  encodeEntry,
  encodeEpoch,
  leafHash,
  MAP_SIZE,
  multiProof,
  parseLeaf,
  rootOfDigests,
  digestFromBytes,
  rootFromMultiProof,
  rootOfLeaves,
} from "../src/index.ts";

// Chapter 04 as data, for other implementations: test/vectors/log/log.json. `UPDATE_VECTORS=1` writes it anew.
const FILE = join(import.meta.dirname, "../../../test/vectors/log/log.json");
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const hashOf = (text: string): Uint8Array => createHash("sha256").update(text).digest();

function makeVectors(): unknown {
  const map = createPackageMap();
  const emptyRoot = hex(map.root());
  const packages = Array.from({ length: 5 }, (_, i) => `npm:npmjs/package-${i}`);
  const records = packages.map((packageId, i) => ({
    packageHash: hashOf(packageId),
    last: 10 + i,
    lastAuthority: i === 2 ? null : i,
  }));
  const draft = map.draft();
  for (const record of records) draft.set(record);
  draft.commit();
  const entries = records.map(({ packageHash }, i) =>
    encodeEntry({
      kind: i === 0 ? "claim" : "release",
      time: 1_800_000_000 + i,
      packageHash,
      envelopeHash: hashOf(`envelope ${i}`),
      previous: i === 0 ? null : i,
      previousAuthority: i < 2 ? null : 2 ** 40 + i,
    }),
  );
  const epoch = encodeEpoch({
    kind: "epoch",
    time: 1_800_000_009,
    mapRoot: map.root(),
    covers: entries.length,
    previousEpoch: null,
  });
  const leaves = [...entries, epoch];
  const hashes = leaves.map(leafHash);
  const digests = hashes.map((hash) => digestFromBytes(hash));
  const indices = [1, 4, 5];
  const buckets = records.map(({ packageHash }) => bucketOf(packageHash)).toSorted((a, b) => a - b);
  return {
    leaves: leaves.map((leaf) => ({ bytes: hex(leaf), leafHash: hex(leafHash(leaf)) })),
    treeRoot: hex(rootOfLeaves(hashes)),
    multiProof: {
      size: leaves.length,
      indices,
      proof: hex(multiProof(leaves.length, indices, ({ start, end }) => rootOfDigests(digests.slice(start, end)))),
    },
    map: {
      emptyRoot,
      packages: packages.map((packageId, i) => ({
        packageId,
        packageHash: hex(records[i]!.packageHash),
        last: records[i]!.last,
        lastAuthority: records[i]!.lastAuthority,
        bucket: bucketOf(records[i]!.packageHash),
        bucketBytes: hex(map.bucket(bucketOf(records[i]!.packageHash))),
      })),
      root: hex(map.root()),
      proofOfAll: hex(multiProof(MAP_SIZE, buckets, map.digestOf)),
    },
  };
}

test("leaves, tree, multi-proof and map are those of the vectors [L-2] [L-3] [L-9] to [L-13]", () => {
  const made = makeVectors();
  if (process.env["UPDATE_VECTORS"] !== undefined) writeFileSync(FILE, `${JSON.stringify(made, null, 2)}\n`);
  const kept = JSON.parse(readFileSync(FILE, "utf8")) as {
    leaves: { bytes: string; leafHash: string }[];
    treeRoot: string;
    multiProof: { size: number; indices: number[]; proof: string };
  };
  expect(made).toEqual(kept);
  for (const { bytes } of kept.leaves) expect(() => parseLeaf(Buffer.from(bytes, "hex"))).not.toThrow();
  const { size, indices, proof } = kept.multiProof;
  const known = indices.map((index) => ({ index, hash: Buffer.from(kept.leaves[index]!.leafHash, "hex") }));
  expect(hex(rootFromMultiProof(size, known, Buffer.from(proof, "hex")))).toBe(kept.treeRoot);
});
