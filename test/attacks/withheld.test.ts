import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { encodeEvidence, type Evidence, parseEvidence } from "@touchmark/log";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Consumer } from "../support/consumer.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// Whoever stands between a consumer and the log, or is the log: what is kept back, what is old, and what is too much.

let workshop: Workshop;
let consumer: Consumer;

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "verdaccio" });
  const authority = await workshop.claim("pewter");
  await workshop.release({ name: "pewter", version: "1.0.0" });
  await workshop.publish({ name: "tin", version: "1.0.0" });
  consumer = workshop.consumer({
    packages: { pewter: { level: "strict", authority } },
    manifest: { dependencies: { pewter: "^1.0.0", tin: "1.0.0" } },
  });
  const installed = await consumer.touchmark("npm install");
  expect(installed.exit, installed.text).toBe(0);
});
afterAll(() => workshop.close());

type Fetch = NonNullable<Consumer["fetch"]>;

/** A mirror that changes what is asked of the log, or what it answers. */
function mirror(change: {
  ask?: (packages: Record<string, string[]>) => object;
  answer?: (bundle: Evidence) => Evidence;
}): Fetch {
  return async (url, init) => {
    if (!url.endsWith("/evidence")) return fetch(url, init);
    const { packages } = JSON.parse(init.body as string) as { packages: Record<string, string[]> };
    const body = JSON.stringify({ packages: change.ask?.(packages) ?? packages });
    const response = await fetch(url, { ...init, body });
    if (!change.answer || !response.ok) return response;
    return new Response(encodeEvidence(change.answer(parseEvidence(await response.bytes()))));
  };
}

function without(packages: Record<string, string[]>, packageId: string): Record<string, string[]> {
  return Object.fromEntries(Object.entries(packages).filter(([name]) => name !== packageId));
}

describe("I6: evidence is withheld", () => {
  test.each<[string, Fetch, number, string, string]>([
    [
      "the release of a claimed package",
      mirror({ ask: (packages) => ({ ...packages, "npm:npmjs/pewter": [] }) }),
      1,
      "pewter@1.0.0",
      "NOT_SIGNED",
    ],
    [
      "all of a claimed package",
      mirror({ ask: (packages) => without(packages, "npm:npmjs/pewter") }),
      3,
      "pewter@1.0.0",
      "EVIDENCE_MISSING",
    ],
    [
      "the proof that an unclaimed one is unclaimed",
      mirror({ ask: (packages) => without(packages, "npm:npmjs/tin") }),
      3,
      "tin@1.0.0",
      "EVIDENCE_MISSING",
    ],
    ["everything", mirror({ ask: () => ({}) }), 3, "tin@1.0.0", "EVIDENCE_MISSING"],
    [
      "the envelopes",
      mirror({ answer: (bundle) => ({ ...bundle, envelopes: new Map() }) }),
      3,
      "pewter@1.0.0",
      "EVIDENCE_MISSING",
    ],
    [
      "the entries",
      mirror({ answer: (bundle) => ({ ...bundle, entries: new Map(), envelopes: new Map() }) }),
      3,
      "pewter@1.0.0",
      "PROOF_BAD",
    ],
    ["the buckets", mirror({ answer: (bundle) => ({ ...bundle, buckets: new Map() }) }), 3, "tin@1.0.0", "PROOF_BAD"],
    [
      "the log",
      async (url, init) => (url.endsWith("/evidence") ? new Response("not here", { status: 404 }) : fetch(url, init)),
      3,
      "pewter@1.0.0",
      "LOG_UNREACHABLE",
    ],
  ])("%s: absence is never success", async (_, network, exit, release, code) => {
    const fresh = workshop.consumer({
      packages: consumer.policy().packages,
      manifest: { dependencies: { pewter: "1.0.0", tin: "1.0.0" } },
    });
    const checked = await fresh.touchmark("npm install", { fetch: network });
    expect(checked.exit, checked.text).toBe(exit);
    expect([fresh.has("node_modules"), fresh.has("touchmark.lock")]).toEqual([false, false]);
    fresh.write("package-lock.json", consumer.read("package-lock.json")!);
    const verified = await fresh.touchmark("verify --online", { fetch: network });
    expect(verified.exit, verified.text).toBe(exit);
    expect(verified.text).toContain(release);
    expect(verified.text).toContain(`[${code} `);
  });

  test("from touchmark.lock", async () => {
    const clone = cloneOf(consumer);
    clone.write(
      "touchmark.lock",
      consumer.read("touchmark.lock")!.replace(/"envelopes":\[[^]*?\n\]/, '"envelopes":[]'),
    );
    const outcome = await clone.touchmark("verify");
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining("[EVIDENCE_MISSING V-11]")]);
    clone.remove("touchmark.lock");
    const none = await clone.touchmark("verify");
    expect([none.exit, none.text]).toEqual([3, expect.stringContaining("There is no evidence to check with")]);
  });
});

