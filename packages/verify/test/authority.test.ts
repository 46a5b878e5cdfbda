import { encodeUtf8 } from "@touchmark/core";
import { encodeEvidence, type Evidence, parseEntry } from "@touchmark/log";
import { describe, expect, test } from "vitest";
import { encodeCompanion, parseCompanion } from "../src/evidence/companion.ts";
import type { Pin } from "../src/evidence/pin.ts";
import {
  alice,
  bob,
  carol,
  changePayload,
  claimedScene,
  codes,
  digestOf,
  erin,
  found,
  GOOD,
  makeScene,
  olaf,
  olga,
  ONE,
  proofPayload,
  revokePayload,
  type Scene,
  TWO,
  WIDGET,
  xena,
  yves,
} from "./support/scene.ts";
import { thief } from "./support/widget.ts";

const OTHER = digestOf("other bytes");

/** Committees one and two, recognised for adoptions. */
function adopters(scene: Scene) {
  return {
    [ONE]: found(scene, ONE, [olaf, olga], ["adopt"]),
    [TWO]: found(scene, TWO, [xena, yves], ["adopt"]),
  };
}
const SEATS = [olaf, olga, xena, yves];

/** Claimed, released, dormant for a year, and adopted by erin with two committees. */
function adoptedScene() {
  const scene = claimedScene();
  const committees = adopters(scene);
  const before = scene.release("1.0.0");
  const pin: Pin = { authority: scene.claimed.authority, epoch: 1, entry: scene.claimed.entry, proof: ["a"] };
  scene.day += 400;
  const { entry } = scene.adopt([erin], [ONE, TWO], SEATS, 90);
  scene.release("2.0.0", [erin]);
  scene.release("2.0.1", [alice, bob]); // a cheating log: the old keys are void
  return { scene, committees, pin, entry, before };
}

