import { describe, expect, test } from "vitest";
import { charteredCommittees, claimStatus, type PackageState, pinnedLine } from "../../src/index.ts";
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

const TEAM = authorityOf("alice bob carol", 2);
const THIEF = authorityOf("thief", 1);
const REVIEWERS = "committee:reviewers";

describe("first claims", () => {
  test("[A-4] a claim is pending for seven days after its proof (a), then in force", () => {
    const town = claimed();
    expect(statusOf(town)).toBe("pending");
    town.day = 2;
    prove(town, "alice");
    town.day = 8.99;
    expect(statusOf(town)).toBe("pending");
    town.day = 9;
    expect(statusOf(town)).toBe("in force");
    expect(town.state().epoch).toBe(1);
  });

  test("[A-4] a proof in the last minute leaves others the whole window; a second one opens nothing", () => {
    const town = makeTown();
    town.enter(claimOf(THIEF), "thief");
    town.day = 6.9;
    prove(town, "thief");
    town.day = 12;
    prove(town, "thief");
    town.day = 13;
    town.enter(claimOf(TEAM, { previous: town.last(), proof: "1.0.2" }), "alice bob carol");
    town.day = 20;
    expect(statusOf(town)).toBe("contested");
    const alone = makeTown();
    alone.enter(claimOf(THIEF), "thief");
    alone.day = 6.9;
    prove(alone, "thief");
    alone.day = 12;
    prove(alone, "thief");
    alone.day = 13.9;
    expect(statusOf(alone)).toBe("in force");
  });

  test("[A-4] an endorsement within the window doesn't move its end: who doesn't recognise it sees the same time", () => {
    for (const recognised of [new Map([[REVIEWERS, ["endorse" as const]]]), new Map()]) {
      const town = makeTown({ recognised, lenient: true });
      found(town, REVIEWERS, "rita rolf", 2, ["endorse"]);
      town.enter(claimOf(TEAM, { proof: "1.0.1" }), "alice bob carol");
      const claim = town.last();
      town.day = 6;
      const claims = new Map([[WIDGET, { claim, confirms: [] }]]);
      town.enter({ kind: "endorse", by: REVIEWERS, claims }, "rita rolf");
      town.day = 6.9;
      expect(town.state().epoch).toBe(0);
      town.day = 7;
      expect(statusOf(town)).toBe("in force");
    }
  });

  test("[A-16] where rivals were settled others may see another line: what its holders enter is void here, and no fault of the log's", () => {
    const town = makeTown({ lenient: true });
    town.enter(claimOf(THIEF), "thief");
    town.enter(claimOf(TEAM, { previous: town.last(), proof: "1.0.2" }), "alice bob carol");
    town.day = 8;
    expect(town.state().lines.map(({ authority }) => authority.digest)).toEqual([TEAM.digest]);
    const next = authorityOf("thief thief/2", 1);
    const packages = new Map([[WIDGET, { previous: town.last() }]]);
    town.enter({ kind: "change", packages, authority: next, details: null }, "thief thief/2");
    expect(town.state().lines[0]!.authority.digest).toBe(TEAM.digest);
    expect(town.state().divergedAt).not.toBeNull();
  });

  test("[A-4] a claim without proof lapses with the window: it gains nobody's trust", () => {
    const town = claimed();
    town.day = 1000;
    expect(statusOf(town)).toBe("unproven");
    expect(town.state().epoch).toBe(0);
  });

  test("[A-4] a proof after the window opens it once more", () => {
    const town = claimed();
    town.day = 20;
    prove(town, "bob");
    town.day = 26.9;
    expect(statusOf(town)).toBe("pending");
    town.day = 27;
    expect(statusOf(town)).toBe("in force");
  });

  test("[A-3] an outsider can't contest: a rival claim comes with its own proof", () => {
    const town = claimed();
    expect(refusalOf(() => town.enter(claimOf(THIEF, { previous: town.last() }), "thief"))).toEqual({
      code: "PROOF_NEEDED",
      rule: "A-3",
    });
  });

  test("[A-4] a thief races the first claim, the owner claims within the window: contested, nobody gains trust", () => {
    const town = makeTown();
    town.enter(claimOf(THIEF), "thief");
    town.day = 1;
    prove(town, "thief");
    town.day = 6;
    town.enter(claimOf(TEAM, { previous: town.last(), proof: "1.0.2" }), "alice bob carol");
    town.day = 12.9;
    expect(statusOf(town)).toBe("pending");
    town.day = 13;
    expect(statusOf(town)).toBe("contested");
    town.day = 400;
    expect(statusOf(town)).toBe("contested");
    expect(town.state().epoch).toBe(0);
  });

  test("[A-5] a recognised committee's endorsement is stronger, seven days after it; who doesn't recognise it sees the contest", () => {
    const recognised = new Map([[REVIEWERS, ["endorse" as const]]]);
    const town = makeTown({ recognised });
    found(town, REVIEWERS, "rita rolf", 2, ["endorse"]);
    town.enter(claimOf(THIEF), "thief");
    const thiefs = town.last();
    prove(town, "thief");
    town.enter(claimOf(TEAM, { previous: town.last(), proof: "1.0.2" }), "alice bob carol");
    const teams = town.last();
    town.day = 30;
    expect(statusOf(town)).toBe("contested");
    town.enter(
      { kind: "endorse", by: REVIEWERS, claims: new Map([[WIDGET, { claim: teams, confirms: ["b"] }]]) },
      "rita rolf",
    );
    expect(statusOf(town)).toBe("contested");
    town.day = 37;
    expect(statusOf(town)).toBe("in force");
    expect(town.state().lines[0]?.authority.digest).toBe(TEAM.digest);
    expect(town.state().divergedAt).not.toBeNull();
    expect(thiefs).not.toEqual(teams);
    town.world.recognised = new Map();
    expect(statusOf(town)).toBe("contested");
  });

  test("[A-17] a committee's member who is a claimant endorses nothing", () => {
    const town = makeTown({ recognised: new Map([[REVIEWERS, ["endorse"]]]) });
    found(town, REVIEWERS, "alice rolf", 2, ["endorse"]);
    town.enter(claimOf(TEAM), "alice bob carol");
    const claims = new Map([[WIDGET, { claim: town.last(), confirms: [] }]]);
    expect(refusalOf(() => town.enter({ kind: "endorse", by: REVIEWERS, claims }, "alice rolf"))).toEqual({
      code: "THRESHOLD",
      rule: "A-17",
    });
  });

  test("[A-17] what a rival calls his keys keeps nobody from endorsing the other claim", () => {
    const town = makeTown({ recognised: new Map([[REVIEWERS, ["endorse"]]]) });
    found(town, REVIEWERS, "rita rolf", 2, ["endorse"]);
    town.enter(claimOf(authorityOf("rita/9 rolf/9", 1)), "rita/9 rolf/9");
    const rivals = town.last();
    town.enter(claimOf(TEAM, { previous: rivals, proof: "1.0.2" }), "alice bob carol");
    const endorse = (claim: Uint8Array): unknown =>
      town.enter({ kind: "endorse", by: REVIEWERS, claims: new Map([[WIDGET, { claim, confirms: [] }]]) }, "rita rolf");
    expect(refusalOf(() => endorse(rivals))).toEqual({ code: "THRESHOLD", rule: "A-17" });
    endorse(town.last());
    town.day = 8;
    expect(statusOf(town)).toBe("in force");
    expect(town.state().lines[0]?.authority.digest).toBe(TEAM.digest);
  });

  test("[A-13] while pending, a claim's own holders release for those who pin it, a rival's for those who pin that", () => {
    const town = makeTown();
    town.enter(claimOf(TEAM), "alice bob carol");
    prove(town, "alice");
    town.enter(claimOf(THIEF, { previous: town.last(), proof: "1.0.2" }), "thief");
    town.enter(releaseOf("1.0.0"), "alice bob");
    town.enter(releaseOf("6.6.6"), "thief");
    expect(pinnedLine(town.state(), TEAM.digest)?.authority.digest).toBe(TEAM.digest);
    expect(refusalOf(() => town.enter(releaseOf("1.0.1"), "alice thief"))).toEqual({ code: "WRONG_KEY", rule: "A-1" });
    expect(refusalOf(() => town.enter(releaseOf("1.0.1"), "alice"))).toEqual({ code: "THRESHOLD", rule: "S-22" });
  });

  test("[A-3] nobody claims what is in force, and no claim stands twice", () => {
    const town = claimed();
    const again = claimOf(TEAM, { previous: town.last(), proof: "1.0.1" });
    expect(refusalOf(() => town.enter(again, "alice bob carol"))).toEqual({ code: "ALREADY_CLAIMED", rule: "S-21" });
    prove(town, "alice");
    town.day = 8;
    const rival = claimOf(THIEF, { previous: town.last(), proof: "1.0.1" });
    expect(refusalOf(() => town.enter(rival, "thief"))).toEqual({ code: "ALREADY_CLAIMED", rule: "S-21" });
  });

  test("[A-3] at most eight claims wait", () => {
    const town = claimed();
    for (let i = 1; i < 8; i++)
      town.enter(claimOf(authorityOf(`rival${i}`, 1), { previous: town.last(), proof: "1.0.1" }), `rival${i}`);
    const ninth = claimOf(THIEF, { previous: town.last(), proof: "1.0.1" });
    expect(refusalOf(() => town.enter(ninth, "thief"))).toEqual({ code: "TOO_MANY_CLAIMS", rule: "A-3" });
  });

  test("[A-3] who has filled them keeps nobody out: once they are settled the newest gives way, and what was before stays", () => {
    const town = claimed();
    for (let i = 1; i < 8; i++) {
      town.day += 1;
      town.enter(claimOf(authorityOf(`rival${i}`, 1), { previous: town.last(), proof: "1.0.1" }), `rival${i}`);
    }
    const owner = (): Said => claimOf(authorityOf("owner", 1), { previous: town.last(), proof: "1.0.2" });
    town.day += 6.9;
    expect(refusalOf(() => town.enter(owner(), "owner"))?.code).toBe("TOO_MANY_CLAIMS");
    town.day += 0.1;
    town.enter(owner(), "owner");
    const digests = (): string[] => town.state().lines.map(({ authority }) => authority.digest);
    expect(digests()).toHaveLength(8);
    expect(digests()[0]).toBe(TEAM.digest);
    expect(digests()).toContain(authorityOf("rival6", 1).digest);
    expect(digests()).not.toContain(authorityOf("rival7", 1).digest);
    expect(digests().at(-1)).toBe(authorityOf("owner", 1).digest);
    // The thief can push it out at the end of the next window only, and by a version that he publishes then.
    const again = claimOf(THIEF, { previous: town.last(), proof: "1.0.3" });
    expect(refusalOf(() => town.enter(again, "thief"))?.code).toBe("TOO_MANY_CLAIMS");
    town.day += 7;
    expect(statusOf(town)).toBe("contested");
    town.enter(releaseOf("1.0.0"), "owner");
    expect(refusalOf(() => town.enter(releaseOf("1.0.1"), "rival7"))?.code).toBe("WRONG_KEY");
  });

  test("[A-6] a proof is for a claim that waits, by its own keys", () => {
    const town = claimed();
    expect(refusalOf(() => prove(town, "thief"))).toEqual({ code: "WRONG_KEY", rule: "S-4" });
    prove(town, "carol");
    town.day = 7;
    expect(refusalOf(() => prove(town, "carol"))).toEqual({ code: "NOT_PENDING", rule: "A-6" });
  });

  test("[A-6] sixteen proofs of other letters don't keep out the first (a)", () => {
    const town = claimed();
    const claim = town.last();
    const other = { claim, letter: "b" as const, evidence: "https://git.example/widget" };
    const enter = (): unknown => town.enter({ kind: "proof", proofs: new Map([[WIDGET, other]]) }, "carol");
    for (let i = 0; i < 16; i++) enter();
    expect(refusalOf(enter)).toEqual({ code: "TOO_LARGE", rule: "A-6" });
    prove(town, "alice");
    expect(refusalOf(() => prove(town, "alice"))?.code).toBe("TOO_LARGE");
    town.day = 7;
    expect(statusOf(town)).toBe("in force");
  });

  test("[A-4] what is asked later about a settlement is what was seen then, whoever has joined since", () => {
    const town = makeTown({ recognised: new Map([[REVIEWERS, ["endorse"]]]) });
    found(town, REVIEWERS, "rita rolf", 2, ["endorse"]);
    const solo = authorityOf("alice", 1);
    town.enter(claimOf(solo), "alice");
    const claims = new Map([[WIDGET, { claim: town.last(), confirms: [] }]]);
    town.enter({ kind: "endorse", by: REVIEWERS, claims }, "rita rolf");
    town.day = 1;
    const packages = new Map([[WIDGET, { previous: town.last() }]]);
    const joined = authorityOf("alice rita", 1);
    town.enter({ kind: "change", packages, authority: joined, details: null }, "alice rita");
    town.day = 7.5;
    expect(statusOf(town)).toBe("in force");
    town.day = 8;
    expect(town.state().lines[0]!.authority).toBe(joined);
    expect(statusOf(town)).toBe("in force");
  });

  test("[A-7] a log's own id is for the authority that its operator named; a committee's is in force at once", () => {
    const operator = authorityOf("olga", 1);
    const charter = { kind: "charter" as const, committees: [REVIEWERS] };
    const town = makeTown({ charter: operator.digest });
    const id = `log:${town.world.origin}`;
    expect(refusalOf(() => town.enter(claimOf(THIEF, { id, details: charter }), "thief"))).toEqual({
      code: "NOT_CHARTERED",
      rule: "A-7",
    });
    town.enter(claimOf(operator, { id, details: charter }), "olga");
    expect(statusOf(town, id)).toBe("in force");
    found(town, REVIEWERS, "rita rolf", 2, ["hold"]);
    expect(statusOf(town, REVIEWERS)).toBe("in force");
    expect(refusalOf(() => found(town, REVIEWERS, "thief", 1, ["hold"]))).toEqual({
      code: "ALREADY_CLAIMED",
      rule: "S-21",
    });
    // A single operator's change waits, and then it is so by itself.
    const details = { kind: "charter" as const, committees: ["committee:others"] };
    const packages = new Map([[id, { previous: town.last(id) }]]);
    town.enter({ kind: "change", packages, authority: operator, details }, "olga");
    const stored = town.world.state(id)!;
    const { effectiveAt } = stored.lines[0]!.change!;
    expect(charteredCommittees(stored, effectiveAt - 1)).toEqual([REVIEWERS]);
    expect(charteredCommittees(stored, effectiveAt)).toEqual(["committee:others"]);
    expect(charteredCommittees(stored, null)).toEqual([REVIEWERS, "committee:others"]);
  });
});

function claimed(): Town {
  const town = makeTown();
  town.enter(claimOf(TEAM), "alice bob carol");
  return town;
}

function prove(town: Town, signers: string): void {
  const line = town
    .state()
    .lines.findLast(({ authority }) =>
      authority.keys.some(({ fingerprint }) => fingerprint === keyOf(signers).fingerprint),
    );
  const claim = (line ?? town.state().lines[0]!).claim.leafHash;
  const proof = { claim, letter: "a" as const, version: "1.0.1", sha512: "ab".repeat(64) };
  town.enter({ kind: "proof", proofs: new Map([[WIDGET, proof]]) }, signers);
}

function found(town: Town, id: string, members: string, m: number, powers: Parameters<typeof committee>[0]): void {
  town.enter(claimOf(authorityOf(members, m), { id, details: committee(powers) }), members);
}

function statusOf(town: Town, id?: string): string {
  const state: PackageState = town.state(id);
  return claimStatus(state, 1_800_000_000 + Math.round(town.day * 86_400));
}