/** The same repository in another place, with a Touchmark home of its own. */
function cloneOf(original: Consumer): Consumer {
  const clone = workshop.consumer({ packages: original.policy().packages });
  for (const file of ["package.json", "package-lock.json", "touchmark.lock", "touchmark.json"])
    clone.write(file, original.read(file)!);
  return clone;
}

describe("I10: what is older than what was seen", () => {
  let old: { evidence: Uint8Array; companion: string };
  let today: Consumer;
  const replay: Fetch = async (url, init) =>
    url.endsWith("/evidence") ? new Response(Buffer.from(old.evidence)) : fetch(url, init);

  beforeAll(async () => {
    today = cloneOf(consumer);
    const response = await fetch(`${workshop.log.endpoint.url}evidence`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ packages: { "npm:npmjs/pewter": ["1.0.0"], "npm:npmjs/tin": ["1.0.0"] } }),
    });
    old = { evidence: await response.bytes(), companion: consumer.read("touchmark.lock")! };
    await workshop.release({ name: "pewter", version: "1.1.0" });
    expect((await today.touchmark("npm ci")).exit).toBe(0);
    expect(today.read("touchmark.lock")).not.toBe(old.companion);
  });

  const both = "The evidence is of a log of 5 leaves; one of 7 was seen before. [ROLLBACK V-5]";

  test("an old answer of the log is refused by whoever saw a newer one", async () => {
    const outcome = await today.touchmark("verify --online", { fetch: replay });
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining(both)]);
  });

  test("and by whoever has the repository of somebody who did: a fresh clone, a CI job", async () => {
    for (const command of ["verify --online", "npm ci"]) {
      const clone = cloneOf(today);
      const companion = clone.read("touchmark.lock");
      const outcome = await clone.touchmark(command, { fetch: replay });
      expect(outcome.exit, outcome.text).toBe(3);
      expect(outcome.text).toContain("a log of 5 leaves; one of 7 was seen before");
      expect([clone.read("touchmark.lock"), clone.has("node_modules")]).toEqual([companion, false]);
    }
  });

  test("an old touchmark.lock is refused by whoever remembers more", async () => {
    const { directory, home } = today;
    const companion = today.read("touchmark.lock")!;
    today.write("touchmark.lock", old.companion);
    const outcome = await today.touchmark("verify", { directory, home });
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining(both)]);
    today.write("touchmark.lock", companion);
  });

  test("a repository that was not installed in lately is not punished for what the same user saw elsewhere", async () => {
    const other = cloneOf(consumer);
    expect(other.read("touchmark.lock")).toBe(old.companion);
    const { home } = today;
    const offline = await other.touchmark("verify", { home });
    expect([offline.exit, offline.stderr]).toEqual([0, ""]);
    const answered = await other.touchmark("verify --online", { home, fetch: replay });
    expect([answered.exit, answered.text]).toEqual([3, expect.stringContaining(both)]); // the log is held to all that was seen
  });

  test("once it has moved on, it can't be set back either", async () => {
    const other = cloneOf(consumer);
    const { home } = today;
    other.write("touchmark.lock", today.read("touchmark.lock")!);
    expect((await other.touchmark("verify", { home })).exit).toBe(0);
    other.write("touchmark.lock", old.companion);
    const outcome = await other.touchmark("verify", { home });
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining(both)]);
  });

  test("a memory that is damaged is no empty memory", async () => {
    const forgetful = cloneOf(today);
    mkdirSync(forgetful.home, { recursive: true });
    cpSync(join(today.home, "checkpoints"), join(forgetful.home, "checkpoints"), { recursive: true });
    const [note] = forgetful.filesAtHome("checkpoints");
    writeFileSync(note!, "");
    const outcome = await forgetful.touchmark("verify --online", { fetch: replay });
    expect([outcome.exit, outcome.text]).toEqual([
      3,
      expect.stringMatching(/^error: The remembered checkpoint of .* is damaged\. \[MEMORY_UNUSABLE\]\nhint: /),
    ]);
  });
});

