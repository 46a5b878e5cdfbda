import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeVerifierKey, parseFork, verifyFork } from "@touchmark/log";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { companionText } from "../support/companion.ts";
import type { Consumer } from "../support/consumer.ts";
import { type OpenLog, openLog } from "../support/log.ts";
import { packRelease, tarballUrl } from "../support/packed.ts";
import { type Place, runTouchmark } from "../support/touchmark.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// L1, L2 as a client meets them: the operator runs two logs under one key and shows each to whom it suits.

let workshop: Workshop;
let consumer: Consumer;
/** The log that is shown to somebody else: the thief has claimed pewter in it. */
let rival: OpenLog;
let thief: Place;

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  const authority = await workshop.claim("pewter"); // three leaves
  rival = await openLog(join(workshop.root, "rival"), workshop.log.endpoint.origin);
  thief = { directory: join(workshop.root, "thief"), home: join(workshop.root, "thief-home") };
  mkdirSync(thief.directory);
  const policy = { version: 1, registries: { npmjs: [workshop.registry.url] }, log: rival.endpoint };
  writeFileSync(join(thief.directory, "touchmark.json"), JSON.stringify(policy));
  await steal("key enroll --holder mallory --device soft:m.device");
  await steal("key export --out m.card");
  await claimAsThief("pewter"); // three leaves as well
  consumer = workshop.consumer({ packages: { pewter: { authority } } });
  const release = packRelease({ name: "pewter", version: "1.0.0" });
  const entry = {
    version: "1.0.0",
    resolved: tarballUrl(workshop.registry.url, release),
    integrity: release.integrity,
  };
  consumer.write("package-lock.json", { lockfileVersion: 3, packages: { "": {}, "node_modules/pewter": entry } });
});
beforeEach(() => {
  expect(rival.endpoint.key).toBe(workshop.log.endpoint.key);
});
afterAll(async () => {
  await rival.close();
  await workshop.close();
});

async function steal(command: string): Promise<void> {
  const outcome = await runTouchmark(command.split(" "), thief);
  if (outcome.exit !== 0) throw new Error(outcome.text);
}

async function claimAsThief(name: string): Promise<void> {
  await steal(`claim ${name} --key m.card --threshold 1 --no-earlier --out ${name}.touchmark`);
  await steal(`sign ${name}.touchmark --yes`);
  await steal(`submit ${name}.touchmark`);
}

/** Everything that the consumer asks of the log goes to the other one. */
const toRival: NonNullable<Consumer["fetch"]> = (url, init) =>
  fetch(url.replace(workshop.log.endpoint.url, rival.endpoint.url), init);

/** The file that the words name, with both notes in it. */
function keptIn(text: string, sizes: [number, number]): void {
  const file = /both notes are kept in ([^\s:]+)/i.exec(text)?.[1];
  expect(file, text).toBeDefined();
  const { key, older, newer } = parseFork(readFileSync(file!, "utf8"));
  expect(encodeVerifierKey(key)).toBe(rival.endpoint.key);
  const proved = verifyFork(parseFork(readFileSync(file!, "utf8")));
  expect([proved.older.size, proved.newer.size]).toEqual(sizes);
  for (const note of [older, newer]) expect(note).toContain(`\n\n— ${rival.endpoint.origin} `);
}

