import { join } from "node:path";
import {
  encodeEntry,
  fetchCheckpoint,
  type LogEndpoint,
  noteSigner,
  parseEntry,
  signCheckpoint,
  submitEnvelope,
  verifyCheckpoint,
} from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type Auditor,
  type AuditVerdict,
  createStore,
  type LogServer,
  openAuditor,
  openFolder,
  startLogServer,
  type Store,
} from "../src/index.ts";
import { type Forgery, forceStatement } from "./support/forged.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { claim, earlierRoot, person, release, review, reviewers, revoke, sha512Hex } from "./support/statements.ts";

const alice = person("alice");
const bob = person("bob");
const widget = "npm:npmjs/widget";
const gadget = "npm:npmjs/gadget";
const carol = person("carol");
const claimed = claim({ [widget]: [] }, [alice, bob, carol], { threshold: 2 });
const released = release([`${widget}@1.0.0`], [alice, bob]);

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;
let server: LogServer;
let log: LogEndpoint;
let auditor: Auditor;
const clock = { now: START };

beforeEach(async () => {
  folder = temporaryFolder();
  clock.now = START;
  store = await createStore(await openFolder(join(folder.dir, "log"), true), signer, START);
  server = await startLogServer({ store, clock: () => clock.now });
  log = { url: `http://127.0.0.1:${server.port}/`, key: signer.key, fetch };
  auditor = openAuditor({ dir: join(folder.dir, "audit"), key: signer.key, clock: () => clock.now });
});
afterEach(async () => {
  await auditor.close();
  await server.close();
  folder.remove();
});

const force = (envelope: Uint8Array, forgery?: Forgery): Promise<void> =>
  forceStatement(store, envelope, clock.now, forgery);
const audit = async (): Promise<AuditVerdict> => auditor.audit(log, await fetchCheckpoint(log));
const reopen = async (): Promise<void> => {
  await auditor.close();
  auditor = openAuditor({ dir: join(folder.dir, "audit"), key: signer.key, clock: () => clock.now });
};
const good = (size: number): unknown =>
  expect.objectContaining({ kind: "good", checkpoint: expect.objectContaining({ size }) });
const broken = (index: number, rule: string, message: RegExp = /./): unknown => ({
  kind: "broken",
  halt: { problem: { index, rule, message: expect.stringMatching(message) }, note: expect.any(String) },
});