describe("I11: the log stands still", () => {
  const later = (days: number) => () => Math.floor(Date.now() / 1000) + days * 86_400;

  test("asked just now, it is a warning; without asking, after the limit, nothing is accepted", async () => {
    const clone = cloneOf(consumer);
    const online = await clone.touchmark("verify --online", { now: later(2) });
    expect(online.exit, online.text).toBe(0);
    expect(online.stderr).toMatch(
      /warning: The log shows nothing newer than 48 hours; the policy allows 24 hours\. \[STALE\]\nhint: The log may be stuck/,
    );
    // Who answers gets no further with old news than who is silent; and in a CI job nobody reads a warning.
    for (const [days, env] of [
      [8, {}],
      [2, { CI: "true" }],
    ] as const) {
      for (const command of ["verify --online", "npm ci"]) {
        const old = await cloneOf(consumer).touchmark(command, { now: later(days), env });
        expect([old.exit, old.text], command).toEqual([3, expect.stringContaining("STALE")]);
      }
    }
    const alone = cloneOf(consumer);
    expect((await alone.touchmark("verify", { now: later(6) })).exit).toBe(0);
    const offline = await alone.touchmark("verify", { now: later(8) });
    expect([offline.exit, offline.text]).toEqual([
      3,
      expect.stringContaining("the policy allows 168 hours. [STALE V-6]"),
    ]);
    const unreachable: Fetch = async (url, init) =>
      url.startsWith(workshop.log.endpoint.url) ? Response.error() : fetch(url, init);
    const install = await alone.touchmark("npm ci", { now: later(8), fetch: unreachable });
    expect([install.exit, install.text, alone.has("node_modules")]).toEqual([
      3,
      expect.stringContaining("STALE"),
      false,
    ]);
  });

  test("a log ahead of this machine's clock proves nothing", async () => {
    const outcome = await cloneOf(consumer).touchmark("verify --online", { now: later(-1) });
    expect([outcome.exit, outcome.text]).toEqual([
      3,
      expect.stringContaining("ahead of this machine's clock. [STALE V-6]"),
    ]);
  });
});

describe("a log that answers too much, or nonsense", () => {
  test("an endless answer is cut off", async () => {
    let sent = 0;
    const endless: Fetch = async () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent++;
            controller.enqueue(new Uint8Array(2 ** 20));
          },
        }),
      );
    const outcome = await cloneOf(consumer).touchmark("verify --online", { fetch: endless });
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining("The log's answer is too long.")]);
    expect(sent).toBeLessThan(80);
  });

  test.each<[string, string]>([
    ["nothing", ""],
    ["a page", "<!doctype html><h1>Welcome to the hotel's network</h1>"],
    ["brackets", "[".repeat(100_000)],
    ["another document", '{\n"format":"touchmark-lock/v1"\n}\n'],
  ])("%s", async (_, body) => {
    const outcome = await cloneOf(consumer).touchmark("verify --online", { fetch: async () => new Response(body) });
    expect([outcome.exit, outcome.text]).toEqual([
      3,
      expect.stringMatching(/unchecked {2}pewter@1\.0\.0[^]*\[EVIDENCE_MALFORMED V-1\]/),
    ]);
  });

  test("a redirect is not followed, wherever it leads", async () => {
    const evidence = `${workshop.log.endpoint.url}evidence`;
    const server = createServer((_, response) => response.writeHead(307, { location: evidence }).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const outcome = await cloneOf(consumer).touchmark("verify --online", {
      fetch: (_, init) => fetch(`http://127.0.0.1:${port}/evidence`, init),
    });
    server.close();
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining("[LOG_UNREACHABLE V-5]")]);
  });
});