describe("L1: two histories", () => {
  test("of one size, and of another: nothing is accepted, both notes are kept, and it is said where", async () => {
    const seen = await consumer.touchmark("verify --online");
    expect([seen.exit, seen.text]).toEqual([1, expect.stringContaining("Not signed yet")]); // it remembers three leaves
    const same = await consumer.touchmark("verify --online", { fetch: toRival });
    expect([same.exit, same.text]).toEqual([
      3,
      expect.stringContaining("The log signed two trees of 3 leaves. [FORK V-5]"),
    ]);
    keptIn(same.stderr, [3, 3]);

    await claimAsThief("tin");
    const larger = await consumer.touchmark("verify --online", { fetch: toRival });
    expect([larger.exit, larger.text]).toEqual([
      3,
      expect.stringContaining("The log signed two checkpoints that contradict each other. [FORK V-5]"),
    ]);
    keptIn(larger.stderr, [3, 5]);
    expect(consumer.filesAtHome("forks")).toHaveLength(2);
    const [remembered] = consumer.filesAtHome("checkpoints");
    expect(readFileSync(remembered!, "utf8").split("\n")[1]).toBe("3");
  });

  test("anybody can check what was kept, without the log", async () => {
    const kept = await consumer.touchmark("log forks");
    expect(kept.exit).toBe(1);
    expect(kept.stdout).toMatch(
      /signed two trees of which neither extends the other\.[^]*one +3 leaves[^]*other +5 leaves/,
    );
    const stranger = workshop.consumer();
    expect((await stranger.touchmark("log forks")).stdout).toBe("No log was caught with two histories.\n");
    for (const file of consumer.filesAtHome("forks")) {
      const told = await stranger.touchmark(`log forks ${file} --json`);
      expect(told.exit).toBe(1);
      expect(JSON.parse(told.stdout)).toMatchObject({ ok: false, forks: [{ key: rival.endpoint.key, proved: true }] });
      stranger.write("forged.txt", readFileSync(file, "utf8").replace(/^(root|key) .{9}/m, "$1 AAAAAAAAA"));
      const forged = await stranger.touchmark("log forks forged.txt");
      expect([forged.exit, forged.stdout]).toEqual([3, expect.stringContaining("proves nothing")]);
    }
  });

  test("an install is not begun", async () => {
    const outcome = await consumer.touchmark("npm ci", {
      fetch: toRival,
      env: { npm_config_registry: workshop.registry.url },
    });
    expect([outcome.exit, outcome.text]).toEqual([
      3,
      expect.stringMatching(/touchmark did not start npm:[^]*\(FORK\)/),
    ]);
    keptIn(outcome.stderr, [3, 5]);
  });

  test("a signer who submits to the other one is told as well", async () => {
    await claimAsThief("zinc");
    const outcome = await runTouchmark(["submit", join(thief.directory, "zinc.touchmark")], {
      ...workshop.makers,
      fetch: toRival,
    });
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining("[FORK]")]);
    keptIn(outcome.stderr, [3, 7]);
  });

  test("whoever has only the repository knows by its touchmark.lock", async () => {
    const clone = workshop.consumer({ packages: consumer.policy().packages });
    clone.write("package-lock.json", consumer.read("package-lock.json")!);
    const known = { "npm:npmjs/pewter": ["1.0.0"] };
    clone.write("touchmark.lock", await companionText(workshop.log.endpoint.url, known));
    const outcome = await clone.touchmark("verify --online", { fetch: toRival });
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining("[FORK V-5]")]);
    keptIn(outcome.stderr, [3, 7]);
    expect(clone.filesAtHome("checkpoints")).toEqual([]);
  });
});

describe("L2: history rewritten", () => {
  test("a tree that has shrunk", async () => {
    await workshop.claim("zinc"); // five leaves now
    expect((await consumer.touchmark("verify --online")).exit).toBe(1);
    const small = await openLog(join(workshop.root, "small"), workshop.log.endpoint.origin);
    const outcome = await consumer.touchmark("verify --online", {
      fetch: (url, init) => fetch(url.replace(workshop.log.endpoint.url, small.endpoint.url), init),
    });
    await small.close();
    expect([outcome.exit, outcome.text]).toEqual([
      3,
      expect.stringContaining("The evidence is of a log of 1 leaves; one of 5 was seen before. [ROLLBACK V-5]"),
    ]);
  });

  test("tiles that belong to another tree than the checkpoint prove nothing", async () => {
    await workshop.claim("copper");
    const outcome = await consumer.touchmark("verify --online", {
      fetch: (url, init) => (url.includes("/tile/") ? toRival(url, init) : fetch(url, init)),
    });
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringMatching(/\[(?:PROOF_BAD|LOG_UNREACHABLE) V-5\]/)]);
    expect(consumer.filesAtHome("forks")).toHaveLength(2);
  });
});
