import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { COSIGNATURE_ED25519, cosigner, encodeVerifierKey } from "@touchmark/log";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packRelease } from "./support/packed.ts";
import { type Outcome, type Place, runTouchmark } from "./support/touchmark.ts";
import { openWorkshop, type Workshop } from "./support/workshop.ts";

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  await workshop.claim("pewter");
});
afterAll(() => workshop.close());

interface Event {
  index: number;
  kind: string;
  why: string;
  names: string[];
  statement: string;
  problem: string | null;
  expected: boolean;
}

/** `touchmark log watch … --once` by somebody with a home of their own, or by the makers. */
async function watch(args: string[], more: Partial<Place> = {}): Promise<Outcome & { events: Event[] }> {
  const home = join(workshop.root, "watcher");
  const outcome = await runTouchmark(["log", "watch", ...args, "--once", "--json"], {
    ...workshop.makers,
    home,
    ...more,
  });
  const lines = outcome.stdout.split("\n").filter((line) => line.startsWith('{"log"'));
  return { ...outcome, events: lines.map((line) => JSON.parse(line) as Event) };
}
const makers = (): Partial<Place> => ({ home: workshop.makers.home });

describe("touchmark log watch", () => {
  test("prints what is there, once, and goes on from where it was", async () => {
    const first = await watch(["pewter"]);
    expect([first.exit, first.events]).toMatchObject([
      1,
      [{ index: 1, kind: "claim", why: "about", names: ["npm:npmjs/pewter"], expected: false }],
    ]);
    expect(await watch(["pewter"])).toMatchObject({ exit: 0, events: [] });
    const people = await runTouchmark(["log", "watch", "pewter", "--once"], {
      ...workshop.makers,
      home: join(workshop.root, "reader"),
    });
    expect(people.stdout).toMatch(/^unexpected {2}entry 1, \d{4}-.*Z: claim\n {2}claim\n/);
  });

  test("from now on only, where it is asked to", async () => {
    const home = join(workshop.root, "late");
    expect(await watch(["pewter", "--from-now"], { home })).toMatchObject({ exit: 0, events: [] });
  });

  test("what one's own keys signed is expected, and so is what is named", async () => {
    await watch(["pewter", "--mine"], makers());
    await workshop.release({ name: "pewter", version: "1.0.0" });
    const own = await watch(["pewter", "--mine"], makers());
    expect([own.exit, own.events]).toMatchObject([0, [{ kind: "release", expected: true }]]);
    const [{ statement } = { statement: "" }] = own.events;
    const named = await watch(["pewter", "--expect", statement]);
    expect([named.exit, named.events]).toMatchObject([0, [{ kind: "release", statement, expected: true }]]);
    const home = join(workshop.root, "by-file");
    const byFile = await watch(["pewter", "--expect", "pewter-1.0.0.tgz.touchmark"], { home });
    expect(byFile.events.map(({ kind, expected }) => [kind, expected])).toEqual([
      ["claim", false],
      ["release", true],
    ]);
  });

  test("a statement elsewhere that names a key of theirs", async () => {
    await workshop.claim("tin");
    const outcome = await watch(["pewter"]);
    expect([outcome.exit, outcome.events]).toMatchObject([1, [{ kind: "claim", why: "key", expected: false }]]);
    expect(outcome.events[0]!.names.filter((name) => name.startsWith("SHA256:"))).toHaveLength(3);
    await workshop.release({ name: "tin", version: "1.0.0" });
    expect(await watch(["pewter"])).toMatchObject({ exit: 0, events: [] });
    // Somebody who begins only now hears of it too, although the log has it before pewter's keys could be known.
    const late = await watch(["tin"], { home: join(workshop.root, "newcomer") });
    expect(late.events.map(({ index, why }) => [index, why])).toEqual([
      [1, "key"],
      [5, "about"],
      [7, "about"],
    ]);
  });
});

