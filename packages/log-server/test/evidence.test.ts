import { encodeEarlierLeaf, packageIdHash } from "@touchmark/core";
import {
  bucketOf,
  type Evidence,
  fetchEvidence,
  findRecord,
  leafHash,
  mapRootFromBuckets,
  nodeCrypto,
  parseBucket,
  parseEntry,
  parseEpoch,
  parseEvidence,
  rootFromMultiProofOfData,
  verifyCheckpoint,
} from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runLog, type RunningLog } from "./support/log.ts";
import { claim, earlierRoot, person, release, sha512Hex } from "./support/statements.ts";

const [alice, bob] = [person("alice"), person("bob")];
const [a, b, nobody] = ["npm:npmjs/a", "npm:npmjs/b", "npm:npmjs/nobody"];
const list = ["0.1.0", "0.2.0", "0.3.0", "1.0.0-rc.1"].map((version) => [version, sha512Hex(version)] as const);
let running: RunningLog;

beforeEach(async () => {
  running = await runLog();
  await running.submit(claim({ [a]: list, [b]: [] }, [alice]), { [a]: list });
  await running.submit(release([`${a}@1.0.0`, `${b}@1.0.0`], [alice]));
  await running.submit(release([`${a}@1.1.0`], [alice]));
  await running.submit(claim({ "npm:npmjs/c": [] }, [bob]));
});
afterEach(() => running.end());

/** Steps 2 to 4 of chapter 06, and the links of the package's chain. */
function verify(evidence: Evidence): { size: number; envelopes: Set<string> } {
  const checkpoint = verifyCheckpoint(evidence.checkpoint, running.log.key);
  const indices = [...evidence.entries.keys(), checkpoint.size - 1];
  const leaves = [...evidence.entries.values(), evidence.epoch];
  const same = (x: Uint8Array, y: Uint8Array): void => expect(Buffer.from(x).equals(y)).toBe(true);
  same(rootFromMultiProofOfData(checkpoint.size, indices, leaves, evidence.logProof), checkpoint.root);
  const epoch = parseEpoch(evidence.epoch);
  expect(epoch.covers).toBe(checkpoint.size - 1);
  if (evidence.buckets.size > 0) same(mapRootFromBuckets(evidence.buckets, evidence.mapProof), epoch.mapRoot);
  for (const [number, bytes] of evidence.buckets) parseBucket(bytes, number);
  const envelopes = new Set(evidence.envelopes.keys());
  const named = new Set([...evidence.entries.values()].map((entry) => hex(parseEntry(entry).envelopeHash)));
  expect(envelopes).toEqual(named);
  return { size: checkpoint.size, envelopes };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const ask = async (packages: Record<string, readonly string[]>): Promise<Evidence> =>
  parseEvidence(await fetchEvidence(running.log, packages));

describe("POST evidence [L-21] [E-1] to [E-7]", () => {
  test("holds the authority's entries and the asked releases, and everything is proved", async () => {
    const evidence = await ask({ [a]: ["1.0.0", "9.9.9"], [b]: [] });
    verify(evidence);
    // 1 and 2: the claim of a and b; 4: the release of a@1.0.0. The release of b and that of a@1.1.0 were not asked for.
    expect([...evidence.entries.keys()]).toEqual([1, 2, 4]);
    expect(evidence.envelopes.size).toBe(2);
    expect([...evidence.earlier]).toEqual([]);
  });

  test("[L-12] a package never claimed is proved to be that", async () => {
    const evidence = await ask({ [nobody]: ["1.0.0"] });
    verify(evidence);
    const hash = packageIdHash(nodeCrypto, nobody);
    const bucket = evidence.buckets.get(bucketOf(hash));
    expect(bucket && findRecord(bucket, hash)).toBeUndefined();
    expect([evidence.buckets.size, evidence.entries.size, evidence.envelopes.size]).toEqual([1, 0, 0]);
  });

  test("[E-5] an earlier version that was asked for is proved to be on the claim's list", async () => {
    const evidence = await ask({ [a]: ["0.2.0", "1.0.0-rc.1", "1.0.0"], [b]: ["0.2.0"] });
    verify(evidence);
    expect([...evidence.earlier.keys()]).toEqual([a]);
    const { versions, proof } = evidence.earlier.get(a)!.get(hex(earlierRoot(list).root))!;
    expect([...versions]).toEqual([
      [1, list[1]],
      [3, list[3]],
    ]);
    const leaves = [...versions.values()].map(([version, sha512]) => encodeEarlierLeaf(version, sha512));
    const root = rootFromMultiProofOfData(list.length, [...versions.keys()], leaves, proof);
    expect(hex(root)).toBe(hex(earlierRoot(list).root));
    expect(hex(leafHash(encodeEarlierLeaf(...list[1]!)))).not.toBe(hex(root));
  });

  test("[E-7] of nothing holds the epoch leaf alone", async () => {
    const evidence = await ask({});
    expect(verify(evidence).envelopes.size).toBe(0);
    expect([evidence.entries.size, evidence.buckets.size, evidence.mapProof.length]).toEqual([0, 0, 0]);
  });

  test("is at the newest checkpoint, again after a restart, and the same bytes for the same question", async () => {
    const before = await fetchEvidence(running.log, { [a]: ["1.1.0"], [nobody]: [] });
    running = await running.restart();
    const after = await fetchEvidence(running.log, { [nobody]: [], [a]: ["1.1.0"] });
    expect(Buffer.from(after).equals(before)).toBe(true);
    await running.submit(release([`${a}@2.0.0`], [alice]));
    const newer = await ask({ [a]: ["2.0.0"] });
    expect(verify(newer).size).toBeGreaterThan(verify(parseEvidence(before)).size);
    expect(newer.entries.size).toBe(2);
  });

  test("is of one checkpoint, however the log grows while it is made", async () => {
    const names = Array.from({ length: 300 }, (_, i) => `npm:npmjs/many-${i}`);
    await running.submit(claim(Object.fromEntries(names.map((name) => [name, []])), [alice]));
    await running.submit(
      release(
        names.map((name) => `${name}@1.0.0`),
        [alice],
      ),
    );
    const question = Object.fromEntries(names.map((name) => [name, ["1.0.0", "2.0.0", "3.0.0"]]));
    const growing = (async () => {
      for (let i = 0; i < 8; i++)
        await running.submit(release([`${names[i]}@2.0.0`, `${names[i + 9]}@3.0.0`], [alice]));
    })();
    const bundles = await Promise.all(Array.from({ length: 4 }, () => ask(question)));
    await growing;
    for (const bundle of bundles) {
      verify(bundle);
      expect(bundle.entries.size).toBeGreaterThanOrEqual(600);
    }
  });
});
