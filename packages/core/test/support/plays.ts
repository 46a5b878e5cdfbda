import { expect } from "vitest";
import { type Authority, type Power, WINDOWS } from "../../src/index.ts";
import { authorityOf, claimOf, committee, keyOf, makeTown, releaseOf, type Town, WIDGET } from "./town.ts";

/** A town in which a transition is about to happen. */
export interface Play {
  town: Town;
  /** Enters the statement; left out where time alone acts. */
  act?: () => void;
  id?: string;
}

/** Each transition by its name: from, kind or time, window, to and rule. */
export const PLAYS: Record<string, () => Play> = {
  "unclaimed: claim, claim: pending [A-3]": () => {
    const town = makeTown();
    return { town, act: () => town.enter(claimOf(TEAM), EVERYBODY) };
  },
  "unclaimed: claim: in force [A-7]": () => {
    const town = makeTown();
    const act = (): void => found(town, ONE, "olaf olga", ["adopt"]);
    return { town, act, id: ONE };
  },
  "pending: proof, claim: pending [A-4]": () => {
    const town = claimed();
    town.day = 3;
    return { town, act: () => prove(town, TEAM, "alice") };
  },
  "pending: claim, claim: pending [A-3]": () => {
    const town = claimed();
    town.day = 3;
    return { town, act: () => rival(town) };
  },
  "pending: time, claim: in force [A-4]": () => {
    const town = claimed();
    prove(town, TEAM, "bob");
    return { town };
  },
  "pending: time, claim: unproven [A-4]": () => ({ town: claimed() }),
  "pending: time, claim: contested [A-4]": () => {
    const town = claimed();
    prove(town, TEAM, "carol");
    rival(town);
    return { town };
  },
  "unproven: proof, claim: pending [A-4]": () => {
    const town = claimed();
    town.day = 100;
    return { town, act: () => prove(town, TEAM, "alice") };
  },
  "unproven: claim, claim: pending [A-3]": () => {
    const town = claimed();
    town.day = 100;
    return { town, act: () => rival(town) };
  },
  "unproven: time, claim: in force [A-5]": () => {
    const town = claimed();
    town.day = 50;
    endorse(town);
    return { town };
  },
  "contested: proof, claim: pending [A-4]": () => {
    const town = claimed();
    rival(town);
    rival(town, "trudy");
    town.day = 50;
    return { town, act: () => prove(town, TEAM, "alice") };
  },
  "contested: claim, claim: pending [A-3]": () => {
    const town = contested();
    return { town, act: () => rival(town, "trudy") };
  },
  "contested: time, claim: in force [A-5]": () => {
    const town = contested();
    endorse(town);
    return { town };
  },
  "in force: release: in force [S-22]": () => {
    const town = inForce();
    return { town, act: () => town.enter(releaseOf("1.0.0"), "alice bob") };
  },
  "in force: release: in force [A-14]": () => {
    const town = inForce(authorityOf("alice bob carol", 2, { expedite: ONE }), "alice bob carol");
    return { town, act: () => town.enter(releaseOf("1.0.0"), "alice olaf olga") };
  },
  "in force: change: in force [A-9]": () => {
    const town = inForce();
    return { town, act: () => change(town, FOUR, "alice bob dave") };
  },
  "in force: change, lowering: change waits [A-9]": () => {
    const town = inForce();
    return { town, act: () => change(town, LOWER, "alice bob") };
  },
  "in force: change, solo: change waits [A-9]": () => {
    const town = inForce(SOLO, "alice alice/2");
    return { town, act: () => change(town, MALLORY, "alice mallory") };
  },
  "change waits: time, lowering: in force [A-2]": () => {
    const town = inForce();
    change(town, LOWER, "alice bob");
    return { town };
  },
  "change waits: time, solo: in force [A-2]": () => {
    const town = inForce(SOLO, "alice alice/2");
    change(town, authorityOf("alice alice/2 bob", 1), "alice bob");
    return { town };
  },
  "change waits: change, lowering: change waits [A-11]": () => {
    const town = inForce();
    change(town, LOWER, "alice bob");
    town.day += 13;
    return { town, act: () => change(town, LOWER_STILL, "bob carol") };
  },
  "change waits: veto: in force [A-15]": () => {
    const town = inForce(SOLO, "alice alice/2");
    const entry = change(town, MALLORY, "alice mallory");
    return { town, act: () => veto(town, entry, "alice/2") };
  },
  "in force: change, recovery: recovery waits [A-10]": () => {
    const town = inForce();
    return { town, act: () => change(town, NEW_TEAM, "rudi ruth dave") };
  },
  "frozen: change, recovery: recovery waits [A-10]": () => {
    const town = frozen();
    return { town, act: () => change(town, NEW_TEAM, "rudi ruth dave") };
  },
  "recovery waits: time, recovery: in force [A-10]": () => {
    const town = frozen();
    change(town, NEW_TEAM, "rudi ruth dave");
    return { town };
  },
  "recovery waits: veto: in force [A-15]": () => {
    const town = inForce();
    const entry = change(town, NEW_TEAM, "rudi ruth dave");
    return { town, act: () => veto(town, entry, "carol") };
  },
  "recovery waits: change: in force [A-11]": () => {
    const town = inForce();
    change(town, NEW_TEAM, "rudi ruth dave");
    return { town, act: () => change(town, FOUR, "alice bob dave") };
  },
  "recovery waits: veto: frozen [A-15]": () => {
    const town = frozen();
    const entry = change(town, NEW_TEAM, "rudi ruth dave");
    return { town, act: () => veto(town, entry, "rosa") };
  },
  "in force: funding, funding: funding waits [A-24]": () => {
    const town = inForce();
    return { town, act: () => fund(town) };
  },
  "funding waits: time, funding: in force [A-24]": () => {
    const town = inForce();
    fund(town);
    return { town };
  },
  "funding waits: veto: in force [A-15]": () => {
    const town = inForce();
    const entry = fund(town);
    return { town, act: () => veto(town, entry, "rudi") };
  },
  "in force: revoke: in force [A-12]": () => {
    const town = inForce();
    return { town, act: () => revoke(town, "carol", "alice bob") };
  },
  "in force: revoke: frozen [A-12]": () => {
    const town = inForce();
    revoke(town, "alice", "alice");
    return { town, act: () => revoke(town, "bob", "bob") };
  },
  "in force: adopt, adoption: adoption waits [A-21]": () => {
    const town = orphan();
    return { town, act: () => adopt(town) };
  },
  "in force: adopt, succession: adoption waits [A-21]": () => {
    const town = orphan(OPEN);
    return { town, act: () => adopt(town, []) };
  },
  "frozen: adopt, adoption: adoption waits [A-21]": () => {
    const town = frozen();
    town.day += 365;
    return { town, act: () => adopt(town) };
  },
  "adoption waits: veto: in force [A-22]": () => {
    const town = orphan();
    const entry = adopt(town);
    return { town, act: () => veto(town, entry, "carol") };
  },
  "adoption waits: time, adoption: adoption may be finished [A-23]": () => {
    const town = orphan();
    adopt(town);
    return { town };
  },
  "adoption waits: time, succession: adoption may be finished [A-23]": () => {
    const town = orphan(OPEN);
    adopt(town, []);
    return { town };
  },
  "adoption may be finished: veto: in force [A-22]": () => {
    const town = orphan();
    const entry = adopt(town);
    town.day += WINDOWS.adoption.days;
    return { town, act: () => veto(town, entry, "carol") };
  },
  "adoption may be finished: time, finish: in force [A-23]": () => {
    const town = orphan();
    adopt(town);
    town.day += WINDOWS.adoption.days;
    return { town };
  },
  "adoption may be finished: adopt-final: in force [A-23]": () => {
    const town = orphan();
    const adoption = adopt(town);
    town.day += WINDOWS.adoption.days;
    const act = (): void => {
      town.enter({ kind: "adopt-final", packageId: WIDGET, adoption }, "erin");
      expect(town.state().epoch).toBe(2);
    };
    return { town, act };
  },
};

