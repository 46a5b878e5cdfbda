import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  encodeSignatureLine,
  encodeTlogProof,
  fetchCheckpoint,
  fetchProvedLeaf,
  parseNote,
  parseVerifierKey,
} from "@touchmark/log";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Consumer, createConsumer } from "../support/consumer.ts";
import { logSigner, type OpenLog, openLog } from "../support/log.ts";
import { type OpenWitness, openWitness } from "../support/witness.ts";

// L1, L5, I11 as a client meets them whose policy names witnesses: two of three have to cosign what a log shows.

const ORIGIN = "log.example/witnessed";
const REGISTRY = "https://registry.example/";
const root = mkdtempSync(join(tmpdir(), "touchmark-witnesses-"));
let witnesses: OpenWitness[];
let log: OpenLog;
/** Another history under the log's own key, which nobody has witnessed. */
let rival: OpenLog;
let consumer: Consumer;
let consumers = 0;

beforeAll(async () => {
  const names = ["w1.example", "w2.example", "w3.example"];
  witnesses = await Promise.all(names.map((name) => openWitness(join(root, name), name, logSigner(ORIGIN).key)));
  const quorum = [...witnesses.map(({ line }) => line), `group witnesses 2 ${names.join(" ")}`, "quorum witnesses"];
  log = await openLog(join(root, "log"), ORIGIN, { quorum });
  rival = await openLog(join(root, "rival"), ORIGIN, { age: 60 });
  expect(rival.endpoint.key).toBe(log.endpoint.key);
});
afterAll(async () => {
  for (const server of [log, rival, ...witnesses]) await server.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  // A new one each time: it remembers nothing that could give the rival away.
  consumer = createConsumer(join(root, `consumer-${++consumers}`), { registry: REGISTRY, log: log.endpoint });
  const resolved = `${REGISTRY}pewter/-/pewter-1.0.0.tgz`;
  const entry = { version: "1.0.0", resolved, integrity: `sha512-${Buffer.alloc(64).toString("base64")}` };
  consumer.write("package-lock.json", { lockfileVersion: 3, packages: { "": {}, "node_modules/pewter": entry } });
});

type Fetch = NonNullable<Consumer["fetch"]>;

/** What the consumer asks goes to the rival, and the checkpoint in the answer gets these signature lines as well. */
function toRival(lines: (text: string) => string | Promise<string>): Fetch {
  return async (url, init) => {
    const response = await fetch(url.replace(log.endpoint.url, rival.endpoint.url), init);
    const bundle = await response.text();
    const [whole = "", quoted = ""] = /^"checkpoint":("[^\n]*"),$/m.exec(bundle) ?? [];
    const note = JSON.parse(quoted) as string;
    const padded = note + (await lines(parseNote(Buffer.from(note)).text));
    return new Response(bundle.replace(whole, () => `"checkpoint":${JSON.stringify(padded)},`));
  };
}

const noNetwork: Fetch = () => Promise.reject(new Error("nobody is asked"));
const now = (): number => Math.floor(Date.now() / 1000);
const by = (witness: OpenWitness, text: string, time: number = now()): string =>
  encodeSignatureLine(witness.cosigner.cosign(text, time));

describe("a history that the witnesses have not seen", () => {
  test("the honest one is accepted, and it is said who cosigned it", async () => {
    const { exit, stdout } = await consumer.touchmark("verify --online");
    expect([exit, stdout]).toEqual([0, expect.stringMatching(/leaves, just now, cosigned by w[123]\.example, w[123]/)]);
  });

  test("[L1] the rival is signed by the log itself, and is refused all the same", async () => {
    const { exit, text } = await consumer.touchmark("verify --online", { fetch: toRival(() => "") });
    expect([exit, text]).toEqual([3, expect.stringContaining("nobody cosigned it")]);
    expect(text).toContain("[QUORUM V-21]");
    expect(consumer.filesAtHome("checkpoints")).toEqual([]);
  });

  test("[L5] cosignatures taken from the honest history are worth nothing, nor is one that is false beside good ones", async () => {
    const { note } = await fetchCheckpoint({ ...log.endpoint, key: parseVerifierKey(log.endpoint.key), fetch });
    const [, lines = ""] = note.split("\n\n");
    const lifted = lines.slice(lines.indexOf("\n") + 1); // without the log's own
    expect(lifted).toContain("w1.example");
    const outcome = await consumer.touchmark("verify --online", { fetch: toRival(() => lifted) });
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining("[CHECKPOINT_BAD V-21]")]);
  });

  test("[L5] one dishonest witness, however often it signs and whoever else does, is one", async () => {
    const [w1, w2] = witnesses as [OpenWitness, OpenWitness];
    const stranger = await openWitness(join(root, `stranger-${consumers}`), "w9.example", logSigner(ORIGIN).key);
    for (const lines of [
      (text: string) => by(w1, text),
      (text: string) => by(w1, text) + by(w1, text, now() - 1) + by(w1, text, now() - 2),
      (text: string) => by(w1, text) + by(stranger, text),
      (text: string) => by(w1, text) + by(w2, text, now() + 3600),
    ]) {
      const { exit, text } = await consumer.touchmark("verify --online", { fetch: toRival(lines) });
      expect([exit, text]).toEqual([3, expect.stringContaining("[QUORUM V-21]")]);
    }
    await stranger.close();
  });

  test("[Q-16] two dishonest witnesses of three are too many: that is what two of three tolerates", async () => {
    const [w1, w2] = witnesses as [OpenWitness, OpenWitness];
    const { exit } = await consumer.touchmark("verify --online", {
      fetch: toRival((text) => by(w1, text) + by(w2, text)),
    });
    expect(exit).toBe(0);
  });
});

