import { describe, expect, test } from "vitest";
import { type Authority, holdsOn, type Power } from "../../src/index.ts";
import { refusalOf } from "../support/refusal.ts";
import { authorityOf, claimOf, committee, makeTown, releaseOf, type Town, WIDGET } from "../support/town.ts";

const TEAM = authorityOf("alice bob carol", 2, { successors: [] });
const ERIN = authorityOf("erin", 1);
const [ONE, TWO] = ["committee:one", "committee:two"];
const BOTH = new Map<string, Power[]>([
  [ONE, ["adopt", "expedite", "hold"]],
  [TWO, ["adopt", "hold"]],
]);

describe("holds", () => {
  test("[A-18] a quorum's hold lasts until it is lifted by as many as a change needs", () => {
    const town = inForce();
    town.enter(releaseOf("1.0.0"), "alice bob");
    const hold = holdBy(town, WIDGET, "alice bob");
    town.day += 1000;
    expect(heldBy(town)).toEqual([WIDGET]);
    const lift = { kind: "lift" as const, by: WIDGET, hold };
    expect(refusalOf(() => town.enter(lift, "alice"))).toEqual({ code: "THRESHOLD", rule: "A-18" });
    town.enter(lift, "bob carol");
    expect(heldBy(town)).toEqual([]);
    expect(refusalOf(() => town.enter(lift, "bob carol"))).toEqual({ code: "NOT_PENDING", rule: "A-18" });
  });

  test("[A-18] one maintainer's hold ends after three days, and may be renewed twice", () => {
    const town = inForce();
    town.enter(releaseOf("1.0.0"), "alice bob");
    let hold = holdBy(town, WIDGET, "alice");
    for (let i = 0; i < 2; i++) {
      town.day += 2.9;
      hold = holdBy(town, WIDGET, "bob", { renews: hold });
    }
    expect(refusalOf(() => holdBy(town, WIDGET, "carol", { renews: hold }))).toEqual({
      code: "RENEWED_OUT",
      rule: "A-18",
    });
    town.day += 3.1;
    expect(heldBy(town)).toEqual([WIDGET]);
    town.day += 0.2;
    expect(heldBy(town)).toEqual([]);
    expect(refusalOf(() => holdBy(town, WIDGET, "carol", { renews: hold }))).toEqual({
      code: "NOT_PENDING",
      rule: "A-18",
    });
  });

  test("[A-18] a committee's hold of a fresh version ends by itself; an old one needs an OSV id", () => {
    const town = inForce(BOTH);
    town.enter(releaseOf("1.0.0"), "alice bob");
    holdBy(town, ONE, "olaf olga");
    expect(heldBy(town)).toEqual([ONE]);
    town.day += 14;
    expect(heldBy(town)).toEqual([]);
    town.day += 20;
    expect(refusalOf(() => holdBy(town, ONE, "olaf olga"))).toEqual({ code: "HOLD_NEEDS_OSV", rule: "A-18" });
    holdBy(town, ONE, "olaf olga", { osv: "MAL-2026-1" });
    expect(heldBy(town)).toEqual([ONE]);
  });

  test("[A-18] what one maintainer has held isn't held so again: not after its end, not after a lift, not under an id", () => {
    const again = { code: "HELD_BEFORE", rule: "A-18" };
    const town = inForce(BOTH);
    town.enter(releaseOf("1.0.0"), "alice bob");
    const hold = holdBy(town, WIDGET, "alice");
    town.enter({ kind: "lift", by: WIDGET, hold }, "bob carol");
    expect(heldBy(town)).toEqual([]);
    expect(refusalOf(() => holdBy(town, WIDGET, "alice"))).toEqual(again);
    town.day += 4;
    expect(refusalOf(() => holdBy(town, WIDGET, "carol"))).toEqual(again);
    expect(refusalOf(() => holdBy(town, WIDGET, "alice", { osv: "MAL-2026-1" }))).toEqual(again);
    holdBy(town, WIDGET, "alice bob");
    expect(heldBy(town)).toEqual([WIDGET]);
  });

  test("[A-18] nor by a committee, unless it names an id", () => {
    const town = inForce(BOTH);
    town.enter(releaseOf("1.0.0"), "alice bob");
    holdBy(town, ONE, "olaf olga");
    town.day += 14;
    expect(refusalOf(() => holdBy(town, ONE, "olaf olga"))).toEqual({ code: "HELD_BEFORE", rule: "A-18" });
    holdBy(town, TWO, "tina tom");
    holdBy(town, ONE, "olaf olga", { osv: "MAL-2026-1" });
    expect(heldBy(town)).toEqual([ONE, TWO]);
  });

  test("[A-16] who doesn't recognise the committee isn't held; [S-40] its hold is in its own chain", () => {
    const town = inForce(BOTH);
    town.enter(releaseOf("1.0.0"), "alice bob");
    const last = town.last();
    holdBy(town, ONE, "olaf olga");
    expect(town.last()).toEqual(last);
    town.world.recognised = new Map([[ONE, ["adopt"]]]);
    expect(heldBy(town)).toEqual([]);
  });

  test("[A-17] members who are holders of the package don't count; [A-16] scope, power and term bind", () => {
    const town = inForce(BOTH);
    found(town, "committee:mixed", "alice olga", 2, ["hold"]);
    found(town, "committee:scoped", "xena", 1, ["hold"], ["@acme/*"]);
    found(town, "committee:short", "yves", 1, ["hold"], ["*"], 10);
    found(town, "committee:powerless", "zoe", 1, ["review"]);
    town.enter(releaseOf("1.0.0"), "alice bob");
    expect(refusalOf(() => holdBy(town, "committee:mixed", "alice olga"))).toEqual({ code: "THRESHOLD", rule: "A-17" });
    expect(refusalOf(() => holdBy(town, "committee:scoped", "xena"))).toEqual({ code: "NO_POWER", rule: "A-16" });
    expect(refusalOf(() => holdBy(town, "committee:powerless", "zoe"))).toEqual({ code: "NO_POWER", rule: "A-16" });
    town.day += 10;
    expect(refusalOf(() => holdBy(town, "committee:short", "yves"))).toEqual({ code: "NO_POWER", rule: "A-16" });
  });
});