describe("[V-12] a claim in force by its proof counts", () => {
  test("A4, A32: with (a) after seven days, never without", () => {
    const scene = makeScene();
    scene.claim();
    scene.release("1.0.0");
    scene.day = 6.9;
    expect(scene.verdict({ version: "1.0.1" })).toMatchObject({
      status: "accepted",
      basis: "unclaimed",
      reasons: [{ code: "CLAIM_PENDING" }],
    });
    scene.day = 7;
    expect(scene.verdict({})).toMatchObject({ status: "accepted", basis: "release", signers: ["alice", "bob"] });
    expect(codes(scene.verdict({ version: "1.0.1" }))).toEqual(["rejected", "NOT_SIGNED V-18"]);
    const unproven = claimedScene({ proof: false });
    unproven.release("1.0.0");
    unproven.day = 1000;
    expect(unproven.verdict({ sha512: OTHER })).toMatchObject({ status: "accepted", basis: "unclaimed" });
  });

  test("A4: two with the same proof are contested, and neither counts unless it is pinned", () => {
    const scene = makeScene();
    const stolen = scene.claim({ keys: [thief], threshold: 1 });
    scene.day = 5;
    const own = scene.claim();
    scene.release("1.0.0", [alice, bob]);
    scene.release("1.0.0", [thief], OTHER);
    scene.day = 400;
    const verdict = scene.verdict({});
    expect(verdict).toMatchObject({ status: "accepted", basis: "unclaimed" });
    expect(verdict.reasons[0]!.message).toContain("contested");
    const pinned = { rule: { authority: own.authority } };
    expect(scene.verdict(pinned)).toMatchObject({ status: "accepted", basis: "release" });
    expect(codes(scene.verdict({ ...pinned, sha512: OTHER }))).toEqual(["rejected", "WRONG_DIGEST V-15"]);
    expect(scene.verdict({ rule: { authority: stolen.authority }, sha512: OTHER }).signers).toEqual(["mallory"]);
  });

  test("A33: a pinned authority is accepted while it is pending; a rival's isn't", () => {
    const scene = makeScene();
    const own = scene.claim();
    const rival = scene.claim({ keys: [thief], threshold: 1 });
    scene.release("1.0.0", [alice, bob]);
    scene.release("1.0.1", [thief]);
    const rule = { authority: own.authority };
    expect(scene.verdict({ rule })).toMatchObject({ status: "accepted", basis: "release" });
    expect(codes(scene.verdict({ rule, version: "1.0.1" }))).toEqual(["rejected", "NOT_SIGNED V-18"]);
    expect(scene.checker({ rule }).pinOf(WIDGET)).toEqual({
      authority: own.authority,
      epoch: 1,
      entry: own.entry,
      proof: ["a"],
    });
    expect(scene.checker({ rule: { authority: rival.authority } }).lineOf(WIDGET)?.root).toBe(rival.entry);
  });

  test("[P-21] letters: (e) stands for (a), (b) only where a recognised committee confirms it", () => {
    const scene = makeScene();
    const one = found(scene, ONE, [olaf, olga], ["endorse"]);
    const committees = { [ONE]: one };
    const claimed = scene.claim();
    scene.enter(proofPayload(scene.log, claimed.entry, "b"), [alice]);
    scene.release("1.0.0");
    scene.day = 8;
    const wants = (proof: string[], more = {}): string =>
      scene.verdict({ rule: { proof }, version: "1.0.1", ...more }).basis ?? "refused";
    expect(wants(["a"])).toBe("refused");
    const lacking = scene.verdict({ rule: { proof: ["a", "b"] }, version: "1.0.1" });
    expect(lacking).toMatchObject({ status: "accepted", basis: "unclaimed" });
    expect(lacking.reasons[0]!.message).toContain("lacks what the policy wants for a proof: (b)");
    expect(wants(["e"], { committees })).toBe("unclaimed");
    scene.endorse(ONE, [olaf, olga], claimed.entry, ["b", "c"]);
    expect(wants(["a", "b"], { committees })).toBe("refused");
    expect(wants(["b", "e"], { committees })).toBe("refused");
    expect(wants(["c"], { committees })).toBe("unclaimed"); // confirmed, and never recorded
    expect(wants(["b"])).toBe("unclaimed"); // by a committee that counts for nothing here
    const limited = { [ONE]: { ...one, powers: ["hold" as const] } };
    expect(wants(["b"], { committees: limited })).toBe("unclaimed");
    expect(scene.checker({ committees }).pinOf(WIDGET)!.proof).toEqual(["a", "b", "e"]);
  });

  test("[P-21] in force by an endorsement alone: (e) is enough where (a) is asked", () => {
    const scene = makeScene();
    const committees = { [ONE]: found(scene, ONE, [olaf, olga], ["endorse"]) };
    const claimed = scene.claim({ proof: false });
    scene.endorse(ONE, [olaf, olga], claimed.entry);
    scene.release("1.0.0");
    scene.day = 8;
    expect(scene.verdict({ committees })).toMatchObject({ status: "accepted", basis: "release" });
    expect(scene.verdict({ committees, version: "1.0.1" }).status).toBe("rejected");
    expect(scene.verdict({})).toMatchObject({ basis: "unclaimed" });
    // That the endorsement is held back is no way out of it.
    expect(scene.verdict({ committees, shown: [WIDGET], version: "1.0.1" }).status).toBe("unchecked");
  });

  test("a frozen package says so; what was released stays good", () => {
    const scene = claimedScene();
    scene.release("1.0.0");
    scene.enter(revokePayload(scene.log, [alice]), [alice]);
    expect(scene.verdict({}).reasons).toEqual([]);
    scene.enter(revokePayload(scene.log, [bob]), [bob]);
    expect(codes(scene.verdict({}))).toEqual(["accepted", "FROZEN V-12"]);
    expect(codes(scene.verdict({ version: "1.0.1" }))).toEqual(["rejected", "NOT_SIGNED V-18", "FROZEN V-12"]);
    scene.release("1.0.1", [alice, carol]); // a cheating log
    expect(codes(scene.verdict({ version: "1.0.1" }))[0]).toBe("rejected");
  });
});

