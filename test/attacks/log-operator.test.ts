import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  encodeVerifierKey,
  type LogEndpoint,
  noteSigner,
  parseNote,
  parseVerifierKey,
  verifyCosignatures,
} from "@touchmark/log";
import { createStore, type LogServer, openFolder, startLogServer, type Store } from "@touchmark/log-server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Forgery, forceStatement } from "../../packages/log-server/test/support/forged.ts";
import { temporaryFolder } from "../../packages/log-server/test/support/log.ts";
import { authorityDigest, claim, person, release } from "../../packages/log-server/test/support/statements.ts";
import { type RunningAuditor, startAuditor } from "../support/auditor.ts";
import { createConsumer } from "../support/consumer.ts";
import type { LogEndpointText } from "../support/log.ts";
import { type Outcome, type Place, runTouchmark } from "../support/touchmark.ts";

// L3, L4, L6: the operator goes past admission, in a real log under its real key. The auditor is the command line's, asked over HTTP as a log asks
// its witnesses; the client is `touchmark verify --online` with a policy that pins the authority.

const ORIGIN = "log.example/main";
const PEWTER = "npm:npmjs/pewter";
const NOW = 1_800_000_000;
const signer = noteSigner(ORIGIN, new Uint8Array(32).fill(1));
const [alice, bob, carol] = ["alice", "bob", "carol"].map((holder) => person(holder)) as [
  ReturnType<typeof person>,
  ReturnType<typeof person>,
  ReturnType<typeof person>,
];
const claimed = claim({ [PEWTER]: [] }, [alice, bob, carol], { threshold: 2 });

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;
let server: LogServer;
let log: LogEndpoint;
let text: LogEndpointText;
let auditor: RunningAuditor;
let clock: number;

beforeEach(async () => {
  folder = temporaryFolder();
  clock = NOW;
  store = await createStore(await openFolder(join(folder.dir, "log"), true), signer, NOW);
  server = await startLogServer({ store, clock: () => clock });
  const url = `http://127.0.0.1:${server.port}/`;
  log = { url, key: signer.key, fetch };
  text = { url, origin: ORIGIN, key: encodeVerifierKey(signer.key) };
  mkdirSync(join(folder.dir, "audit"));
  auditor = await startAuditor(join(folder.dir, "audit"), text, { now: () => clock, flags: ["--interval", "900000"] });
});
afterEach(async () => {
  await auditor.close();
  await server.close();
  folder.remove();
});

const force = (envelope: Uint8Array, forgery?: Forgery): Promise<void> =>
  forceStatement(store, envelope, clock, forgery);

/** What a consumer says of pewter 1.0.0 whose policy pins the authority. */
async function install(network?: Place["fetch"], quorum?: string[]): Promise<Outcome> {
  const registry = "https://registry.example/";
  const packages = { pewter: { authority: authorityDigest(claimed) } };
  const consumer = createConsumer(
    join(folder.dir, "consumer"),
    { registry, log: { ...text, ...(quorum && { quorum }) } },
    { packages },
  );
  const integrity = `sha512-${Buffer.from(releasedSha512, "hex").toString("base64")}`;
  const entry = { version: "1.0.0", resolved: `${registry}pewter/-/pewter-1.0.0.tgz`, integrity };
  consumer.write("package-lock.json", { lockfileVersion: 3, packages: { "": {}, "node_modules/pewter": entry } });
  return consumer.touchmark("verify --online", { now: () => clock, ...(network && { fetch: network }) });
}
const released = release([`${PEWTER}@1.0.0`], [alice, bob]);
const releasedSha512 = release.sha512Of(`${PEWTER}@1.0.0`);

describe("an honest operator", () => {
  test("gets the auditor's cosignature, and the client accepts", async () => {
    await force(claimed);
    await force(released);
    const { status, body } = await auditor.ask(log);
    expect([status, body.split("\n").length]).toEqual([200, 3]); // one line by each of its two keys
    const note = parseNote(Buffer.from(`${store.checkpoint().note}${body}`));
    const { cosignatures } = verifyCosignatures(note, [parseVerifierKey(auditor.key)]);
    expect(cosignatures.map(({ time }) => time)).toEqual([NOW]);
    const outcome = await install();
    expect(outcome.exit, outcome.text).toBe(0);
  });
});

describe("touchmark log audit check", () => {
  const check = (flags = ""): Promise<Outcome> =>
    runTouchmark(`log audit check ${text.url} --key ${text.key} ${flags}`.trim().split(" "), {
      directory: folder.dir,
      home: join(folder.dir, "home"),
      now: () => clock,
    });

  test("replays once, and goes on in its folder", async () => {
    await force(claimed);
    expect(await check("--dir kept")).toMatchObject({
      exit: 0,
      stdout: "All 3 leaves of log.example/main are as the rules say.\n",
    });
    await force(released);
    const outcome = await check("--dir kept --json");
    expect([outcome.exit, JSON.parse(outcome.stdout)]).toEqual([
      0,
      expect.objectContaining({ ok: true, verdict: "good", size: 5 }),
    ]);
    clock += 4201;
    const late = await check();
    expect([late.exit, late.stderr]).toEqual([3, expect.stringContaining("the last leaf is 4201 seconds old")]);
  });
  test("ends with 1 where a rule is broken, until the operator lets it look again", async () => {
    await force(claimed);
    await force(release([`${PEWTER}@1.0.0`], [alice]));
    for (const flags of ["--dir kept", "--dir kept", "--dir kept --resolve", ""]) {
      expect(await check(flags)).toMatchObject({
        exit: 1,
        stdout: "Leaf 3: Signed by 1 of 2 holders (alice). [S-22]\n",
      });
    }
    const { stdout } = await check("--json");
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, verdict: "broken", rule: "S-22", leaf: 3 });
  });
  test("ends with 3 where the log is away", async () => {
    await server.close();
    expect(await check()).toMatchObject({ exit: 3, stdout: "The log could not be reached.\n" });
  });
});