describe("reviews", () => {
  const reviewBy = (town: Town, by: string, signers: string, id = WIDGET): unknown => {
    const bytes = { sha512: "cd".repeat(64), tarSha512: "ef".repeat(64), base: null, tool: null };
    const one = { packageId: id, version: "1.0.0", verdict: "good" as const, ...bytes };
    return town.enter({ kind: "review", by, replaces: null, reviews: new Map([[`${id}@1.0.0`, one]]) }, signers);
  };
  const AUTHORS = "committee:authors";
  const threshold = { code: "THRESHOLD", rule: "A-19" };

  test("[A-19] by members of whom, without the package's holders, fewer than m are left are refused; the others' is not", () => {
    const town = inForce();
    found(town, AUTHORS, "alice bob/2 olaf olga", 2, ["review"]);
    for (const signers of ["olaf", "alice olaf", "bob/2 olaf", "alice bob/2"])
      expect(
        refusalOf(() => reviewBy(town, AUTHORS, signers)),
        signers,
      ).toEqual(threshold);
    reviewBy(town, AUTHORS, "alice olaf olga");
    reviewBy(town, AUTHORS, "olaf olga");
  });

  test("[A-19] each of the packages is asked for its holders", () => {
    const town = inForce();
    found(town, AUTHORS, "alice olaf", 2, ["review"]);
    reviewBy(town, AUTHORS, "alice olaf", "npm:npmjs/gadget");
    town.enter(claimOf(TEAM, { id: "npm:npmjs/gadget", proof: "0.9.0" }), "alice bob carol");
    expect(refusalOf(() => reviewBy(town, AUTHORS, "alice olaf", "npm:npmjs/gadget"))).toEqual(threshold);
  });

  test("[A-17] who claims what nobody has claimed keeps no committee from reviewing, by what he calls his keys", () => {
    const town = makeTown();
    found(town, ONE, "olaf olga", 2, ["review"]);
    town.enter(claimOf(authorityOf("olaf/9 olga/9", 1), { proof: "0.9.0" }), "olaf/9 olga/9");
    reviewBy(town, ONE, "olaf olga");
    town.day = 8;
    expect(refusalOf(() => reviewBy(town, ONE, "olaf olga"))).toEqual(threshold);
  });

  test("[A-16] power, scope and term bind", () => {
    const town = inForce();
    found(town, "committee:scoped", "xena", 1, ["review"], ["@acme/*"]);
    found(town, "committee:short", "yves", 1, ["review"], ["*"], 10);
    town.day = 20;
    for (const [by, signer] of [
      ["committee:scoped", "xena"],
      ["committee:short", "yves"],
      [ONE, "olaf olga"],
    ] as const)
      expect(
        refusalOf(() => reviewBy(town, by, signer)),
        by,
      ).toEqual({ code: "NO_POWER", rule: "A-16" });
  });
});

