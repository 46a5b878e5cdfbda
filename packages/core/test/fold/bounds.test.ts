import { describe, expect, test } from "vitest";
import type { CoreError } from "../../src/index.ts";
import { refusalOf } from "../support/refusal.ts";
import {
  authorityOf,
  claimOf,
  committee,
  keyOf,
  makeTown,
  releaseOf,
  type Said,
  type Town,
  WIDGET,
} from "../support/town.ts";

const TEAM = authorityOf("alice bob carol", 2, { successors: [] });
const ONE = "committee:one";

describe("[A-26] what is kept of holds and endorsements", () => {
  test("a holder has a part in 256 versions that fewer than m held, for good; the others, and the quorum, go on", () => {
    const town = inForce();
    hold(town, WIDGET, "alice", versions(0, 200));
    town.day += 3;
    hold(town, WIDGET, "bob", versions(200, 400));
    expect(refusalOf(() => hold(town, WIDGET, "alice", versions(400, 457)))).toEqual(FULL);
    hold(town, WIDGET, "alice", versions(400, 456));
    town.day += 3000;
    expect(refusalOf(() => hold(town, WIDGET, "alice", versions(456, 457)))).toEqual(FULL);
    expect(refusalOf(() => hold(town, WIDGET, "carol", versions(0, 1)))?.code).toBe("HELD_BEFORE");
    hold(town, WIDGET, "carol", versions(456, 457));
    hold(town, WIDGET, "alice bob", versions(0, 457));
  });

  test("at most 4,096 versions are on hold by m holders; what is lifted is forgotten", () => {
    const town = inForce();
    const first = hold(town, WIDGET, "alice bob", versions(0, 4000));
    hold(town, WIDGET, "alice bob", versions(4000, 4096));
    expect(refusalOf(() => hold(town, WIDGET, "alice bob", versions(0, 1)))).toEqual(FULL);
    hold(town, WIDGET, "alice", versions(4096, 4097));
    town.enter({ kind: "lift", by: WIDGET, hold: first }, "alice bob");
    hold(town, WIDGET, "alice bob", versions(0, 1));
    expect(keptIn(town, WIDGET)).toBe(96 + 1 + 1);
  });

  test("of a committee's holds that are over, one without an OSV id is remembered as long as the version may be fresh", () => {
    const town = inForce();
    town.enter(releaseOf("1.0.0"), "alice bob");
    hold(town, ONE, "olaf olga", ["1.0.0"], null);
    hold(town, ONE, "olaf olga", versions(1, 3), "MAL-1");
    town.day += 29;
    expect(refusalOf(() => hold(town, ONE, "olaf olga", ["1.0.0"], null))?.code).toBe("HELD_BEFORE");
    hold(town, ONE, "olaf olga", ["3.0.0"], "MAL-2");
    expect(keptIn(town, ONE)).toBe(2);
    town.day += 1;
    expect(refusalOf(() => hold(town, ONE, "olaf olga", ["1.0.0"], null))?.code).toBe("HOLD_NEEDS_OSV");
    hold(town, ONE, "olaf olga", ["4.0.0"], "MAL-3");
    expect(keptIn(town, ONE)).toBe(2);
  });

  test("a committee endorses 10,000 claims", () => {
    const town = inForce();
    const claims = (from: number, to: number): Said => ({
      kind: "endorse",
      by: ONE,
      claims: new Map(range(from, to).map((i) => [`npm:npmjs/p${i}`, { claim: new Uint8Array(32), confirms: [] }])),
    });
    for (let i = 0; i < 20; i++) town.enter(claims(i * 500, (i + 1) * 500), "olaf olga");
    expect(refusalOf(() => town.enter(claims(10_000, 10_001), "olaf olga"))).toEqual(FULL);
  });
});

