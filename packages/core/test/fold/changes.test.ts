import { describe, expect, test } from "vitest";
import { type Authority, claimStatus, encodeAuthority, parseAuthority } from "../../src/index.ts";
import { nobleCrypto } from "../../src/noble.ts";
import { refusalOf } from "../support/refusal.ts";
import { authorityOf, claimOf, keyOf, makeTown, releaseOf, type Said, type Town, WIDGET } from "../support/town.ts";

const TEAM = authorityOf("alice bob carol", 2, { recoverers: "rudi ruth rosa" });

describe("releases", () => {
  test("[S-22] two of three release; [S-5] two keys of one holder are one vote; a stranger is none", () => {
    const town = inForce(authorityOf("alice alice/2 bob carol", 2), "alice alice/2 bob carol");
    town.enter(releaseOf("1.0.0"), "alice bob");
    expect(refusalOf(() => town.enter(releaseOf("1.0.1"), "alice alice/2"))).toEqual({
      code: "THRESHOLD",
      rule: "S-22",
    });
    expect(refusalOf(() => town.enter(releaseOf("1.0.1"), "thief"))).toEqual({ code: "WRONG_KEY", rule: "S-4" });
  });

  test("[S-24] recovery keys release nothing; [S-8] a statement for another log is refused", () => {
    const town = inForce(TEAM);
    expect(refusalOf(() => town.enter(releaseOf("1.0.0"), "alice rudi"))).toEqual({ code: "WRONG_KEY", rule: "S-4" });
    const elsewhere = { ...releaseOf("1.0.0"), logs: ["other.example"] } as Said;
    expect(refusalOf(() => town.enter(elsewhere, "alice bob"))).toEqual({ code: "WRONG_LOG", rule: "S-8" });
  });
});

describe("changes", () => {
  test("[A-8] one rogue maintainer can't lower the threshold", () => {
    const town = inForce(TEAM);
    const alone = authorityOf("alice bob carol", 1);
    expect(refusalOf(() => change(town, alone, "alice"))).toEqual({ code: "THRESHOLD", rule: "A-8" });
  });

  test("[A-9] a quorum's lowering waits fourteen days", () => {
    const town = inForce(TEAM);
    change(town, authorityOf("alice bob carol", 1, { changeThreshold: 2 }), "alice bob");
    town.day += 13.9;
    expect(town.state().lines[0]!.authority.releaseThreshold).toBe(2);
    town.day += 0.1;
    expect(town.state().lines[0]!.authority.releaseThreshold).toBe(1);
  });

  test("[A-9] to add a holder takes effect at once; [A-8] a new key without possession is refused", () => {
    const town = inForce(TEAM);
    const four = authorityOf("alice bob carol dave", 2, { changeThreshold: 3, recoverers: "rudi ruth rosa" });
    expect(refusalOf(() => change(town, four, "alice bob"))).toEqual({ code: "MISSING_POSSESSION", rule: "A-8" });
    change(town, four, "alice bob dave");
    town.enter(releaseOf("1.0.0"), "carol dave");
  });

  test("[A-9] a holder is left out after fourteen days, or at once if they signed; another key under the label is another person", () => {
    const town = inForce(TEAM);
    change(town, authorityOf("alice bob carol/2", 2), "alice bob carol/2");
    expect(refusalOf(() => town.enter(releaseOf("1.0.0"), "alice carol/2"))?.code).toBe("WRONG_KEY");
    town.day += 14;
    town.enter(releaseOf("1.0.0"), "alice carol/2");
    change(town, authorityOf("alice bob", 2), "alice carol/2");
    expect(town.state().lines[0]!.authority.keys).toHaveLength(2);
  });

  test("[A-8] of two changes with one previous the second is void", () => {
    const town = inForce(TEAM);
    const previous = town.last();
    const packages = new Map([[WIDGET, { previous }]]);
    const dave = authorityOf("alice bob carol dave", 2, { changeThreshold: 3 });
    const erin = authorityOf("alice bob carol erin", 2, { changeThreshold: 3 });
    town.enter({ kind: "change", packages, authority: dave, details: null }, "alice bob dave");
    expect(
      refusalOf(() => town.enter({ kind: "change", packages, authority: erin, details: null }, "alice carol erin")),
    ).toEqual({ code: "WRONG_PREVIOUS", rule: "A-8" });
  });

  test("[A-11] a change by holders replaces one that waits, and ends a recovery", () => {
    const town = inForce(TEAM);
    change(town, authorityOf("rudi ruth", 2), "rudi ruth");
    change(town, authorityOf("alice bob carol", 1, { changeThreshold: 2 }), "alice bob");
    expect(town.state().lines[0]!.recovery).toBeNull();
    change(town, authorityOf("alice bob carol", 2, { changeThreshold: 3 }), "alice bob");
    town.day += 100;
    expect(town.state().lines[0]!.authority.releaseThreshold).toBe(2);
    expect(town.state().lines[0]!.authority.changeThreshold).toBe(3);
  });

  test("[A-9] a single holder's change waits seven days, and the backup key says no", () => {
    const town = inForce(authorityOf("alice alice/2", 1), "alice alice/2");
    const stolen = authorityOf("mallory", 1);
    const entry = change(town, stolen, "alice mallory");
    town.day += 6.9;
    veto(town, entry, "alice/2");
    town.day += 100;
    expect(town.state().lines[0]!.authority.keys[0]!.holder).toBe("alice");
    const second = change(town, authorityOf("alice alice/2 alice/3", 1), "alice alice/3");
    expect(town.state().lines[0]!.change?.window).toBe("solo");
    town.day += 7;
    expect(town.state().lines[0]!.authority.keys).toHaveLength(3);
    expect(refusalOf(() => veto(town, second, "alice"))).toBeNull(); // the last entry: a sign of life
    expect(town.state().lines[0]!.authority.keys).toHaveLength(3);
  });
});

