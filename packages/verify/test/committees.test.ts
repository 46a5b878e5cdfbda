import { describe, expect, test } from "vitest";
import { isAuthorityKind, parseEntry } from "@touchmark/log";
import type { Evidence } from "@touchmark/log";
import {
  alice,
  bob,
  claimedScene,
  codes,
  digestOf,
  erin,
  found,
  GOOD,
  liftPayload,
  makeScene,
  olaf,
  olga,
  ONE,
  type Scene,
  TWO,
  WIDGET,
} from "./support/scene.ts";

const OTHER = digestOf("other bytes");

/** Leaves the envelope of the newest entry of a kind out of a bundle. */
function without(kind: string): (bundle: Evidence) => Evidence {
  return (bundle) => {
    const entries = [...bundle.entries.values()].map(parseEntry);
    const { envelopeHash } = entries.findLast((entry) => entry.kind === kind)!;
    const digest = Buffer.from(envelopeHash).toString("hex");
    return { ...bundle, envelopes: new Map([...bundle.envelopes].filter(([hash]) => hash !== digest)) };
  };
}

/** A package in force with a release, and committee:one recognised for these powers. */
function watched(powers: Parameters<typeof found>[3], wish: Parameters<typeof found>[4] = {}) {
  const scene = claimedScene();
  const one = found(scene, ONE, [olaf, olga], powers, wish);
  scene.release("1.0.0");
  return { scene, committees: { [ONE]: one } };
}

describe("[V-40] the committees of the policy", () => {
  test("one that holds nothing changes nothing", () => {
    const { scene, committees } = watched(["hold"]);
    expect(scene.verdict({ committees })).toMatchObject({ status: "accepted", basis: "release", reasons: [] });
    expect(scene.checker({ committees }).notes).toEqual([]);
  });

  test("one that the bundle says nothing of leaves every package unchecked", () => {
    const { scene, committees } = watched(["hold"]);
    expect(codes(scene.verdict({ committees, shown: [WIDGET] }))).toEqual(["unchecked", "COMMITTEE_UNCHECKED V-40"]);
  });

  test("a hold that is held back leaves it unchecked: its entry, or its envelope", () => {
    const { scene, committees } = watched(["hold"]);
    const hold = scene.hold(ONE, [olaf, olga]);
    const held = ["unchecked", "COMMITTEE_UNCHECKED V-40"];
    expect(codes(scene.verdict({ committees, tamper: without("hold") }))).toEqual(held);
    expect(codes(scene.verdict({ committees, leftOut: [hold] }))).toEqual(held);
  });

  test("one whose entries break a rule leaves it unchecked too", () => {
    const { scene, committees } = watched(["hold"]);
    scene.hold(ONE, [olaf]);
    scene.hold(ONE, [erin]);
    expect(codes(scene.verdict({ committees }))).toEqual(["unchecked", "COMMITTEE_UNCHECKED V-40"]);
  });

  test("one that nobody claimed, or of another authority, is not recognised, and that is said", () => {
    const { scene } = watched(["hold"]);
    scene.hold(ONE, [olaf, olga]);
    const wrong = { [ONE]: { authority: `sha256:${"ab".repeat(32)}`, powers: ["hold" as const] } };
    expect(scene.verdict({ committees: wrong })).toMatchObject({ status: "accepted" });
    expect(scene.checker({ committees: wrong }).notes).toMatchObject([
      { code: "COMMITTEE_UNRECOGNISED", step: "V-40" },
    ]);
    const nobody = { [TWO]: { authority: `sha256:${"ab".repeat(32)}`, powers: ["hold" as const] } };
    expect(scene.verdict({ committees: nobody })).toMatchObject({ status: "accepted" });
    expect(scene.checker({ committees: nobody }).notes[0]!.message).toContain("nobody has claimed it");
  });

  test("a policy without committees is not held up by any", () => {
    const { scene } = watched(["hold"]);
    scene.hold(ONE, [olaf, olga]);
    expect(scene.verdict({ shown: [WIDGET] })).toMatchObject({ status: "accepted", basis: "release" });
  });
});