describe("[A-27] a line that is not in force", () => {
  test("makes 32 entries, and one more every thirty days; whoever's it is not goes on, and keys are revoked all the same", () => {
    const town = makeTown();
    town.enter(claimOf(authorityOf("mallory mallory/2", 1)), "mallory mallory/2");
    for (let i = 0; i < 32; i++) hold(town, WIDGET, "mallory", [`${i}.0.0`]);
    for (const said of [fundingOf(town), holdOf(WIDGET, ["99.0.0"])])
      expect(refusalOf(() => town.enter(said, "mallory"))).toEqual({ code: "TOO_EARLY", rule: "A-27" });
    town.enter({ kind: "revoke", subjects: [WIDGET], keys: [keyOf("mallory/2").fingerprint] }, "mallory/2");
    town.enter(claimOf(TEAM, { previous: town.last(), proof: "1.0.1" }), "alice bob carol");
    hold(town, WIDGET, "alice", ["99.0.0"]);
    town.day = 29.9;
    expect(refusalOf(() => hold(town, WIDGET, "mallory", ["99.0.0"]))?.code).toBe("WRONG_KEY"); // his claim is dropped by then
    expect(town.state().lines).toHaveLength(1);
    for (let i = 0; i < 60; i++) hold(town, WIDGET, "alice bob", [`${i}.0.0`]);
  });

  test("as long as it stays unproven the next entry is let in at the window's end", () => {
    const town = makeTown();
    town.enter(claimOf(authorityOf("mallory", 1)), "mallory");
    for (let i = 0; i < 32; i++) hold(town, WIDGET, "mallory", [`${i}.0.0`]);
    town.day = 29.9;
    expect(refusalOf(() => hold(town, WIDGET, "mallory", ["99.0.0"]))?.rule).toBe("A-27");
    town.day = 30;
    hold(town, WIDGET, "mallory", ["99.0.0"]);
    expect(refusalOf(() => hold(town, WIDGET, "mallory", ["98.0.0"]))?.rule).toBe("A-27");
    town.day = 60;
    hold(town, WIDGET, "mallory", ["98.0.0"]);
  });

  test("who may see a line in force that isn't here holds none of it against the log", () => {
    const reader = makeTown({ lenient: true });
    reader.enter(claimOf(TEAM), "alice bob carol");
    for (let i = 0; i < 100; i++) hold(reader, WIDGET, "alice bob", [`${i}.0.0`]);
    expect(reader.state().lines[0]!.holds).toHaveLength(100);
  });
});

test("[A-15] signs of life are a day apart: one key alone doesn't make a chain long", () => {
  const town = inForce();
  const alive = (): unknown => town.enter({ kind: "veto", entries: new Map([[WIDGET, town.last()]]) }, "carol");
  alive();
  town.day += 0.99;
  expect(refusalOf(alive)).toEqual({ code: "TOO_EARLY", rule: "A-15" });
  town.day += 0.01;
  alive();
});

const FULL = { code: "TOO_LARGE" satisfies CoreError["code"], rule: "A-26" };

function inForce(): Town {
  const town = makeTown();
  const details = committee(["endorse", "hold"], ["*"]);
  town.enter(claimOf(authorityOf("olaf olga", 2), { id: ONE, details }), "olaf olga");
  town.enter(claimOf(TEAM, { proof: "0.9.0" }), "alice bob carol");
  town.day = 10;
  return town;
}

function versions(from: number, to: number): string[] {
  return range(from, to).map((i) => `${i}.0.0`);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function holdOf(by: string, held: string[], osv: string | null = null): Said {
  const releases = held.map((version) => `${WIDGET}@${version}`);
  return { kind: "hold", by, releases, reason: "odd", osv, renews: null };
}

function hold(town: Town, by: string, signers: string, held: string[], osv: string | null = null): Uint8Array {
  return town.enter(holdOf(by, held, osv), signers);
}

function keptIn(town: Town, id: string): number {
  return town.state(id).lines[0]!.holds.reduce((sum, { releases }) => sum + releases.length, 0);
}

function fundingOf(town: Town): Said {
  const packages = new Map([[WIDGET, { previous: town.last() }]]);
  return { kind: "funding", packages, channels: [], manifest: null, needs: null };
}