describe("a holder's label", () => {
  test("[A-9] a key put under another's label is a vote less: that waits, unless its holder signs", () => {
    const merged = parseAuthority(
      nobleCrypto,
      encodeAuthority({
        keys: ["alice", "bob", "carol"].map((name) => ({
          holder: name === "carol" ? "bob" : name,
          record: keyOf(name).key.record,
        })),
        releaseThreshold: 2,
      }),
    );
    const town = inForce(TEAM);
    change(town, merged, "alice bob");
    expect(town.state().lines[0]!.change?.window).toBe("lowering");
    town.enter(releaseOf("1.0.0"), "bob carol");
    change(town, merged, "alice carol");
    expect(refusalOf(() => town.enter(releaseOf("1.0.1"), "bob carol"))?.code).toBe("THRESHOLD");
  });
});

describe("rival claims", () => {
  const rivals = (): { town: Town; second: Authority } => {
    const town = makeTown();
    const second = authorityOf("alice zoe", 2, { recoverers: "rudi ruth" });
    town.enter(claimOf(TEAM), "alice bob carol rudi ruth rosa");
    town.enter(claimOf(second, { previous: town.last(), proof: "1.0.2" }), "alice zoe rudi ruth");
    return { town, second };
  };

  test("[A-1] a change is judged by the claim that its signers are of, though every key of it is listed", () => {
    const { town, second } = rivals();
    change(town, authorityOf("alice bob carol dave", 2, { changeThreshold: 3 }), "alice bob dave");
    expect(town.state().lines.map(({ authority }) => authority.keys.length)).toEqual([4, 2]);
    expect(town.state().lines[1]!.authority).toBe(second);
  });

  test("[A-1] a veto reaches the claim in which its entry waits, by a key that is of a newer one too", () => {
    const { town } = rivals();
    const entry = change(town, authorityOf("mallory", 1), "rosa rudi mallory");
    expect(town.state().lines[0]!.recovery).not.toBeNull();
    veto(town, entry, "rudi");
    expect(town.state().lines[0]!.recovery).toBeNull();
  });

  test("[A-1] a key that revokes itself is void in every claim that lists it", () => {
    const { town } = rivals();
    revoke(town, "alice", "alice");
    expect(town.state().lines.map(({ revoked }) => revoked.size)).toEqual([1, 1]);
    expect(refusalOf(() => town.enter(releaseOf("1.0.0"), "alice bob"))?.code).toBe("REVOKED_KEY");
  });
});