describe("who holds", () => {
  test("[A-17] holders who take the labels of a committee's members don't escape its holds, before or after", () => {
    const town = inForce(BOTH);
    town.enter(releaseOf("1.0.0"), "alice bob");
    holdBy(town, ONE, "olaf olga");
    const packages = new Map([[WIDGET, { previous: town.last() }]]);
    const authority = authorityOf("alice bob carol olaf/9 olga/9 tina/9", 2, { successors: [], changeThreshold: 4 });
    town.enter({ kind: "change", packages, authority, details: null }, "alice bob olaf/9 olga/9 tina/9");
    expect(heldBy(town)).toEqual([ONE]);
    holdBy(town, TWO, "tina tom");
    expect(heldBy(town)).toEqual([ONE, TWO]);
  });

  test("[A-18] a log holds nothing", () => {
    const operator = authorityOf("otto", 1);
    const town = makeTown({ charter: operator.digest });
    const id = `log:${town.world.origin}`;
    town.enter(claimOf(operator, { id, details: { kind: "charter", committees: [] } }), "otto");
    expect(refusalOf(() => holdBy(town, id, "otto"))).toEqual({ code: "NO_POWER", rule: "A-18" });
    const lift = { kind: "lift" as const, by: id, hold: town.last(id) };
    expect(refusalOf(() => town.enter(lift, "otto"))).toEqual({ code: "NOT_PENDING", rule: "A-18" });
    const claims = new Map([[WIDGET, { claim: town.last(id), confirms: [] }]]);
    expect(refusalOf(() => town.enter({ kind: "endorse", by: id, claims }, "otto"))?.code).toBe("NO_POWER");
    const review = { kind: "review" as const, by: id, replaces: null, reviews: new Map() };
    expect(refusalOf(() => town.enter(review, "otto"))?.code).toBe("NO_POWER");
  });

  test("[A-18] a committee's hold outlasts a change of its members, its threshold and its scope", () => {
    const town = inForce(BOTH);
    town.enter(releaseOf("1.0.0"), "alice bob");
    holdBy(town, ONE, "olaf olga");
    const packages = new Map([[ONE, { previous: town.last(ONE) }]]);
    const authority = authorityOf("olaf olga oscar otto", 3);
    const details = committee(["hold"], ["@acme/*"]);
    town.enter({ kind: "change", packages, authority, details }, "olaf olga oscar otto");
    expect(heldBy(town)).toEqual([ONE]);
    expect(refusalOf(() => holdBy(town, ONE, "olaf olga oscar", { osv: "MAL-2026-1" }))?.code).toBe("NO_POWER");
  });

  test("[A-18] a hold that goes on under an id was one without: it isn't made again", () => {
    const town = inForce(BOTH);
    town.enter(releaseOf("1.0.0"), "alice bob");
    const hold = holdBy(town, ONE, "olaf olga");
    town.day += 13;
    holdBy(town, ONE, "olaf olga", { renews: hold, osv: "MAL-2026-1" });
    expect(heldBy(town)).toEqual([ONE]);
    expect(refusalOf(() => holdBy(town, ONE, "olaf olga"))).toEqual({ code: "HELD_BEFORE", rule: "A-18" });
  });

  test("[A-16] an endorsement outside the committee's scope is refused, and a wider one later doesn't make it good", () => {
    const town = inForce(new Map([["committee:scoped", ["endorse"]]]));
    found(town, "committee:scoped", "xena", 1, ["endorse"], ["@acme/*"]);
    const claims = new Map([[WIDGET, { claim: town.last(), confirms: [] }]]);
    expect(refusalOf(() => town.enter({ kind: "endorse", by: "committee:scoped", claims }, "xena"))).toEqual({
      code: "NO_POWER",
      rule: "A-16",
    });
  });
});

