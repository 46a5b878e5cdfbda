import { afterEach, describe, expect, test } from "vitest";
import {
  emptyRoot,
  fetchCheckpoint,
  fetchConsistency,
  fetchEarlier,
  fetchEnvelope,
  fetchEvidence,
  fetchTile,
  leafHash,
  nodeCrypto,
  parseEntry,
  parseEntryBundle,
  parseEpoch,
  parseEvidence,
  rootOfLeaves,
  type SignedCheckpoint,
  tileWidth,
} from "@touchmark/log";
import { encodeHex, packageIdHash } from "@touchmark/core";
import { checkStore, openFolder } from "../src/index.ts";
import { runLog, type RunningLog, signer, START } from "./support/log.ts";
import { claim, earlierRoot, person, release, sha512Hex } from "./support/statements.ts";

const [alice, bob, mallory] = [person("alice"), person("bob"), person("mallory")];
const widget = "npm:npmjs/widget";
let running: RunningLog;
afterEach(() => running.end());

const refused = (status: number, code: string): unknown =>
  expect.objectContaining({ code: "REFUSED", refusal: expect.objectContaining({ status, code }) });

/** All leaves of a log whose tree is smaller than one tile. */
async function leavesOf(checkpoint: SignedCheckpoint): Promise<Uint8Array[]> {
  const width = tileWidth(checkpoint.size, "entries", 0);
  return parseEntryBundle(await fetchTile(running.log, { level: "entries", index: 0, width }), width);
}

