import { describe, expect, test } from "vitest";
import {
  applyStatement,
  claimStatus,
  encodeBase64,
  type EntryPlace,
  judgeRelease,
  openVouchedClaim,
  type PackageState,
  refuseSecondRelease,
  releasesOf,
  type SignedStatement,
  statementChains,
  UNCLAIMED,
  verifyEnvelope,
  WINDOWS,
  type World,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import { claim, LOG, put, release, WIDGET } from "./make-vectors/payload-parts.ts";
import type { StatementCase } from "./make-vectors/statements.ts";
import { refusalOf } from "./support/refusal.ts";
import { readVectors } from "./support/vectors.ts";

const cases = readVectors<StatementCase>("statements.json");
const claimCase = cases.find(({ name }) => name === "a claim by all of its keys")!;
const releaseCase = cases.find(({ name }) => name === "a release by 2 of 3")!;

describe("admission: refused", () => {
  test.each(cases.filter(({ error }) => error !== null))("[$rule] $name", (one) => {
    expect(refusalOf(() => admit(one))).toEqual(one.error);
  });

  test("every rule of admission is among the cases", () => {
    const rules = new Set(cases.filter(({ error }) => error !== null).map(({ rule }) => rule));
    const admission = [
      "S-1",
      "S-2",
      "S-3",
      "S-4",
      "S-5",
      "S-8",
      "S-16",
      "S-17",
      "S-21",
      "S-22",
      "S-24",
      "K-12",
      "K-13",
    ];
    expect([...rules]).toEqual(expect.arrayContaining(admission));
  });
});

describe("admission: accepted", () => {
  test.each(cases.filter(({ error }) => error === null))("[$rule] $name", (one) => {
    const { signed, states } = admit(one);
    expect(signed.digest).toBe(one.digest);
    expect(signed.signers === "vouched" || signed.signers.map(({ fingerprint }) => fingerprint)).toEqual(one.signers);
    if (signed.statement.kind === "claim") {
      for (const id of statementChains(signed.statement)) {
        expect(states.get(id)?.lines[0]?.authority.digest).toBe(one.authorityDigest);
        expect(states.get(id)?.last).toEqual(placeAt(one.after.length));
      }
    }
  });
});

describe("admission, one package at a time", () => {
  const claimed = open(claimCase);
  const released = open(releaseCase);
  const inForce = applyStatement(UNCLAIMED, WIDGET, claimed, placeAt(1), worldOf(LOG));

  test("a release leaves the state as it is; nothing is changed in place", () => {
    const before = structuredClone(inForce);
    expect(applyStatement(inForce, WIDGET, released, placeAt(2), worldOf(LOG))).toBe(inForce);
    expect(inForce).toEqual(before);
    expect(UNCLAIMED.lines).toEqual([]);
  });

  test("[S-17] previous is the leaf hash of the last authority entry", () => {
    const last = placeAt(5);
    const left: PackageState = { ...UNCLAIMED, last };
    const follows = (previous: Uint8Array | null): SignedStatement => {
      if (claimed.statement.kind !== "claim") throw new Error("This is no claim.");
      const packages = new Map([...claimed.statement.packages].map(([id, one]) => [id, { ...one, previous }]));
      return { ...claimed, statement: { ...claimed.statement, packages } };
    };
    const act = (state: PackageState, previous: Uint8Array | null): (() => PackageState) => {
      return () => applyStatement(state, WIDGET, follows(previous), placeAt(6), worldOf(LOG));
    };
    const wrong = { code: "WRONG_PREVIOUS", rule: "S-17" };
    expect(refusalOf(act(left, last.leafHash))).toBeNull();
    expect(refusalOf(act(left, null))).toEqual(wrong);
    expect(refusalOf(act(left, placeAt(4).leafHash))).toEqual(wrong);
    expect(refusalOf(act(UNCLAIMED, last.leafHash))).toEqual(wrong);
    expect(refusalOf(act(UNCLAIMED, null))).toBeNull();
  });

  test("[S-40] a statement that does not name the package", () => {
    const other = "npm:npmjs/@acme/gadget";
    const claims = refusalOf(() => applyStatement(UNCLAIMED, other, claimed, placeAt(1), worldOf(LOG)));
    const releases = refusalOf(() => applyStatement(inForce, other, released, placeAt(1), worldOf(LOG)));
    expect(claims).toEqual({ code: "MALFORMED", rule: "S-40" });
    expect(releases).toEqual({ code: "MALFORMED", rule: "S-40" });
  });

  test("[S-8] the log is compared as a whole", () => {
    for (const origin of ["log.example", "log.example/main2", "LOG.example/main", ""]) {
      const refusal = refusalOf(() => applyStatement(UNCLAIMED, WIDGET, claimed, placeAt(1), worldOf(origin)));
      expect(refusal).toEqual({ code: "WRONG_LOG", rule: "S-8" });
    }
  });

  test("[S-20] a claim is pending for 7 days, to the second, and unproven from then on", () => {
    const { time } = inForce.last!;
    expect(WINDOWS.claim.days).toBe(7);
    expect(claimStatus(inForce, time)).toBe("pending");
    expect(claimStatus(inForce, time + 604_799)).toBe("pending");
    expect(claimStatus(inForce, time + 604_800)).toBe("unproven");
  });

  test("[S-22] the keys of a release that suffices; the sentence says how many are missing", () => {
    const judge = (signers: SignedStatement["signers"]): string[] =>
      judgeRelease(inForce, WIDGET, signers, inForce.last!.time, worldOf(LOG)).keys.map(({ holder }) => holder);
    expect(judge(released.signers).toSorted()).toEqual(["alice", "bob"]);
    const [one] = released.signers as Exclude<SignedStatement["signers"], "vouched">;
    expect(() => judge([one!])).toThrow(/^Signed by 1 of 2 holders \((alice|bob)\)\.$/);
    expect(() => judge([])).toThrow("Signed by 0 of 2 holders (nobody).");
  });

  test("[S-5] the sentence says why two keys are one vote", () => {
    const twice = cases.find(({ rule, error }) => rule === "S-5" && error !== null)!;
    expect(() => admit(twice)).toThrow("Signed by 1 of 2 holders (alice). Several keys of one holder are one vote.");
  });

  test("[S-23] a release id is released once", () => {
    if (released.statement.kind !== "release") throw new Error("This is no release.");
    const [version] = releasesOf(released.statement, WIDGET);
    const { sha512, tarSha512 } = version!;
    const again = (earlier: { sha512: string; tarSha512: string }): unknown =>
      refusalOf(() => refuseSecondRelease(version!, earlier));
    const other = "0".repeat(128);
    expect(again({ sha512, tarSha512 })).toEqual({ code: "ALREADY_RELEASED", rule: "S-23" });
    expect(again({ sha512: other, tarSha512 })).toEqual({ code: "EQUIVOCATION", rule: "S-23" });
    expect(again({ sha512, tarSha512: other })).toEqual({ code: "EQUIVOCATION", rule: "S-23" });
    expect(() => refuseSecondRelease(version!, { sha512: other, tarSha512 })).toThrow(sha512.slice(0, 16));
    expect(releasesOf(released.statement, "npm:npmjs/other")).toEqual([]);
  });
});

describe("[V-11] a claim whose authority the caller pins", () => {
  const pin = claimCase.authorityDigest!;
  const unsigned = (value: unknown): string =>
    JSON.stringify({
      payload: encodeBase64(new TextEncoder().encode(JSON.stringify(value))),
      payloadType: "application/vnd.in-toto+json",
      signatures: [],
    });

  test("is taken without its signatures, and under no other pin", () => {
    const vouched = openVouchedClaim(nobleCrypto, unsigned(claim()), pin);
    expect(vouched?.signers).toBe("vouched");
    expect(vouched?.digest).toBe(claimCase.digest);
    const state = applyStatement(UNCLAIMED, WIDGET, vouched!, placeAt(1), worldOf(LOG));
    expect(state.lines[0]?.authority.digest).toBe(pin);
    expect(openVouchedClaim(nobleCrypto, unsigned(claim()), `sha256:${"0".repeat(64)}`)).toBeNull();
  });

  test("is bound to its log, its place and the first claim all the same", () => {
    const vouched = openVouchedClaim(nobleCrypto, unsigned(claim()), pin)!;
    const state = applyStatement(UNCLAIMED, WIDGET, vouched, placeAt(1), worldOf(LOG));
    const left: PackageState = { ...UNCLAIMED, last: placeAt(0) };
    expect(refusalOf(() => applyStatement(UNCLAIMED, WIDGET, vouched, placeAt(1), worldOf("x")))?.rule).toBe("S-8");
    expect(refusalOf(() => applyStatement(left, WIDGET, vouched, placeAt(1), worldOf(LOG)))?.rule).toBe("S-17");
    expect(refusalOf(() => applyStatement(state, WIDGET, vouched, placeAt(2), worldOf(LOG)))?.rule).toBe("S-21");
  });

  test("says nothing of earlier versions: those are accepted on the holders' word", () => {
    const earlier = { size: 1, root: encodeBase64(new Uint8Array(32).fill(7)) };
    const forged = put(claim(), ["predicate", "packages", WIDGET, "earlier"], earlier);
    const vouched = openVouchedClaim(nobleCrypto, unsigned(forged), pin)!;
    const state = applyStatement(UNCLAIMED, WIDGET, vouched, placeAt(1), worldOf(LOG));
    expect(state.lines[0]?.claimed.earlier.size).toBe(0);
  });

  test("nobody can vouch for a release", () => {
    expect(openVouchedClaim(nobleCrypto, unsigned(release()), pin)).toBeNull();
    const state = applyStatement(UNCLAIMED, WIDGET, open(claimCase), placeAt(1), worldOf(LOG));
    const vouched: SignedStatement = { ...open(releaseCase), signers: "vouched" };
    const refusal = refusalOf(() => applyStatement(state, WIDGET, vouched, placeAt(2), worldOf(LOG)));
    expect(refusal).toEqual({ code: "MALFORMED", rule: "S-22" });
  });
});

function open({ envelope }: StatementCase): SignedStatement {
  return verifyEnvelope(nobleCrypto, envelope);
}

function admit(one: StatementCase): { signed: SignedStatement; states: Map<string, PackageState> } {
  const states = new Map<string, PackageState>();
  const apply = (envelope: string, index: number): SignedStatement => {
    const signed = verifyEnvelope(nobleCrypto, envelope);
    for (const id of statementChains(signed.statement)) {
      states.set(id, applyStatement(states.get(id) ?? UNCLAIMED, id, signed, placeAt(index), worldOf(one.origin)));
    }
    return signed;
  };
  one.after.forEach(apply);
  return { signed: apply(one.envelope, one.after.length), states };
}

function placeAt(index: number): EntryPlace {
  return { index, time: 1_800_000_000 + index, leafHash: new Uint8Array(32).fill(index + 1) };
}

function worldOf(origin: string): World {
  return {
    origin,
    chartered: () => false,
    recognised: new Map(),
    state: () => undefined,
    releaseTime: () => null,
    lenient: false,
  };
}