describe("expedited releases", () => {
  test("[A-14] off by default; with a committee in a holder's place where the authority says so; never by the committee alone", () => {
    const off = inForce(BOTH);
    expect(refusalOf(() => off.enter(releaseOf("1.0.0"), "alice olaf olga"))?.code).toBe("WRONG_KEY");
    const on = inForce(BOTH, authorityOf("alice bob carol", 2, { expedite: ONE }));
    on.enter(releaseOf("1.0.0"), "alice olaf olga");
    expect(refusalOf(() => on.enter(releaseOf("1.0.1"), "olaf olga"))?.code).toBe("THRESHOLD");
    expect(refusalOf(() => on.enter(releaseOf("1.0.1"), "alice olaf"))?.code).toBe("THRESHOLD");
    on.world.recognised = new Map();
    expect(refusalOf(() => on.enter(releaseOf("1.0.1"), "alice olaf olga"))?.code).toBe("NOT_RECOGNISED");
  });
});

describe("adoption", () => {
  test("[A-21] a live package is not adopted, nor one whose mode is never", () => {
    const town = inForce(BOTH);
    town.day += 300;
    expect(refusalOf(() => adopt(town, ALL))).toEqual({ code: "NOT_DORMANT", rule: "A-21" });
    town.day += 65;
    adopt(town, ALL);
    const never = inForce(BOTH, authorityOf("alice bob carol", 2, { adoption: "never" }));
    never.day += 1000;
    expect(refusalOf(() => adopt(never, ALL))).toEqual({ code: "ADOPTION_REFUSED", rule: "A-21" });
  });

  test("[A-21] one committee is not enough, nor two of the same people, nor one that isn't recognised", () => {
    const town = inForce(BOTH);
    town.day += 400;
    const one = { ...ALL, committees: [ONE], signers: "erin olaf olga" };
    expect(refusalOf(() => adopt(town, one))).toEqual({ code: "ADOPTION_REFUSED", rule: "A-21" });
    expect(refusalOf(() => adopt(town, { ...ALL, signers: "erin olaf olga tina" }))?.code).toBe("THRESHOLD");
    found(town, "committee:same", "olaf olga", 2, ["adopt"]);
    town.world.recognised = new Map([...BOTH, ["committee:same", ["adopt"]]]);
    const same = { ...ALL, committees: [ONE, "committee:same"], signers: "erin olaf olga" };
    expect(refusalOf(() => adopt(town, same))?.code).toBe("THRESHOLD");
    town.world.recognised = new Map([[ONE, ["adopt"]]]);
    expect(refusalOf(() => adopt(town, ALL))).toEqual({ code: "NOT_RECOGNISED", rule: "A-16" });
  });

  test("[A-23] ninety days, then a new epoch: old keys are void", () => {
    const town = inForce(BOTH);
    town.enter(releaseOf("1.0.0"), "alice bob");
    town.day += 400;
    const entry = adopt(town, ALL);
    town.day += 89;
    expect(refusalOf(() => finish(town, entry))).toEqual({ code: "TOO_EARLY", rule: "A-23" });
    town.day += 1;
    expect(refusalOf(() => finish(town, entry, "alice"))?.code).toBe("WRONG_KEY");
    finish(town, entry);
    expect(town.state().epoch).toBe(2);
    town.enter(releaseOf("2.0.0"), "erin");
    expect(refusalOf(() => town.enter(releaseOf("2.0.1"), "alice bob"))?.code).toBe("WRONG_KEY");
    expect(town.state().lines[0]!.funding).toBeNull();
  });

  test("[A-22] one old key vetoes, a release or any other sign of life ends it, and a year passes before the next", () => {
    for (const live of ["veto", "release", "revoke"]) {
      const town = inForce(BOTH);
      town.day += 400;
      const entry = adopt(town, ALL);
      town.day += 80;
      if (live === "veto") town.enter({ kind: "veto", entries: new Map([[WIDGET, entry]]) }, "carol");
      if (live === "release") town.enter(releaseOf("1.0.1"), "alice bob");
      if (live === "revoke")
        town.enter({ kind: "revoke", subjects: [WIDGET], keys: [TEAM.keys[0]!.fingerprint] }, "alice");
      town.day += 10;
      expect(refusalOf(() => finish(town, entry))?.code, live).toMatch(/NOT_PENDING|SIGN_OF_LIFE/);
      expect(refusalOf(() => adopt(town, ALL))?.code, live).toBe("NOT_DORMANT");
      town.day += 365;
      adopt(town, ALL);
    }
  });

  test("[A-23] it is finished within thirty days or not at all", () => {
    const town = inForce(BOTH);
    town.day += 400;
    const entry = adopt(town, ALL);
    town.day += 120;
    expect(refusalOf(() => finish(town, entry))).toEqual({ code: "NOT_PENDING", rule: "A-23" });
  });

  test("[A-21] a declared successor needs no committee and 21 days, an open package's candidate neither", () => {
    for (const authority of [
      authorityOf("alice bob carol", 2, { successors: [ERIN.keys[0]!.fingerprint] }),
      authorityOf("alice bob carol", 2, { adoption: "open" }),
    ]) {
      const town = inForce(BOTH, authority);
      town.day += 400;
      const entry = adopt(town, { committees: [], signers: "erin" });
      town.day += 20.9;
      expect(refusalOf(() => finish(town, entry))?.code).toBe("TOO_EARLY");
      town.day += 0.1;
      finish(town, entry);
    }
  });

  test("[A-21] a key that the line has revoked adopts nothing", () => {
    const carol = authorityOf("carol", 1);
    const town = inForce(BOTH, authorityOf("alice bob carol", 2, { adoption: "open" }));
    town.enter({ kind: "revoke", subjects: [WIDGET], keys: [carol.keys[0]!.fingerprint] }, "alice bob");
    town.day += 400;
    const packageId = WIDGET;
    const adoption = { kind: "adopt" as const, packageId, previous: town.last(), authority: carol, committees: [] };
    expect(refusalOf(() => town.enter(adoption, "carol"))).toEqual({ code: "REVOKED_KEY", rule: "A-12" });
  });

  test("[A-16] two committees of the adopter's own adopt nothing for who recognises neither: the old authority stands", () => {
    const log = inForce(BOTH);
    log.day += 400;
    const consumer = inForce(new Map(), TEAM, true);
    consumer.day += 400;
    for (const town of [log, consumer]) {
      const entry = adopt(town, ALL);
      town.day += 90;
      finish(town, entry);
    }
    log.enter(releaseOf("2.0.0"), "erin");
    expect(consumer.state().epoch).toBe(1);
    expect(consumer.state().lines[0]!.authority.digest).toBe(TEAM.digest);
    expect(consumer.state().divergedAt).not.toBeNull();
    expect(refusalOf(() => consumer.enter(releaseOf("2.0.0"), "erin"))?.code).toBe("WRONG_KEY");
    consumer.enter(releaseOf("1.0.1"), "alice bob");
  });
});

