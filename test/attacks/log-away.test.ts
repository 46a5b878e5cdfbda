import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packRelease } from "../support/packed.ts";
import { type Outcome, type Place, runTouchmark } from "../support/touchmark.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// L9 and what a log's bad day does to the people who sign: nothing is lost, nothing is logged twice.

type Network = NonNullable<Place["fetch"]>;

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  await workshop.claim("pewter");
});
afterAll(() => workshop.close());

const away: Network = () => Promise.reject(new TypeError("fetch failed"));
const outbox = (folder = ""): string[] => {
  const path = join(workshop.makers.home, "outbox", folder);
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith(".json")) : [];
};
const submit = (args: string, more: Partial<Place> = {}): Promise<Outcome> =>
  runTouchmark(["submit", ...args.split(" "), "--json"], { ...workshop.makers, ...more });
const told = ({ stdout }: Outcome): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

/** A release signed by two, not submitted; its file's name. */
async function signed(version: string): Promise<string> {
  const file = workshop.putOnDesk(packRelease({ name: "pewter", version }));
  for (const holder of ["alice", "bob"]) await workshop.make(`sign ${file} --holder ${holder} --yes`);
  return `${file}.touchmark`;
}

describe("a log that is away", () => {
  test("is asked again, and the statement gets its place", async () => {
    const file = await signed("1.0.0");
    let failures = 1;
    const outcome = await submit(`${file} --wait 5`, {
      fetch: (url, init) => (failures-- > 0 ? away(url, init) : fetch(url, init)),
    });
    expect([outcome.exit, told(outcome)["entries"]]).toEqual([0, { "npm:npmjs/pewter": expect.any(Number) }]);
    expect(outcome.stderr).toContain("trying again in 1 s; Ctrl-C stops waiting");
    expect(outbox()).toEqual([]);
  });

  test("loses nothing, even if the file is gone when it is back", async () => {
    const [one, two] = [await signed("1.1.0"), await signed("1.2.0")];
    for (const file of [one, two, one]) {
      const outcome = await submit(`${file} --wait 0`, { fetch: away });
      expect([outcome.exit, told(outcome)]).toMatchObject([3, { ok: false, queued: true, error: { code: "NETWORK" } }]);
    }
    expect(outbox()).toHaveLength(2); // the same statement waits once
    expect((await submit("--flush --wait 0", { fetch: away })).exit).toBe(3);
    rmSync(join(workshop.makers.directory, two));
    const flushed = await submit("--flush");
    expect(flushed.exit, flushed.text).toBe(0);
    expect(told(flushed)["statements"]).toMatchObject([{ ok: true }, { ok: true }]);
    expect(outbox()).toEqual([]);
    expect((await submit("--flush")).exit).toBe(0);
  });

  test("may have logged it before the answer was lost: the same place comes back", async () => {
    const file = await signed("1.3.0");
    let answered: unknown;
    const lost: Network = async (url, init) => {
      const response = await fetch(url, init);
      if (url.endsWith("/submit")) answered = ((await response.json()) as { entries: unknown }).entries;
      throw new TypeError("terminated");
    };
    expect((await submit(`${file} --wait 0`, { fetch: lost })).exit).toBe(3);
    const again = await submit("--flush");
    expect(told(again)["statements"]).toMatchObject([{ ok: true, entries: answered }]);
    expect(told(await submit(file))["entries"]).toEqual(answered);
  });

  test("at Ctrl-C what waits is kept", async () => {
    const file = await signed("1.4.0");
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    const begun = performance.now();
    const outcome = await submit(`${file} --wait 1000`, { fetch: away, signal: stop.signal });
    expect([outcome.exit, outbox().length]).toEqual([3, 1]);
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect((await submit("--flush")).exit).toBe(0);
  });

  test("that comes back with a refusal sets the statement aside, and sends the others", async () => {
    const good = await signed("1.6.0");
    const bad = workshop.putOnDesk(packRelease({ name: "pewter", version: "1.5.0" }));
    await workshop.make(`sign ${bad} --holder alice --yes`);
    for (const file of [`${bad}.touchmark`, good]) await submit(`${file} --wait 0`, { fetch: away });
    const outcome = await submit("--flush");
    expect(outcome.exit).toBe(1);
    const statements = told(outcome)["statements"] as { ok: boolean; kept: string; error: object }[];
    expect(statements.filter(({ ok }) => ok)).toHaveLength(1);
    expect(statements.find(({ ok }) => !ok)).toMatchObject({ waits: false, error: { code: "THRESHOLD" } });
    expect([outbox(), outbox("refused").length]).toEqual([[], 1]);
  });

  test("a refusal of the rules does not wait", async () => {
    const file = workshop.putOnDesk(packRelease({ name: "pewter", version: "1.7.0" }));
    await workshop.make(`sign ${file} --holder alice --yes`);
    expect((await submit(`${file}.touchmark`)).exit).toBe(1);
    expect(outbox()).toEqual([]);
  });

  test("a file in the outbox that is not what it should be is named", async () => {
    const path = join(workshop.makers.home, "outbox/damaged.json");
    writeFileSync(path, "{}");
    const outcome = await submit("--flush");
    expect([outcome.exit, outcome.text]).toEqual([2, expect.stringContaining("OUTBOX_MALFORMED")]);
    rmSync(path);
  });
});