const RECOVERERS = "rudi ruth rosa";
const TEAM = authorityOf("alice bob carol", 2, { recoverers: RECOVERERS });
const SOLO = authorityOf("alice alice/2", 1);
const [ONE, TWO] = ["committee:one", "committee:two"];
const RECOGNISED = new Map<string, Power[]>([
  [ONE, ["adopt", "endorse", "expedite"]],
  [TWO, ["adopt"]],
]);

const EVERYBODY = `alice bob carol ${RECOVERERS}`;
const FOUR = authorityOf("alice bob carol dave", 2, { changeThreshold: 3, recoverers: RECOVERERS });
const LOWER = authorityOf("alice bob carol", 1, { changeThreshold: 2, recoverers: RECOVERERS });
const LOWER_STILL = authorityOf("alice bob", 1, { changeThreshold: 2, recoverers: RECOVERERS });
const NEW_TEAM = authorityOf("rudi ruth dave", 2);
const MALLORY = authorityOf("mallory", 1);
const OPEN = authorityOf("alice bob carol", 2, { adoption: "open", recoverers: RECOVERERS });

function claimed(): Town {
  const town = makeTown({ recognised: RECOGNISED });
  found(town, ONE, "olaf olga", ["adopt", "endorse", "expedite"]);
  found(town, TWO, "tina tom", ["adopt"]);
  town.enter(claimOf(TEAM), EVERYBODY);
  return town;
}