describe("a proof of one entry, for others to check", () => {
  /** The proof of a leaf of this log, with these signature lines as well. */
  async function proofOf({ endpoint }: OpenLog, lines: (text: string) => string = () => ""): Promise<string> {
    const served = { ...endpoint, key: parseVerifierKey(endpoint.key), fetch };
    const checkpoint = await fetchCheckpoint(served);
    const { leaf, proof: hashes } = await fetchProvedLeaf(served, 0, checkpoint);
    const note = checkpoint.note + lines(parseNote(Buffer.from(checkpoint.note)).text);
    return encodeTlogProof({ extra: leaf, index: 0, hashes, checkpoint: note });
  }

  test("that of the honest history holds, offline, and names who cosigned", async () => {
    consumer.write("honest.tlog-proof", await proofOf(log));
    const { exit, stdout } = await consumer.touchmark("log check-proof honest.tlog-proof", { fetch: noNetwork });
    expect([exit, stdout]).toEqual([
      0,
      expect.stringMatching(/^accepted .*\n.* leaves\n.* 0, epoch, .*\n.* w\d\.example, w\d/),
    ]);
    const json = await consumer.touchmark("--json log check-proof honest.tlog-proof");
    const said = JSON.parse(json.stdout) as { ok: boolean; index: number; quorum: { cosigned: string[] } };
    expect(said).toMatchObject({ ok: true, index: 0 });
    expect(said.quorum.cosigned.length).toBeGreaterThanOrEqual(2);
  });

  test("[L1] that of the rival, which the log signed as well, does not; nor with one witness's help", async () => {
    for (const lines of [() => "", (text: string) => by(witnesses[0]!, text)]) {
      consumer.write("rival.tlog-proof", await proofOf(rival, lines));
      const { exit, text } = await consumer.touchmark("log check-proof rival.tlog-proof");
      expect([exit, text]).toEqual([1, expect.stringContaining("[QUORUM V-21]")]);
    }
  });

  test("without a quorum in the policy it is said that no witnesses are named", async () => {
    const { quorum: _, ...bare } = log.endpoint;
    consumer.setPolicy({ log: bare });
    consumer.write("rival.tlog-proof", await proofOf(rival));
    const { exit, stdout } = await consumer.touchmark("log check-proof rival.tlog-proof");
    expect([exit, stdout]).toEqual([0, expect.stringContaining("none named in the policy")]);
  });
});

describe("I11: news held back", () => {
  test("an old answer is good as long as its quorum is; its epoch leaf does not make it any fresher", async () => {
    let kept: string | undefined;
    const replay: Fetch = async (url, init) => {
      if (!url.endsWith("evidence")) return fetch(url, init);
      kept ??= await (await fetch(url, init)).text();
      return new Response(kept);
    };
    expect((await consumer.touchmark("verify --online", { fetch: replay })).exit).toBe(0);
    const later = await consumer.touchmark("verify --online", { fetch: replay, now: () => now() + 2 * 86_400 });
    expect(later.stderr).toContain(
      "The witnesses have cosigned nothing newer than 48 hours; the policy allows 24 hours.",
    );
    consumer.setPolicy({ freshness: { online: 3 * 86_400 } });
    const allowed = await consumer.touchmark("verify --online", { fetch: replay, now: () => now() + 2 * 86_400 });
    expect([allowed.exit, allowed.stderr]).toEqual([0, ""]);
  });
});