describe("revocation", () => {
  test("[A-12] a stolen key revokes itself at once; what it signed before stays good, what it signs after doesn't", () => {
    const town = inForce(TEAM);
    town.enter(releaseOf("1.0.0"), "alice bob");
    revoke(town, "alice", "alice");
    expect(refusalOf(() => town.enter(releaseOf("1.0.1"), "alice bob"))).toEqual({ code: "REVOKED_KEY", rule: "A-12" });
    town.enter(releaseOf("1.0.1"), "bob carol");
  });

  test("[A-12] one holder can't revoke another's key; a quorum can", () => {
    const town = inForce(TEAM);
    expect(refusalOf(() => revoke(town, "bob", "alice"))).toEqual({ code: "THRESHOLD", rule: "A-12" });
    revoke(town, "bob", "alice carol");
    expect(refusalOf(() => revoke(town, "bob", "alice carol"))).toEqual({ code: "REVOKED_KEY", rule: "A-12" });
    expect(refusalOf(() => revoke(town, "thief", "alice carol"))).toEqual({ code: "WRONG_KEY", rule: "A-12" });
  });

  test("[A-12] a single holder revokes a key of her own, and no recovery key: those revoke themselves", () => {
    const town = inForce(authorityOf("alice alice/2", 1, { recoverers: "rudi ruth" }), "alice alice/2 rudi ruth");
    expect(refusalOf(() => revoke(town, "rudi", "alice"))).toEqual({ code: "WRONG_KEY", rule: "A-12" });
    revoke(town, "rudi", "rudi");
    revoke(town, "alice/2", "alice");
  });

  test("[A-12] of a single holder's two keys the quicker one revokes the other; its thief then neither gets the package nor loses it", () => {
    const town = inForce(
      authorityOf("alice alice/2", 1, { recoverers: "rudi ruth rosa" }),
      "alice alice/2 rudi ruth rosa",
    );
    revoke(town, "alice/2", "alice");
    expect(refusalOf(() => revoke(town, "alice", "alice/2"))?.code).toBe("REVOKED_KEY");
    const own = change(town, authorityOf("thief", 1), "alice thief");
    veto(town, own, "rosa");
    const recovery = change(town, authorityOf("alice/3", 1), "rudi ruth alice/3");
    veto(town, recovery, "alice");
    expect(refusalOf(() => revoke(town, "alice", "rudi ruth rosa"))).toEqual({ code: "THRESHOLD", rule: "A-12" });
    town.enter(releaseOf("6.6.6"), "alice");
  });

  test("[A-12] with a second holder a stolen key revokes nothing but itself, and the others revoke it at once", () => {
    const town = inForce(authorityOf("alice alice/2 bob", 1), "alice alice/2 bob");
    expect(refusalOf(() => revoke(town, "alice/2", "alice"))).toEqual({ code: "THRESHOLD", rule: "A-12" });
    expect(refusalOf(() => revoke(town, "bob", "alice"))).toEqual({ code: "THRESHOLD", rule: "A-12" });
    revoke(town, "alice", "alice/2 bob");
    expect(refusalOf(() => town.enter(releaseOf("6.6.6"), "alice"))?.code).toBe("REVOKED_KEY");
    town.enter(releaseOf("1.0.0"), "bob");
  });

  test("[A-12] below the threshold the package is frozen, until it is changed", () => {
    const town = inForce(TEAM);
    revoke(town, "alice", "alice");
    revoke(town, "bob", "bob");
    expect(claimStatus(town.state(), Number.MAX_SAFE_INTEGER)).toBe("frozen");
    expect(refusalOf(() => town.enter(releaseOf("1.0.1"), "carol"))).toEqual({ code: "FROZEN", rule: "A-12" });
    change(town, authorityOf("carol rudi", 1, { changeThreshold: 2 }), "rudi ruth");
    town.day += 30;
    town.enter(releaseOf("1.0.1"), "carol");
  });

  test("[A-8] a change doesn't list a revoked key", () => {
    const town = inForce(TEAM);
    revoke(town, "alice", "alice");
    expect(refusalOf(() => change(town, authorityOf("alice bob carol dave", 3), "bob carol dave"))?.code).toBe(
      "REVOKED_KEY",
    );
  });
});