describe("[V-42] holds", () => {
  test("A21: a committee's hold of a fresh version rejects it, says why, and ends by itself", () => {
    const { scene, committees } = watched(["hold"]);
    scene.hold(ONE, [olaf, olga], { reason: "postinstall reads ssh keys" });
    const verdict = scene.verdict({ committees });
    expect(codes(verdict)).toEqual(["rejected", "HELD V-42"]);
    expect(verdict.reasons[0]!.message).toMatch(/committee:one.*postinstall reads ssh keys/);
    expect(scene.verdict({ committees, version: "1.0.1" })).toMatchObject({ reasons: [{ code: "NOT_SIGNED" }] });
    scene.day += 14;
    expect(scene.verdict({ committees })).toMatchObject({ status: "accepted" });
  });

  test("only with the power that the policy gives it; an exception accepts", () => {
    const { scene, committees } = watched(["hold", "review"]);
    scene.hold(ONE, [olaf, olga]);
    const limited = { [ONE]: { ...committees[ONE]!, powers: ["review" as const] } };
    expect(scene.verdict({ committees: limited })).toMatchObject({ status: "accepted", basis: "release" });
    expect(scene.verdict({ committees, exceptions: ["1.0.0"] })).toMatchObject({
      status: "accepted",
      basis: "exception",
    });
    expect(codes(scene.verdict({ committees, exceptions: ["1.0.0"], sha512: OTHER }))).toEqual([
      "rejected",
      "HELD V-42",
      "WRONG_DIGEST V-15",
    ]);
  });

  test("A22: a version that is older than a month needs an id of a vulnerability database", () => {
    const { scene, committees } = watched(["hold"]);
    scene.day += 31;
    scene.hold(ONE, [olaf, olga]); // only a cheating log lets that in
    expect(scene.verdict({ committees })).toMatchObject({ status: "accepted" });
    scene.hold(ONE, [olaf, olga], { osv: "MAL-2026-1" });
    expect(scene.verdict({ committees }).reasons[0]!.message).toContain("[MAL-2026-1]");
  });

  test("a package that nobody claimed is held with an id, and not by a squatter's claim", () => {
    const scene = makeScene();
    const one = found(scene, ONE, [olaf, olga], ["hold"]);
    const committees = { [ONE]: one };
    expect(scene.verdict({ committees })).toMatchObject({ status: "accepted", basis: "unclaimed" });
    scene.hold(ONE, [olaf, olga], { osv: "MAL-2026-1" });
    expect(codes(scene.verdict({ committees }))).toEqual(["rejected", "HELD V-42"]);
    // A squatter with the committee's labels makes nobody a party, and his own holds hold nothing.
    const squatter = { ...erin, holder: "olaf" };
    scene.claim({ keys: [squatter], threshold: 1, proof: false });
    scene.hold(WIDGET, [squatter], { version: "1.0.1" });
    expect(codes(scene.verdict({ committees }))).toEqual(["rejected", "HELD V-42", "CLAIM_PENDING V-12"]);
    expect(scene.verdict({ committees, version: "1.0.1" })).toMatchObject({ status: "accepted" });
  });

  test("A23: one maintainer's hold ends after three days; a quorum's lasts until it is lifted", () => {
    const scene = claimedScene();
    scene.release("1.0.0");
    scene.hold(WIDGET, [bob]);
    expect(scene.verdict({}).reasons[0]!.message).toMatch(/its holders bob/);
    scene.day += 3;
    expect(scene.verdict({})).toMatchObject({ status: "accepted" });
    const hold = scene.hold(WIDGET, [alice, bob]);
    scene.day += 500;
    expect(codes(scene.verdict({}))).toEqual(["rejected", "HELD V-42"]);
    scene.enter(liftPayload(scene.log, WIDGET, hold), [alice, bob]);
    expect(scene.verdict({})).toMatchObject({ status: "accepted" });
  });

  test("A27: members who hold the package don't count", () => {
    const scene = claimedScene();
    const mixed = found(scene, ONE, [alice, olga], ["hold"]);
    scene.release("1.0.0");
    scene.hold(ONE, [alice, olga]); // a cheating log
    expect(scene.verdict({ committees: { [ONE]: mixed } })).toMatchObject({ status: "accepted" });
  });

  test("[A-16] outside of its scope it holds nothing", () => {
    const { scene, committees } = watched(["hold"], { scope: ["@acme/*"] });
    scene.hold(ONE, [olaf, olga]);
    expect(scene.verdict({ committees }).reasons[0]!.code).toBe("COMMITTEE_UNCHECKED"); // the log broke
  });
});

