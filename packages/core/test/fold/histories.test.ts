import { expect, test } from "vitest";
import { checkHistory, type Tally } from "../../fuzz/history.ts";
import { applyStatement, type Authority, type PackageState, UNCLAIMED } from "../../src/index.ts";
import { leafOf, makeChronicle } from "../../fuzz/chronicle.ts";
import { authorityOf, claimOf, keyOf, LOG, type Said, signersOf, WIDGET } from "../support/town.ts";

// What a history is checked for stands in fuzz/history.ts; `pnpm fuzz --only rules` plays a million.

test("ten thousand random histories keep every promise of chapter 10", () => {
  const tally: Tally = new Map();
  const seed = Number(process.env["FAST_CHECK_SEED"] ?? 20_261_123);
  for (let index = 0; index < 10_000; index++) checkHistory(seed, index, tally);
  const of = (name: string): number => tally.get(name) ?? 0;
  const all = [...tally].filter(([name]) => name.includes(": "));
  const tried = all.reduce((sum, [, count]) => sum + count, 0);
  const admitted = all.filter(([name]) => name.endsWith("admitted")).reduce((sum, [, count]) => sum + count, 0);
  expect(admitted / tried).toBeGreaterThan(0.35);
  const kinds = [
    "claim",
    "proof",
    "change",
    "revoke",
    "veto",
    "release",
    "funding",
    "hold",
    "lift",
    "endorse",
    "review",
    "adopt",
  ];
  for (const kind of [...kinds, "adopt-final"]) expect(of(`${kind}: admitted`), kind).toBeGreaterThan(100);
  for (const refusal of ["release: THRESHOLD", "release: FROZEN", "change: REVOKED_KEY", "adopt: NOT_DORMANT"])
    expect(of(refusal), refusal).toBeGreaterThan(100);
  expect(of("vetoed")).toBeGreaterThan(200);
}, 600_000);

test("a history of a thousand statements folds in reasonable time, and its states share what did not change", () => {
  const log = makeChronicle(new Map(), false);
  const enter = (said: Said, signers: string, time: number): void => {
    const tried = log.enter({ logs: [LOG], ...said }, signersOf(signers), time);
    expect(tried.refusal).toBeNull();
  };
  const teams = [authorityOf("alice bob carol", 2), authorityOf("alice bob carol", 2, { changeThreshold: 3 })];
  let time = 1_800_000_000;
  enter(claimOf(teams[0]!, { proof: "1.0.0" }), "alice bob carol", time);
  time += 8 * 86_400;
  const before = process.memoryUsage().heapUsed;
  const start = performance.now();
  for (let i = 1; i <= 999; i++) {
    time += 60;
    const said = i % 3 === 0 ? change(log.state(WIDGET), teams[(i / 3) % 2]!) : holdOf(i);
    enter(said, "alice bob carol", time);
  }
  // 999 states one after another, each with its lists: far below what a second and a gigabyte would be.
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(300 * 1024 * 1024);
  expect(log.state(WIDGET).lines[0]!.holds).toHaveLength(666);
});

test("times near the end of numbers are only compared", () => {
  const state = claimedAt(Number.MAX_SAFE_INTEGER - 1);
  expect(state.settlesAt).toBeGreaterThan(Number.MAX_SAFE_INTEGER - 1);
  expect(state.epoch).toBe(0);
});

function claimedAt(time: number): PackageState {
  const team = authorityOf("alice", 1);
  const statement = { logs: [LOG], ...claimOf(team, { proof: "1.0.0" }) };
  const place = { index: 1, time, leafHash: leafOf(1), before: null };
  const signers = [{ fingerprint: keyOf("alice").fingerprint, flags: 5 }];
  return applyStatement(
    UNCLAIMED,
    WIDGET,
    { statement, digest: "", signers },
    place,
    makeChronicle(new Map(), false).world,
  );
}

function change(state: PackageState, authority: Authority): Said {
  const packages = new Map([[WIDGET, { previous: state.last!.leafHash }]]);
  return { kind: "change", packages, authority, details: null };
}

function holdOf(i: number): Said {
  return { kind: "hold", by: WIDGET, releases: [`${WIDGET}@1.0.${i}`], reason: "odd", osv: null, renews: null };
}