describe("recovery and veto", () => {
  test("[A-10] all keys lost: two of three recover after thirty days", () => {
    const town = inForce(TEAM);
    change(town, authorityOf("dora emil", 2), "rudi rosa dora emil");
    town.day += 29.9;
    expect(refusalOf(() => town.enter(releaseOf("1.0.0"), "dora emil"))?.code).toBe("WRONG_KEY");
    town.day += 0.1;
    town.enter(releaseOf("1.0.0"), "dora emil");
    expect(town.state().epoch).toBe(1);
  });

  test("[A-15] one surviving key vetoes a recovery; one recovery holder is not enough to begin it", () => {
    const town = inForce(TEAM);
    expect(refusalOf(() => change(town, authorityOf("rudi", 1), "rudi"))?.code).toBe("THRESHOLD");
    const entry = change(town, authorityOf("dora", 1), "rudi rosa dora");
    town.day += 29;
    veto(town, entry, "carol");
    town.day += 100;
    expect(refusalOf(() => town.enter(releaseOf("1.0.0"), "dora"))?.code).toBe("WRONG_KEY");
  });

  test("[A-15] strangers and revoked keys veto nothing; a quorum's lowering can't be vetoed; old entries neither", () => {
    const town = inForce(TEAM);
    const first = town.last();
    const entry = change(town, authorityOf("dora", 1), "rudi rosa dora");
    expect(refusalOf(() => veto(town, entry, "thief"))?.code).toBe("WRONG_KEY");
    revoke(town, "carol", "carol");
    expect(refusalOf(() => veto(town, entry, "carol"))?.code).toBe("REVOKED_KEY");
    expect(refusalOf(() => veto(town, first, "bob"))).toEqual({ code: "NOT_PENDING", rule: "A-15" });
    veto(town, entry, "bob");
    const lowering = change(town, authorityOf("alice bob", 1, { changeThreshold: 2 }), "alice bob");
    expect(refusalOf(() => veto(town, lowering, "alice"))).toEqual({ code: "TOO_EARLY", rule: "A-15" });
    town.day += 1;
    veto(town, lowering, "alice");
    town.day += 13;
    expect(town.state().lines[0]!.authority.releaseThreshold).toBe(1);
  });
});

describe("funding", () => {
  const collective = { type: "open-collective", address: "https://pay.example/widget" };

  test("[A-24] an address changed today is not paid today, and one key vetoes", () => {
    const town = inForce(TEAM);
    fund(town, [collective], "alice bob");
    town.day += 13.9;
    expect(town.state().lines[0]!.funding).toBeNull();
    town.day += 0.1;
    expect(town.state().lines[0]!.funding?.channels).toEqual([collective]);
    const entry = fund(town, [{ type: "bank", address: "thief" }], "alice bob");
    veto(town, entry, "carol");
    town.day += 100;
    expect(town.state().lines[0]!.funding?.channels).toEqual([collective]);
    fund(town, [collective], "alice bob", 500);
    expect(town.state().lines[0]!.funding?.needs).toEqual({ currency: "EUR", monthly: 500 });
    expect(refusalOf(() => fund(town, [], "alice"))).toEqual({ code: "THRESHOLD", rule: "A-24" });
    fund(town, [collective], "alice bob", 500, "12".repeat(32));
    expect(town.state().lines[0]!.funding?.manifest, "a manifest names addresses too").toBeNull();
  });
});

function inForce(authority: Authority, signers = "alice bob carol rudi ruth rosa"): Town {
  const town = makeTown();
  town.enter(claimOf(authority, { proof: "0.9.0" }), signers);
  town.day = 10;
  return town;
}

function change(town: Town, authority: Authority, signers: string): Uint8Array {
  const packages = new Map([[WIDGET, { previous: town.last() }]]);
  return town.enter({ kind: "change", packages, authority, details: null }, signers);
}

function revoke(town: Town, name: string, signers: string): void {
  town.enter({ kind: "revoke", subjects: [WIDGET], keys: [keyOf(name).fingerprint] }, signers);
}

function veto(town: Town, entry: Uint8Array, signers: string): void {
  town.enter({ kind: "veto", entries: new Map([[WIDGET, entry]]) }, signers);
}

function fund(
  town: Town,
  channels: { type: string; address: string }[],
  signers: string,
  monthly?: number,
  manifest: string | null = null,
): Uint8Array {
  const packages = new Map([[WIDGET, { previous: town.last() }]]);
  const needs = monthly === undefined ? null : { currency: "EUR", monthly };
  return town.enter({ kind: "funding", packages, channels, manifest, needs }, signers);
}