describe("an honest log", () => {
  test("a revocation for two packages, and what follows it, is found right", async () => {
    await force(claim({ [widget]: [], [gadget]: [] }, [alice, bob, carol], { threshold: 2 }));
    await force(revoke([widget, gadget], [carol], [carol]));
    await force(release([`${widget}@1.0.0`, `${gadget}@1.0.0`], [alice, bob]));
    expect(await audit()).toEqual(good(10));
  });

  test("of large statements is replayed some at a time, whoever had them logged", async () => {
    for (let i = 0; i < 60; i++) {
      const list = [["1.0.0", sha512Hex(String(i))]] as const;
      const packages = Object.fromEntries([`npm:npmjs/a${i}`, `npm:npmjs/b${i}`].map((id) => [id, list]));
      await submitEnvelope(log, { envelope: claim(packages, [alice, bob, carol]), earlier: packages });
    }
    await auditor.close();
    const options = { dir: join(folder.dir, "audit"), key: signer.key, clock: () => clock.now };
    auditor = openAuditor({ ...options, stepBytes: 8192 });
    const urls: string[] = [];
    const noting = { ...log, fetch: (url: string, init: RequestInit) => (urls.push(url), fetch(url, init)) };
    expect((await auditor.audit(noting, await fetchCheckpoint(log))).kind).toBe("good");
    // Each step's envelopes are fetched, then its lists: 8 KiB are two or three, and sixteen were on their way.
    const runs = urls
      .map((url) => (url.includes("/envelope/") ? "e" : "."))
      .join("")
      .match(/e+/g);
    expect(Math.max(...runs!.map(({ length }) => length))).toBeLessThanOrEqual(20);
    expect(urls.filter((url) => url.includes("/envelope/"))).toHaveLength(60);
  });

  test("is found right, from its beginning and from where it was left off", async () => {
    expect(await audit()).toEqual(good(1));
    await force(claimed);
    await force(released);
    expect(await audit()).toEqual(good(5));
    await reopen();
    expect(auditor.checkpoint()?.size).toBe(5);
    await force(release([`${widget}@1.0.1`], [alice, bob]));
    const urls: string[] = [];
    const counting = { ...log, fetch: (url: string, init: RequestInit) => (urls.push(url), fetch(url, init)) };
    expect(await auditor.audit(counting, await fetchCheckpoint(log))).toEqual(good(7));
    expect(urls.filter((url) => url.includes("envelope/"))).toHaveLength(1); // nothing is replayed twice
  });

  test("with thousands of entries, interrupted anywhere, ends at the same state", async () => {
    const names = Array.from({ length: 200 }, (_, i) => `npm:npmjs/p${i}`);
    await force(claim(Object.fromEntries(names.map((name) => [name, []])), [alice]));
    for (let version = 0; version < 12; version++) {
      await force(
        release(
          names.map((name) => `${name}@1.0.${version}`),
          [alice],
        ),
      );
    }
    let left = 11;
    const failing = {
      ...log,
      fetch: (url: string, init: RequestInit) =>
        url.includes("envelope/") && left-- === 0 ? Promise.reject(new Error("gone")) : fetch(url, init),
    };
    const newest = await fetchCheckpoint(log);
    expect(await auditor.audit(failing, newest)).toEqual({
      kind: "unchecked",
      error: expect.objectContaining({ code: "NETWORK" }),
    });
    expect(auditor.checkpoint()).toBeUndefined();
    await reopen();
    expect(await audit()).toEqual(good(newest.size));
    await force(release([`${names[7]}@2.0.0`], [alice]));
    expect(await audit()).toEqual(good(newest.size + 2));
  });

  test("that ends where what was replayed is made durable is gone on from there", async () => {
    const names = Array.from({ length: 455 }, (_, i) => `npm:npmjs/p${i}`);
    for (let epoch = 0; epoch < 9; epoch++) {
      const packages = Object.fromEntries(names.map((name) => [`${name}-${epoch}`, []]));
      await force(claim(packages, [alice]));
    }
    expect(await audit()).toEqual(good(1 + 9 * 456));
    await reopen();
    expect(await audit()).toEqual(good(1 + 9 * 456));
    await force(claimed);
    expect(await audit()).toEqual(good(1 + 9 * 456 + 2));
  });

  test("with claims of earlier versions", async () => {
    const list = [["0.9.0", sha512Hex("old")]] as const;
    const envelope = claim({ [widget]: list }, [alice]);
    const earlier = [{ root: earlierRoot(list).root, list: `0.9.0 ${sha512Hex("old")}\n` }];
    await force(envelope, { earlier });
    expect(await audit()).toEqual(good(3));
  });
});

describe("[L3] a map that leaves something out", () => {
  test("an entry that the map never learned of", async () => {
    expect(await audit()).toEqual(good(1));
    await force(claimed, { heads: () => [] });
    expect(await audit()).toEqual(broken(2, "L-9", /Epoch leaf 2 has another map root/));
  });
  test("the map of an older epoch", async () => {
    await force(claimed);
    await force(released, { heads: () => [] });
    expect(await audit()).toEqual(broken(4, "L-9"));
  });
  test("a package that nobody claimed", async () => {
    await force(claimed, { heads: (heads) => [...heads, { ...heads[0]!, packageHash: new Uint8Array(32) }] });
    expect(await audit()).toEqual(broken(2, "L-9"));
  });
  test("an entry that does not follow the last one, so that a chain skips it", async () => {
    await force(claimed);
    await force(released);
    const skip = (bytes: Uint8Array): Uint8Array => encodeEntry({ ...parseEntry(bytes), previous: 1 });
    await force(release([`${widget}@1.0.1`], [alice, bob]), { entry: skip });
    expect(await audit()).toEqual(broken(5, "L-2"));
  });
});