describe("[V-13] [A-25] the pin", () => {
  test("A17, I12: a finished adoption stops whoever pinned the old epoch, and says what happened", () => {
    const { scene, committees, pin } = adoptedScene();
    for (const question of [{ pin }, { rule: { authority: pin.authority } }]) {
      const verdict = scene.verdict({ committees, version: "2.0.0", ...question });
      expect(codes(verdict)).toEqual(["rejected", "AUTHORITY_CHANGED V-13"]);
      const { message, hint } = verdict.reasons[0]!;
      expect(message).toMatch(/^The authority changed hands: sha256:[0-9a-f]{12} was expected/);
      expect(message).toMatch(
        /erin adopted it with committee:one and committee:two, in entry \d+ of \d{4}-\d\d-\d\d: epoch 2/,
      );
      expect(hint).toBe("If that is right: touchmark accept widget");
    }
    // What was signed before it is stopped too, until the new hands are accepted, and is good then.
    expect(codes(scene.verdict({ committees, pin }))).toEqual(["rejected", "AUTHORITY_CHANGED V-13"]);
  });

  test("who has no pin, or has accepted it, goes by the new authority; old releases stay good, old keys are void", () => {
    const { scene, committees, entry } = adoptedScene();
    const pin = scene.checker({ committees }).pinOf(WIDGET)!;
    expect(pin).toMatchObject({ epoch: 2, entry, proof: ["a"] });
    for (const question of [{}, { pin }, { rule: { authority: pin.authority } }]) {
      const about = (version: string): string[] => codes(scene.verdict({ committees, version, ...question }));
      expect(about("1.0.0")).toEqual(["accepted"]);
      expect(about("2.0.0")).toEqual(["accepted"]);
      expect(about("2.0.1")).toEqual(["rejected", "WRONG_KEY V-14 S-4"]); // A18
    }
    // The letters that the claim had stay, and no others come of an adoption.
    expect(scene.verdict({ committees, rule: { proof: ["b"] }, version: "2.0.0" }).basis).toBe("unclaimed");
  });

  test("A30: committees that the policy doesn't name adopt nothing: the old authority stands, the new holder's key is the wrong one", () => {
    const { scene, committees, pin } = adoptedScene();
    for (const named of [undefined, { [ONE]: committees[ONE]! }]) {
      for (const question of [{}, { pin }, { rule: { authority: pin.authority } }]) {
        const about = (version: string): string[] =>
          codes(scene.verdict({ version, ...question, ...(named && { committees: named }) }));
        expect(about("1.0.0")).toEqual(["accepted"]);
        expect(about("2.0.0")).toEqual(["rejected", "WRONG_KEY V-14 S-4"]);
      }
    }
    const verdict = scene.verdict({ version: "2.0.0" });
    expect(verdict.reasons[0]!.message).toContain("Signed by the wrong key");
    expect(verdict.reasons[0]!.hint).toMatch(/committees that touchmark\.json does not name/);
  });

  test("A20: a named successor takes over in 21 days without any committee, and that stops the pin too", () => {
    const scene = claimedScene({ more: { successors: [erin.fingerprint] } });
    const pin = scene.checker({}).pinOf(WIDGET)!;
    scene.day += 400;
    scene.adopt([erin], [], [], 21);
    scene.release("2.0.0", [erin]);
    expect(scene.verdict({ version: "2.0.0" })).toMatchObject({ status: "accepted", signers: ["erin"] });
    expect(scene.verdict({ version: "2.0.0", pin }).reasons[0]!.message).toContain(
      "erin succeeded, as its holders had provided for",
    );
  });

  test("[P-6] a change by the authority's own rules is no stop: the old digest goes on counting, in policy and lock", () => {
    const scene = claimedScene();
    scene.release("1.0.0");
    const pin = scene.checker({}).pinOf(WIDGET)!;
    scene.enter(changePayload(scene.log, scene.claimed.entry, [alice, bob, carol, erin], 2), [alice, bob, carol, erin]);
    scene.release("1.0.1", [alice, erin]);
    for (const question of [{}, { pin }, { rule: { authority: pin.authority } }])
      expect(scene.verdict({ version: "1.0.1", ...question })).toMatchObject({ status: "accepted" });
    const moved = scene.checker({}).pinOf(WIDGET)!;
    expect(moved).toMatchObject({ epoch: 1 });
    expect(moved.authority).not.toBe(pin.authority);
    // A pin is of an entry: the same digest from elsewhere is not it.
    expect(codes(scene.verdict({ pin: { ...pin, entry: 999 } }))).toEqual(["rejected", "AUTHORITY_CHANGED V-13"]);
    expect(codes(scene.verdict({ pin: { ...pin, epoch: 2 } }))).toEqual(["rejected", "AUTHORITY_CHANGED V-13"]);
  });

  test("a pinned claim that a stronger rival has pushed out is authority changed", () => {
    const scene = makeScene();
    const unproven = scene.claim({ keys: [thief], threshold: 1, proof: false });
    scene.claim();
    scene.day = 8;
    const verdict = scene.verdict({ rule: { authority: unproven.authority } });
    expect(codes(verdict)).toEqual(["rejected", "AUTHORITY_CHANGED V-13"]);
    expect(verdict.reasons[0]!.message).toContain("of alice, bob, carol");
  });

  test("a pin whose claim lacks what the policy has come to want says that, and not that hands changed", () => {
    const scene = claimedScene();
    const pin = scene.checker({}).pinOf(WIDGET)!;
    expect(scene.verdict({ pin, rule: { proof: ["b"] } }).reasons[0]!.message).toContain("lacks what the policy wants");
  });
});