const ALL = { committees: [ONE, TWO], signers: "erin olaf olga tina tom" };

function inForce(recognised = new Map<string, Power[]>(), authority: Authority = TEAM, lenient = false): Town {
  const town = makeTown({ recognised, lenient });
  found(town, ONE, "olaf olga", 2, ["adopt", "expedite", "hold"]);
  found(town, TWO, "tina tom", 2, ["adopt", "hold"]);
  town.enter(claimOf(authority, { proof: "0.9.0" }), "alice bob carol");
  town.day = 10;
  return town;
}

function found(
  town: Town,
  id: string,
  members: string,
  m: number,
  powers: Power[],
  scope?: string[],
  days?: number,
): void {
  town.enter(claimOf(authorityOf(members, m), { id, details: committee(powers, scope, days) }), members);
}

function holdBy(town: Town, by: string, signers: string, more: { osv?: string; renews?: Uint8Array } = {}): Uint8Array {
  const { osv = null, renews = null } = more;
  return town.enter({ kind: "hold", by, releases: [`${WIDGET}@1.0.0`], reason: "odd", osv, renews }, signers);
}

function heldBy(town: Town): string[] {
  const time = 1_800_000_000 + Math.round(town.day * 86_400);
  const released = town.world.releaseTime(`${WIDGET}@1.0.0`) ?? null;
  return holdsOn(town.state(), WIDGET, "1.0.0", released, time, town.world).map(({ by }) => by);
}

function adopt(town: Town, { committees, signers }: { committees: string[]; signers: string }): Uint8Array {
  return town.enter({ kind: "adopt", packageId: WIDGET, previous: town.last(), authority: ERIN, committees }, signers);
}

function finish(town: Town, adoption: Uint8Array, signers = "erin"): void {
  town.enter({ kind: "adopt-final", packageId: WIDGET, adoption }, signers);
}