describe("[L4] what the rules forbid", () => {
  test.each<[string, number, string, () => Promise<void>]>([
    ["a release below the threshold", 3, "S-22", () => force(release([`${widget}@1.0.0`], [alice]))],
    ["a release by a stranger", 3, "S-4", () => force(release([`${widget}@1.0.0`], [alice, person("mallory")]))],
    ["a release of what nobody claimed", 3, "S-22", () => force(release([`${gadget}@1.0.0`], [alice, bob]))],
    ["a claim without possession", 3, "S-16", () => force(claim({ [gadget]: [] }, [alice, bob], { signers: [alice] }))],
    ["a second claim", 3, "A-3", () => force(claim({ [widget]: [] }, [person("mallory")]))],
    [
      "a statement for another log",
      3,
      "S-8",
      () => force(claim({ [gadget]: [] }, [alice], { logs: ["log.example/x"] })),
    ],
    ["an entry of another kind", 3, "L-4", () => force(released, { kind: "review" })],
  ])("%s", async (_, index, rule, forge) => {
    await force(claimed);
    await forge();
    expect(await audit()).toEqual(broken(index, rule));
  });

  test("[A-19] a review by too few who don't hold the package, though it is a committee's", async () => {
    const ned = person("ned");
    await force(claimed);
    await force(reviewers("committee:peers", [alice, ned]));
    await force(released);
    await force(review("committee:peers", [`${gadget}@1.0.0`], [alice, ned]));
    expect(await audit()).toEqual(good(9));
    await force(review("committee:peers", [`${gadget}@1.0.0`, `${widget}@1.0.0`], [alice, ned]));
    expect(await audit()).toEqual(broken(9, "A-19", /Signed by 1 of 2 holders \(ned\)/));
  });

  test("a version released twice, and again when the operator let it look again", async () => {
    await force(claimed);
    await force(released);
    await force(release([`${widget}@1.0.0`], [alice, bob], { bytes: "other" }));
    expect(await audit()).toEqual(broken(5, "S-23", /which entry 3 released/));
    auditor.resolve();
    expect(await audit()).toEqual(broken(5, "S-23")); // the same history, the same refusal
  });
  test("a statement logged twice", async () => {
    await force(claimed);
    await force(released);
    await force(release([`${widget}@1.0.0`], [alice, bob, carol]));
    expect(await audit()).toEqual(broken(5, "L-15", /entry 3 logged/));
  });
  test("a list of earlier versions that is shorter than its claim says", async () => {
    const list = [["0.9.0", sha512Hex("old")]] as const;
    const earlier = [{ root: earlierRoot(list).root, list: `0.9.0 ${sha512Hex("old")}\n` }];
    await force(claim({ [widget]: list }, [alice], { earlierSize: 2 }), { earlier });
    expect(await audit()).toEqual(broken(1, "S-15", /has 1 versions, not 2/));
  });
});

describe("[L6] time", () => {
  test("run ahead", async () => {
    await force(claimed);
    clock.now -= 601;
    expect(await audit()).toEqual(broken(0, "M-6"));
    clock.now += 1;
    auditor.resolve();
    expect(await audit()).toEqual(good(3));
  });
  test("run back", async () => {
    await force(claimed);
    await force(released, { time: START - 1 });
    expect(await audit()).toEqual(broken(3, "L-7"));
  });
  test("stood still: when a checkpoint was first seen is remembered", async () => {
    await force(claimed);
    clock.now += 5000;
    const first = await audit();
    expect(first).toEqual(good(3));
    clock.now += 5000;
    await reopen();
    expect(await audit()).toEqual(first);
    expect(first).toEqual(expect.objectContaining({ time: START, seen: START + 5000 }));
  });
});