describe("[V-43] reviews", () => {
  const rule = { review: [ONE] };

  test("what nobody has reviewed is refused, and an exception accepts it", () => {
    const { scene, committees } = watched(["review"]);
    const verdict = scene.verdict({ committees, rule });
    expect(codes(verdict)).toEqual(["rejected", "NOT_REVIEWED V-43"]);
    expect(verdict.reasons[0]!.message).toContain("committee:one has not reviewed it");
    expect(scene.verdict({ committees, rule, exceptions: ["1.0.0"] })).toMatchObject({ basis: "exception" });
  });

  test("the newest review decides, of these very bytes", () => {
    const { scene, committees } = watched(["review"]);
    scene.review(ONE, [olaf, olga], { version: "1.0.0", sha512: OTHER });
    expect(scene.verdict({ committees, rule }).reasons[0]!.message).toContain("has reviewed other bytes");
    scene.review(ONE, [olaf, olga], { version: "1.0.0" });
    expect(scene.verdict({ committees, rule })).toMatchObject({ status: "accepted" });
    scene.review(ONE, [olaf, olga], { version: "1.0.0", verdict: "bad" });
    expect(scene.verdict({ committees, rule }).reasons[0]!.message).toContain("calls it bad");
  });

  test("a tarball at hand is held against the digest of its tar as well", () => {
    const { scene, committees } = watched(["review"]);
    scene.review(ONE, [olaf, olga], { version: "1.0.0", tarSha512: OTHER });
    const checker = scene.checker({ committees, rule });
    const candidate = { packageId: WIDGET, version: "1.0.0", sha512: GOOD };
    expect(checker.check(candidate).status).toBe("accepted");
    expect(codes(checker.check({ ...candidate, tarSha512: GOOD }))).toEqual(["rejected", "NOT_REVIEWED V-43"]);
  });

  test("A28: an author's own review satisfies nobody, by key or by label", () => {
    for (const author of [alice, { ...erin, holder: "alice" }]) {
      const scene = claimedScene();
      const own = found(scene, ONE, [author, olga], ["review"]);
      scene.release("1.0.0");
      scene.review(ONE, [author, olga], { version: "1.0.0" });
      const verdict = scene.verdict({ committees: { [ONE]: own }, rule });
      expect(codes(verdict)).toEqual(["rejected", "NOT_REVIEWED V-43"]);
      expect(verdict.reasons[0]!.message).toContain("hold the package themselves");
    }
  });

  test("a review by too few, after the term, or by somebody else is none", () => {
    const { scene, committees } = watched(["review"], { termDays: 100 });
    scene.review(ONE, [olaf], { version: "1.0.0" });
    scene.review(ONE, [olaf, erin], { version: "1.0.0" });
    scene.day += 100;
    scene.review(ONE, [olaf, olga], { version: "1.0.0" });
    expect(scene.verdict({ committees, rule }).reasons[0]!.message).toContain("has not reviewed it");
  });

  test("one of several committees is enough, and unclaimed packages are reviewed too", () => {
    const scene: Scene = makeScene();
    const committees = {
      [ONE]: found(scene, ONE, [olaf], ["review"]),
      [TWO]: found(scene, TWO, [olga], ["review"]),
    };
    const both = { review: [ONE, TWO] };
    expect(codes(scene.verdict({ committees, rule: both }))).toEqual(["rejected", "NOT_REVIEWED V-43"]);
    scene.review(TWO, [olga], { version: "1.0.0" });
    expect(scene.verdict({ committees, rule: both })).toMatchObject({ status: "accepted", basis: "unclaimed" });
  });

  test("[L-4] a review is no authority entry: one that is held back is a want of a review", () => {
    expect(isAuthorityKind("review")).toBe(false);
    const { scene, committees } = watched(["review"]);
    scene.review(ONE, [olaf, olga], { version: "1.0.0" });
    expect(codes(scene.verdict({ committees, rule, tamper: without("review") }))).toEqual([
      "rejected",
      "NOT_REVIEWED V-43",
    ]);
  });
});

describe("[P-23] expedited releases", () => {
  test("A24, A25: off by default, shown where allowed, never by the committee alone", () => {
    const scene = claimedScene({ more: { expedite: ONE } });
    const committees = { [ONE]: found(scene, ONE, [olaf, olga], ["expedite"]) };
    scene.release("1.0.0", [alice, olaf, olga]);
    scene.release("1.0.1", [olaf, olga]);
    const allowed = { expedited: "allow" };
    expect(codes(scene.verdict({ committees }))).toEqual(["rejected", "EXPEDITED V-14"]);
    expect(scene.verdict({ committees, exceptions: ["1.0.0"] })).toMatchObject({ basis: "exception" });
    const verdict = scene.verdict({ committees, rule: allowed });
    expect(verdict).toMatchObject({ status: "accepted", basis: "release", signers: ["alice"] });
    expect(verdict.reasons).toMatchObject([
      { code: "EXPEDITED", message: "Expedited: committee:one stood in for a holder." },
    ]);
    expect(codes(scene.verdict({ committees, rule: allowed, version: "1.0.1" }))[0]).toBe("rejected");
    // Who doesn't recognise the committee, or not for that, has no release.
    expect(codes(scene.verdict({ rule: allowed }))).toEqual(["rejected", "EXPEDITED V-14"]);
    const limited = { [ONE]: { ...committees[ONE]!, powers: ["hold" as const] } };
    expect(codes(scene.verdict({ committees: limited, rule: allowed }))).toEqual(["rejected", "EXPEDITED V-14"]);
  });

  test("signed by enough holders as well, it is an ordinary release; demands on keys count one holder less", () => {
    const scene = claimedScene({ more: { expedite: ONE } });
    const committees = { [ONE]: found(scene, ONE, [olaf, olga], ["expedite"]) };
    scene.release("1.0.0", [alice, bob, olaf, olga]);
    scene.release("1.0.1", [alice, olaf, olga]);
    expect(scene.verdict({ committees })).toMatchObject({ status: "accepted", reasons: [] });
    const rule = { expedited: "allow", keys: { deviceBound: true } };
    expect(scene.verdict({ committees, rule, version: "1.0.1" })).toMatchObject({
      status: "accepted",
      signers: ["alice"],
    });
  });
});