describe("[V-17] A26: one version over two digests", () => {
  test("is refused, both shown", () => {
    const scene = claimedScene();
    scene.release("1.0.0");
    scene.release("1.0.0", [bob, carol], OTHER);
    const verdict = scene.verdict({});
    expect(codes(verdict)).toEqual(["rejected", "EQUIVOCATION V-17"]);
    expect(verdict.reasons[0]!.message).toContain(GOOD);
    expect(verdict.reasons[0]!.message).toContain(OTHER);
  });
});

describe("[E-5] [V-16] lists of earlier versions", () => {
  const mine: [string, string][] = [["0.9.0", GOOD]];
  const theirs: [string, string][] = [["0.9.0", OTHER]];

  test("each claim has its own, and who pins one goes by that", () => {
    const scene = makeScene();
    const own = scene.claim({ earlier: mine });
    const rival = scene.claim({ keys: [thief], threshold: 1, earlier: theirs });
    const lists = (all: [string, string][]) => ({ earlier: { [WIDGET]: { all, asked: ["0.9.0"] } } });
    const both = {
      tamper: (bundle: Evidence): Evidence => {
        const [[, one]] = [...scene.log.evidence([WIDGET], lists(mine).earlier).earlier] as [
          [string, ReadonlyMap<string, never>],
        ];
        const [[, two]] = [...scene.log.evidence([WIDGET], lists(theirs).earlier).earlier] as [
          [string, ReadonlyMap<string, never>],
        ];
        return { ...bundle, earlier: new Map([[WIDGET, new Map([...one, ...two])]]) };
      },
    };
    for (const [claim, sha512] of [
      [own, GOOD],
      [rival, OTHER],
    ] as const) {
      const rule = { authority: claim.authority };
      expect(scene.verdict({ rule, version: "0.9.0", sha512, ...both })).toMatchObject({ basis: "earlier" });
      const wrong = sha512 === GOOD ? OTHER : GOOD;
      expect(codes(scene.verdict({ rule, version: "0.9.0", sha512: wrong, ...both }))).toEqual([
        "rejected",
        "WRONG_DIGEST V-16",
      ]);
    }
    // The rival's list alone says nothing to who pins the other.
    const verdict = scene.verdict({
      rule: { authority: own.authority },
      version: "0.9.0",
      sha512: OTHER,
      ...lists(theirs),
    });
    expect(codes(verdict)).toEqual(["rejected", "NOT_SIGNED V-18"]);
  });

  test("another list under a claim's root is no proof", () => {
    const scene = makeScene();
    const own = scene.claim({ earlier: mine });
    const earlier = { [WIDGET]: { all: theirs, asked: ["0.9.0"], claimed: mine } };
    const verdict = scene.verdict({ rule: { authority: own.authority }, version: "0.9.0", sha512: OTHER, earlier });
    expect(codes(verdict)).toEqual(["unchecked", "PROOF_BAD V-16"]);
  });
});