describe("what can't be had", () => {
  test("[M-5] a list of earlier versions that the log doesn't keep", async () => {
    await force(claim({ [widget]: [["0.9.0", sha512Hex("old")]] }, [alice]));
    expect(await audit()).toEqual({ kind: "unchecked", error: expect.objectContaining({ code: "NOT_FOUND" }) });
  });
  test.each([
    ["an envelope that is not served", "NOT_FOUND", (url: string) => url.includes("envelope/"), undefined],
    ["an envelope with other bytes", "WRONG_HASH", (url: string) => url.includes("envelope/"), "{}"],
    ["entries of another log", "BAD_TILE", (url: string) => url.includes("tile/entries/"), "\u0000\u0001a"],
  ])("%s: nothing is said, and it is tried again", async (_, code, matches, body) => {
    await force(claimed);
    const bad: LogEndpoint = {
      ...log,
      fetch: (url, init) =>
        matches(url)
          ? Promise.resolve(body === undefined ? new Response("{}", { status: 404 }) : new Response(body))
          : fetch(url, init),
    };
    const checkpoint = await fetchCheckpoint(log);
    const outcome = await auditor.audit(bad, checkpoint);
    expect(outcome).toEqual({ kind: "unchecked", error: expect.objectContaining({ code }) });
    if (code !== "BAD_TILE") expect((outcome as { error: Error }).error.message).toContain("entry 1 cannot be had");
    expect(await audit()).toEqual(good(3));
  });
});

describe("[M-2] two histories", () => {
  test("stop the auditor for good, with both notes", async () => {
    await force(claimed);
    await audit();
    const other = await createStore(await openFolder(join(folder.dir, "other"), true), signer, START);
    await forceStatement(other, claim({ [gadget]: [] }, [person("mallory")]), START);
    await forceStatement(other, release([`${gadget}@1.0.0`], [person("mallory")]), START);
    const rival = await startLogServer({ store: other, clock: () => START });
    const rivalLog = { ...log, url: `http://127.0.0.1:${rival.port}/` };
    const outcome = await auditor.audit(rivalLog, await fetchCheckpoint(rivalLog));
    await rival.close();
    expect(outcome).toEqual(
      expect.objectContaining({
        kind: "fork",
        notes: expect.objectContaining({ older: (await fetchCheckpoint(log)).note, newer: expect.any(String) }),
      }),
    );
    await reopen();
    await force(released);
    expect(await audit()).toEqual(broken(4, "M-2"));
    auditor.resolve();
    expect(await audit()).toEqual(good(5));
  });
  test("an older checkpoint is no news", async () => {
    const old = await fetchCheckpoint(log);
    await force(claimed);
    await audit();
    expect(await auditor.audit(log, old)).toEqual({
      kind: "unchecked",
      error: expect.objectContaining({ code: "ROLLBACK" }),
    });
  });
});

describe("[M-9] the auditor's folder", () => {
  test("is of one log", async () => {
    await auditor.close();
    const other = noteSigner("log.example/other", new Uint8Array(32).fill(9));
    expect(() => openAuditor({ dir: join(folder.dir, "audit"), key: other.key, clock: () => START })).toThrow(
      expect.objectContaining({ code: "STORE_FOREIGN" }),
    );
    await reopen();
  });
  test("is held by one process", () => {
    expect(() => openAuditor({ dir: join(folder.dir, "audit"), key: signer.key, clock: () => START })).toThrow(
      expect.objectContaining({ code: "STORE_LOCKED" }),
    );
  });
});

test("[L-8] a checkpoint whose last leaf is no epoch leaf", async () => {
  await force(claimed);
  const [digest] = await store.snapshot().digests([{ start: 0, end: 2 }]);
  const root = Buffer.from(digest!, "latin1");
  const note = signCheckpoint({ origin: signer.key.name, size: 2, root: new Uint8Array(root) }, signer);
  expect(await auditor.audit(log, verifyCheckpoint(note, signer.key))).toEqual(broken(1, "L-8"));
});