describe("the log's interface [L-19] to [L-22]", () => {
  test("[L-8] a new log is one epoch leaf over the empty map", async () => {
    running = await runLog();
    const checkpoint = await fetchCheckpoint(running.log);
    expect(checkpoint.size).toBe(1);
    const [leaf] = await leavesOf(checkpoint);
    expect(parseEpoch(leaf!)).toMatchObject({ kind: "epoch", time: START, covers: 0, previousEpoch: null });
    expect(Buffer.from(rootOfLeaves([leafHash(leaf!)]))).toEqual(Buffer.from(checkpoint.root));
    const health = await fetch(`${running.url}healthz`);
    expect([health.status, await health.text()]).toEqual([200, "ok\n"]);
  });

  test("a claim and a release become the leaves of the example in chapter 04", async () => {
    running = await runLog();
    const claimed = claim({ [widget]: [] }, [alice]);
    const first = await running.submit(claimed);
    running.clock.now += 10;
    const released = release([`${widget}@1.0.0`], [alice]);
    const second = await running.submit(released);
    expect([...first.entries, ...second.entries]).toEqual([
      [widget, 1],
      [widget, 3],
    ]);
    expect(second.checkpoint.size).toBe(5);
    const leaves = await leavesOf(second.checkpoint);
    const packageHash = packageIdHash(nodeCrypto, widget);
    expect(parseEntry(leaves[1]!)).toEqual({
      kind: "claim",
      time: START,
      packageHash,
      envelopeHash: nodeCrypto.sha256(claimed),
      previous: null,
      previousAuthority: null,
    });
    expect(parseEntry(leaves[3]!)).toEqual({
      kind: "release",
      time: START + 10,
      packageHash,
      envelopeHash: nodeCrypto.sha256(released),
      previous: 1,
      previousAuthority: 1,
    });
    expect([2, 4].map((index) => parseEpoch(leaves[index]!).covers)).toEqual([2, 4]);
    expect(parseEpoch(leaves[4]!).previousEpoch).toBe(2);
    await fetchConsistency(running.log, first.checkpoint, second.checkpoint);
    expect(Buffer.from(await fetchEnvelope(running.log, nodeCrypto.sha256(released)))).toEqual(Buffer.from(released));
  });

  test("[L-6] a statement about several packages has one entry each, next to each other, in their order", async () => {
    running = await runLog();
    const packages = { "npm:npmjs/b": [], "npm:npmjs/a": [], "npm:npmjs/@x/y": [] };
    const { entries, checkpoint } = await running.submit(claim(packages, [alice]));
    expect([...entries]).toEqual([
      ["npm:npmjs/@x/y", 1],
      ["npm:npmjs/a", 2],
      ["npm:npmjs/b", 3],
    ]);
    expect(checkpoint.size).toBe(5);
    const ids = ["npm:npmjs/a@1.0.0", "npm:npmjs/a@1.1.0", "npm:npmjs/b@2.0.0"];
    const answer = await running.submit(release(ids, [alice]));
    expect([...answer.entries]).toEqual([
      ["npm:npmjs/a", 5],
      ["npm:npmjs/b", 6],
    ]);
  });

  test("[C-15] a release of 500 subjects with long names is admitted, and its evidence is had", async () => {
    running = await runLog();
    const names = Array.from({ length: 500 }, (_, i) => `npm:npmjs/@${"s".repeat(100)}/${`${i}`.padStart(112, "n")}`);
    for (const part of [names.slice(0, 250), names.slice(250)])
      await running.submit(claim(Object.fromEntries(part.map((name) => [name, []])), [alice]));
    const version = `1.0.0-${"a".repeat(200)}`;
    const envelope = release(
      names.map((name) => `${name}@${version}`),
      [alice],
    );
    expect(envelope.length).toBeGreaterThan(768 * 1024);
    const { entries, checkpoint } = await running.submit(envelope);
    expect([entries.size, checkpoint.size]).toEqual([500, 1004]);
    expect(Buffer.from(await fetchEnvelope(running.log, nodeCrypto.sha256(envelope)))).toEqual(Buffer.from(envelope));
    const bundle = parseEvidence(
      await fetchEvidence(running.log, Object.fromEntries(names.map((name) => [name, [version]]))),
    );
    expect(bundle.envelopes.size).toBe(3);
  });

  test("[S-15] a claim's list of earlier versions is kept, and refused if it is another or missing", async () => {
    running = await runLog();
    const list = [
      ["0.9.0", sha512Hex("0.9.0")],
      ["1.0.0", sha512Hex("1.0.0")],
    ] as const;
    const envelope = claim({ [widget]: list }, [alice]);
    await expect(running.submit(envelope)).rejects.toThrow(refused(422, "EARLIER_MISSING"));
    await expect(running.submit(envelope, { [widget]: list.slice(1) })).rejects.toThrow(refused(422, "EARLIER_WRONG"));
    const unsorted = { [widget]: list.toReversed() };
    await expect(running.submit(envelope, unsorted)).rejects.toThrow(refused(400, "MALFORMED"));
    await running.submit(envelope, { [widget]: list });
    expect(await fetchEarlier(running.log, earlierRoot(list).root)).toEqual(list);
    await expect(fetchEarlier(running.log, emptyRoot())).rejects.toThrow(
      expect.objectContaining({ code: "NOT_FOUND" }),
    );
  });

  test("refusals say why [L-22]", async () => {
    running = await runLog();
    await running.submit(claim({ [widget]: [] }, [alice, bob], { threshold: 2 }));
    const both = [alice, bob];
    const cases: [Uint8Array, number, string][] = [
      [claim({ [widget]: [] }, [mallory]), 409, "PROOF_NEEDED"],
      [claim({ "npm:npmjs/new": [] }, both, { signers: [alice] }), 422, "MISSING_POSSESSION"],
      [release(["npm:npmjs/other@1.0.0"], both), 409, "NOT_CLAIMED"],
      [release([`${widget}@1.0.0`], [alice]), 422, "THRESHOLD"],
      [release([`${widget}@1.0.0`], [alice, mallory]), 422, "WRONG_KEY"],
      [release([`${widget}@1.0.0`], both, { logs: ["log.example/other"] }), 422, "WRONG_LOG"],
      [Buffer.from("{}"), 400, "MALFORMED"],
    ];
    for (const [envelope, status, code] of cases) {
      await expect(running.submit(envelope)).rejects.toThrow(refused(status, code));
    }
    const good = release([`${widget}@1.0.0`], both);
    expect((await fetchCheckpoint(running.log)).size).toBe(3);
    await running.submit(good);
    await expect(running.submit(release([`${widget}@1.0.0`], both, { bytes: "other" }))).rejects.toThrow(
      refused(409, "EQUIVOCATION"),
    );
  });

  test("a signature that is false refuses the envelope [S-4]", async () => {
    running = await runLog();
    const good = JSON.parse(Buffer.from(claim({ [widget]: [] }, [alice])).toString()) as {
      signatures: { sig: string }[];
    };
    const blob = Buffer.from(good.signatures[0]!.sig, "base64");
    blob[blob.length - 20]! ^= 1;
    good.signatures[0]!.sig = blob.toString("base64");
    await expect(running.submit(Buffer.from(JSON.stringify(good)))).rejects.toThrow(refused(422, "BAD_SIGNATURE"));
    expect((await fetchCheckpoint(running.log)).size).toBe(1);
  });

  test("[S-23] one statement releasing twice what another did is refused whole", async () => {
    running = await runLog();
    await running.submit(claim({ [widget]: [], "npm:npmjs/b": [] }, [alice]));
    await running.submit(release([`${widget}@1.0.0`], [alice]));
    const again = release(["npm:npmjs/b@1.0.0", `${widget}@1.0.0`], [alice]);
    await expect(running.submit(again)).rejects.toThrow(refused(409, "ALREADY_RELEASED"));
    const { entries } = await running.submit(release(["npm:npmjs/b@1.0.0"], [alice]));
    expect([...entries]).toEqual([["npm:npmjs/b", 6]]);
  });
});