describe("[E-21] the entry before an adoption", () => {
  test("stands there without its envelope, and is no release that lacks one", () => {
    const scene = claimedScene();
    const committees = adopters(scene);
    scene.release("1.0.0");
    const bare = scene.release("1.0.1");
    scene.day += 400;
    scene.adopt([erin], [ONE, TWO], SEATS, 90);
    const strip = (bundle: Evidence): Evidence => {
      const digest = Buffer.from(parseEntry(bundle.entries.get(bare)!).envelopeHash).toString("hex");
      return { ...bundle, envelopes: new Map([...bundle.envelopes].filter(([hash]) => hash !== digest)) };
    };
    const about = (version: string, tamper = strip): string[] => codes(scene.verdict({ committees, version, tamper }));
    expect(about("1.0.0")).toEqual(["accepted"]);
    expect(about("1.0.1")).toEqual(["rejected", "NOT_SIGNED V-18"]);
    expect(about("1.0.1", (bundle) => bundle)).toEqual(["accepted"]);
    // Without the entry itself nobody can tell whether the package was dormant.
    expect(scene.verdict({ committees, leftOut: [bare], version: "1.0.0" }).status).toBe("rejected");
  });
});

describe("[E-8] touchmark.lock", () => {
  const scene = claimedScene();
  const pin = scene.checker({}).pinOf(WIDGET)!;
  const bytes = encodeCompanion({ pins: new Map([[WIDGET, pin]]), evidence: scene.log.evidence([WIDGET]) });
  const text = Buffer.from(bytes).toString("utf8");

  test("keeps authority, epoch, entry and proof", () => {
    expect(text).toContain(`"${WIDGET}":{"authority":"${pin.authority}","epoch":1,"entry":${pin.entry},"proof":"a"}`);
    const { pins, evidence } = parseCompanion(bytes);
    expect([...pins]).toEqual([[WIDGET, pin]]);
    expect(encodeEvidence(evidence)).toBe(encodeEvidence(scene.log.evidence([WIDGET])));
  });

  test.each([
    ["a pin that is a digest alone", (pins: string) => pins.replace(/:\{"authority":("[^"]*")[^}]*\}/, ":$1")],
    ["epoch 0", (pins: string) => pins.replace('"epoch":1', '"epoch":0')],
    ["an epoch that is text", (pins: string) => pins.replace('"epoch":1', '"epoch":"1"')],
    ["an entry with a leading zero", (pins: string) => pins.replace('"entry":', '"entry":0')],
    ["an entry beyond 2^53", (pins: string) => pins.replace(/"entry":\d+/, '"entry":9999999999999999')],
    ["letters out of order", (pins: string) => pins.replace('"proof":"a"', '"proof":"ea"')],
    ["an unknown letter", (pins: string) => pins.replace('"proof":"a"', '"proof":"f"')],
    ["a member more", (pins: string) => pins.replace('"proof":"a"', '"proof":"a","more":1')],
    ["a member less", (pins: string) => pins.replace(',"proof":"a"', "")],
    ["a pin of no package", (pins: string) => pins.replace(WIDGET, "committee:one")],
  ])("refuses %s", (_, change) => {
    const changed = change(text);
    expect(changed).not.toBe(text);
    expect(() => parseCompanion(encodeUtf8(changed))).toThrow("touchmark.lock cannot be used");
  });
});