function contested(): Town {
  const town = claimed();
  prove(town, TEAM, "carol");
  rival(town);
  town.day = 50;
  return town;
}

function inForce(authority: Authority = TEAM, signers = EVERYBODY): Town {
  const town = makeTown({ recognised: RECOGNISED });
  found(town, ONE, "olaf olga", ["adopt", "endorse", "expedite"]);
  found(town, TWO, "tina tom", ["adopt"]);
  town.enter(claimOf(authority, { proof: "0.9.0" }), signers);
  town.day = 10;
  return town;
}

function frozen(): Town {
  const town = inForce();
  revoke(town, "alice", "alice");
  revoke(town, "bob", "bob");
  return town;
}

function orphan(authority: Authority = TEAM): Town {
  const town = inForce(authority);
  town.day = 365;
  return town;
}

function found(town: Town, id: string, members: string, powers: Power[]): void {
  town.enter(claimOf(authorityOf(members, 2), { id, details: committee(powers) }), members);
}

function rival(town: Town, name = "mallory"): void {
  town.enter(claimOf(authorityOf(name, 1), { previous: town.last(), proof: "1.0.2" }), name);
}

/** A recognised committee says that the first claim is by whom it says. */
function endorse(town: Town): void {
  const claim = town.state().lines[0]!.claim.leafHash;
  const claims = new Map([[WIDGET, { claim, confirms: [] }]]);
  town.enter({ kind: "endorse", by: ONE, claims }, "olaf olga");
}

function prove(town: Town, authority: Authority, signer: string): void {
  const line = town.state().lines.find((candidate) => candidate.authority === authority)!;
  const proof = { claim: line.claim.leafHash, letter: "a" as const, version: "1.0.1", sha512: "ab".repeat(64) };
  town.enter({ kind: "proof", proofs: new Map([[WIDGET, proof]]) }, signer);
}

function change(town: Town, authority: Authority, signers: string): Uint8Array {
  const packages = new Map([[WIDGET, { previous: town.last() }]]);
  return town.enter({ kind: "change", packages, authority, details: null }, signers);
}

function revoke(town: Town, name: string, signers: string): void {
  town.enter({ kind: "revoke", subjects: [WIDGET], keys: [keyOf(name).fingerprint] }, signers);
}

function veto(town: Town, entry: Uint8Array, signer: string): void {
  town.enter({ kind: "veto", entries: new Map([[WIDGET, entry]]) }, signer);
}

function fund(town: Town): Uint8Array {
  const packages = new Map([[WIDGET, { previous: town.last() }]]);
  const channels = [{ type: "open-collective", address: "https://pay.example/widget" }];
  return town.enter({ kind: "funding", packages, channels, manifest: null, needs: null }, "alice bob");
}

function adopt(town: Town, committees: string[] = [ONE, TWO]): Uint8Array {
  const authority = authorityOf("erin", 1);
  const signers = committees.length === 0 ? "erin" : "erin olaf olga tina tom";
  return town.enter({ kind: "adopt", packageId: WIDGET, previous: town.last(), authority, committees }, signers);
}