describe("the same statement again [L-15]", () => {
  test("has the entries that it had, and appends nothing", async () => {
    running = await runLog();
    const envelope = claim({ [widget]: [], "npm:npmjs/b": [] }, [alice]);
    const first = await running.submit(envelope);
    const again = await running.submit(envelope);
    expect(again).toEqual(first);
    running = await running.restart();
    expect(await running.submit(envelope)).toEqual(first);
  });

  test("from many places at once is one statement, others beside it notwithstanding", async () => {
    running = await runLog();
    await running.submit(claim({ [widget]: [] }, [alice]));
    const same = release([`${widget}@1.0.0`], [alice]);
    const rivals = Array.from({ length: 8 }, (_, i) => release([`${widget}@2.0.0`], [alice], { bytes: `rival ${i}` }));
    const answers = await Promise.all(Array.from({ length: 24 }, () => running.submit(same)));
    const outcomes = await Promise.allSettled(rivals.map((envelope) => running.submit(envelope)));
    expect(new Set(answers.map(({ entries }) => entries.get(widget))).size).toBe(1);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await running.server.close();
    expect((await checkStore(await openFolder(running.dir), signer.key)).problems).toEqual([]);
  });
});

describe("time", () => {
  test("[L-18] a silent log appends an epoch leaf when the last one is old enough", async () => {
    running = await runLog({ tick: 20 });
    running.clock.now += 3599;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await fetchCheckpoint(running.log)).size).toBe(1);
    running.clock.now += 1;
    await expect.poll(async () => (await fetchCheckpoint(running.log)).size).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const checkpoint = await fetchCheckpoint(running.log);
    expect(checkpoint.size).toBe(2);
    const leaves = await leavesOf(checkpoint);
    expect(parseEpoch(leaves[1]!)).toMatchObject({ time: START + 3600, covers: 1, previousEpoch: 0 });
  });

  test("[L-7] log time does not run back when the clock does", async () => {
    running = await runLog();
    await running.submit(claim({ [widget]: [] }, [alice]));
    running.clock.now -= 500;
    const { checkpoint } = await running.submit(release([`${widget}@1.0.0`], [alice]));
    const leaves = await leavesOf(checkpoint);
    expect(parseEntry(leaves[3]!).time).toBe(START);
    expect(encodeHex(leaves[4]!.subarray(2, 10))).toBe(encodeHex(leaves[2]!.subarray(2, 10)));
  });
});