describe("a log that hides something from a watcher", () => {
  test("an envelope: what can't be read is unexpected", async () => {
    await workshop.release({ name: "pewter", version: "1.1.0" });
    const hiding: Place["fetch"] = async (url, init) =>
      url.includes("/envelope/") ? new Response("{}", { status: 404 }) : fetch(url, init);
    const outcome = await watch(["pewter"], { fetch: hiding });
    expect([outcome.exit, outcome.events]).toMatchObject([
      1,
      [{ problem: expect.stringContaining("The envelope cannot be had"), expected: false }],
    ]);
  });
  test("an entry: the tree says so, and nothing counts as read", async () => {
    await workshop.release({ name: "pewter", version: "1.2.0" });
    const leaving: Place["fetch"] = async (url, init) => {
      const answer = await fetch(url, init);
      if (!url.includes("/tile/entries/")) return answer;
      const bytes = await answer.bytes();
      bytes[bytes.length - 100] = bytes[bytes.length - 100]! ^ 1;
      return new Response(bytes);
    };
    const outcome = await watch(["pewter"], { fetch: leaving });
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringContaining("BAD_TILE")]);
    expect((await watch(["pewter"])).events).toHaveLength(1);
  });
  test("everything: a log that shows nothing new for hours is not one in which nothing happened", async () => {
    const later = { home: join(workshop.root, "frozen"), now: () => Math.floor(Date.now() / 1000) + 7200 };
    await watch(["pewter"], later); // all that there is to read has been read
    const frozen = await watch(["pewter"], later);
    expect([frozen.exit, frozen.events]).toEqual([3, []]);
    expect(frozen.stderr).toMatch(/the log's last leaf is 7\d\d\d seconds old, and a log appends one each hour/);
  });

  test("a checkpoint without the policy's quorum", async () => {
    const file = join(workshop.makers.directory, "touchmark.json");
    const policy = JSON.parse(readFileSync(file, "utf8")) as { log: object };
    const { key } = cosigner("w1.example", new Uint8Array(32).fill(5), COSIGNATURE_ED25519);
    const strict = join(workshop.makers.directory, "strict.json");
    const quorum = [`witness W1 ${encodeVerifierKey(key)}`, "quorum W1"];
    writeFileSync(strict, JSON.stringify({ ...policy, log: { ...policy.log, quorum } }));
    const outcome = await watch(["pewter", "--policy", strict]);
    expect([outcome.exit, outcome.events, outcome.stderr]).toEqual([
      3,
      [],
      expect.stringMatching(/^warning: .* \[[A-Z_]+\]\n/),
    ]);
  });
});

describe("alerts", () => {
  test("--exec gets each event on its standard input, and again until it takes it", async () => {
    const file = workshop.putOnDesk(packRelease({ name: "pewter", version: "1.3.0" }));
    for (const holder of ["alice", "bob"]) await workshop.make(`sign ${file} --holder ${holder} --yes`);
    await watch(["pewter"]);
    await workshop.make(`submit ${file}.touchmark`);
    const heard = join(workshop.root, "heard");
    const failing = await watch(["pewter", "--expect", `${file}.touchmark`, "--exec", "exit 7"]);
    expect([failing.exit, failing.stderr]).toEqual([3, expect.stringContaining("--exec ended with 7; 1 alerts wait")]);
    expect(existsSync(heard)).toBe(false);
    const outcome = await watch(["pewter", "--exec", `cat >> ${heard}`]);
    expect([outcome.exit, outcome.events]).toEqual([0, []]);
    const event = JSON.parse(readFileSync(heard, "utf8")) as Event;
    expect(event).toMatchObject({ kind: "release", names: ["npm:npmjs/pewter"], expected: true });
    await watch(["pewter", "--exec", `cat >> ${heard}`]);
    expect(readFileSync(heard, "utf8").split("\n")).toHaveLength(2);
  });

  test("--webhook gets them posted, and again until it answers well", async () => {
    const posted: string[] = [];
    let status = 500;
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (piece: Buffer) => (body += piece.toString()));
      request.on("end", () => {
        posted.push(body);
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    await workshop.release({ name: "pewter", version: "1.4.0" });
    const refused = await watch(["pewter", "--webhook", url]);
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("the webhook answered 500")]);
    status = 204;
    expect((await watch(["pewter", "--webhook", url])).exit).toBe(0);
    server.close();
    expect(posted.map((body) => (JSON.parse(body) as Event).kind)).toEqual(["release", "release"]);
    const wrong = await watch(["pewter", "--webhook", "file:///etc/passwd"]);
    expect(wrong.exit).toBe(2);
  });

  test("without --once it goes on until something unexpected comes", async () => {
    const home = join(workshop.root, "steady");
    const stop = new AbortController();
    await watch(["pewter", "--from-now"], { home });
    const running = runTouchmark(["log", "watch", "pewter", "--interval", "1", "--json"], {
      ...workshop.makers,
      home,
      signal: stop.signal,
    });
    await workshop.release({ name: "pewter", version: "1.5.0" });
    const outcome = await running;
    expect([outcome.exit, outcome.stdout]).toEqual([1, expect.stringContaining('"kind":"release"')]);
    setTimeout(() => stop.abort(), 50);
    const stopped = await runTouchmark(["log", "watch", "pewter", "--interval", "100"], {
      ...workshop.makers,
      home,
      signal: stop.signal,
    });
    expect(stopped.exit).toBe(0);
  });
});