describe("[L3] what the map leaves out", () => {
  test("a claim that the map does not know", async () => {
    await force(claimed, { heads: () => [] });
    await expectRefusal("Epoch leaf 2 has another map root. [L-9]");
    const outcome = await install();
    expect([outcome.exit, outcome.text]).toEqual([1, expect.stringContaining("nobody has claimed it in the log")]);
  });
  test("a release that the map does not know: the epoch before is shown as if it were today's", async () => {
    await force(claimed);
    await force(released, { heads: () => [] });
    await expectRefusal("Epoch leaf 4 has another map root. [L-9]");
  });
  test("an epoch leaf that is right but not the last", async () => {
    await force(claimed);
    await force(released);
    // The leaf before the last one in its place: the checkpoint is the newest, the map that of an hour ago.
    const old = Buffer.from(await store.leaf(2)).toString("base64");
    const outcome = await install(async (url, init) => {
      const answer = await fetch(url, init);
      return url.endsWith("/evidence")
        ? new Response((await answer.text()).replace(/"epoch":"[^"]*"/, `"epoch":"${old}"`))
        : answer;
    });
    expect([outcome.exit, outcome.text]).toEqual([
      3,
      expect.stringContaining("The epoch leaf is not the last leaf of the checkpoint. [PROOF_BAD V-3]"),
    ]);
  });
});

describe("[L4] what the rules forbid", () => {
  test("a release below the threshold", async () => {
    await force(claimed);
    await force(release([`${PEWTER}@1.0.0`], [alice]));
    await expectRefusal("Signed by 1 of 2 holders (alice). [S-22]");
    const outcome = await install();
    expect([outcome.exit, outcome.text]).toEqual([1, expect.stringContaining("Signed by 1 of 2 holders (alice).")]);
  });
  test("a claim without possession", async () => {
    const taken = claim({ [PEWTER]: [] }, [alice, bob, carol], { threshold: 2, signers: [alice, bob] });
    await force(taken);
    await force(released);
    await expectRefusal("[S-16]");
  });
  test("and what it halted on stays refused when the log has gone on", async () => {
    await force(claimed);
    await force(release([`${PEWTER}@1.0.0`], [alice]));
    await expectRefusal("[S-22]");
    await force(release([`${PEWTER}@1.0.1`], [alice, bob]));
    await expectRefusal("Leaf 3: Signed by 1 of 2 holders (alice). [S-22]");
    await auditor.close();
    auditor = await startAuditor(join(folder.dir, "audit"), text, { now: () => clock });
    await expectRefusal("Leaf 3: Signed by 1 of 2 holders (alice). [S-22]");
  });
});

describe("[L6] time", () => {
  test("run ahead by more than ten minutes", async () => {
    clock = NOW + 601;
    await force(claimed);
    await force(released);
    clock = NOW;
    await expectRefusal("[M-6]");
    const outcome = await install();
    expect([outcome.exit, outcome.text]).toEqual([
      3,
      expect.stringContaining("601 seconds ahead of this machine's clock"),
    ]);
  });
  test("run back", async () => {
    await force(claimed);
    await force(released, { time: NOW - 1 });
    await expectRefusal("Leaf 3 is older than the leaf before it. [L-7]");
  });
  test("stood still: not cosigned until there is a leaf with the right time", async () => {
    await force(claimed);
    clock = NOW + 601;
    expect(await auditor.ask(log)).toEqual({ status: 503, body: expect.stringContaining("601 seconds old") });
    await force(released);
    expect((await auditor.ask(log)).status).toBe(200);
  });
});

describe("a consumer whose quorum is the auditor", () => {
  const installAudited = (): Promise<Outcome> => install(undefined, [`witness A ${auditor.key}`, "quorum A"]);

  test("accepts what was replayed, and nothing else", async () => {
    await force(claimed);
    await force(released);
    const before = await installAudited();
    expect([before.exit, before.text]).toEqual([3, expect.stringContaining("V-21")]);
    const { note } = store.checkpoint();
    const { body } = await auditor.ask(log);
    await store.publish(`${note}${body}`);
    const after = await installAudited();
    expect(after.exit, after.text).toBe(0);
    // From here on the operator leaves the newest release out of the map, so that nobody finds it: the client knows by the missing line.
    await force(release([`${PEWTER}@1.0.1`], [alice, bob]), { heads: () => [] });
    const refusal = await auditor.ask(log, 5);
    expect([refusal.status, refusal.body]).toEqual([422, expect.stringContaining("[L-9]")]);
    const cheated = await installAudited();
    expect([cheated.exit, cheated.text]).toEqual([3, expect.stringContaining("V-21")]);
  });
});

describe("what the operator keeps to himself", () => {
  test("an envelope that only he has", async () => {
    await force(claimed, { envelopeHash: new Uint8Array(32).fill(7) });
    const { status, body } = await auditor.ask(log);
    expect([status, body]).toEqual([503, expect.stringContaining("The envelope of entry 1 cannot be had")]);
    const outcome = await install();
    expect(outcome.exit).not.toBe(0);
  });
});

/** The auditor gives no cosignature, and says why: over HTTP, and where its operator reads. */
async function expectRefusal(words: string): Promise<void> {
  const { status, body } = await auditor.ask(log);
  expect([status, body]).toEqual([422, expect.stringContaining(words)]);
  expect(auditor.said()).toContain(words);
}
