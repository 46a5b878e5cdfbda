import { encodeUtf8, type Verdict } from "@touchmark/core";
import { encodeEvidence, type Evidence, LogError, parseEvidence } from "@touchmark/log";
import { beforeEach, describe, expect, test } from "vitest";
import { packageChecker } from "../src/evidence/check-package.ts";
import type { Pin } from "../src/evidence/pin.ts";
import { openEvidence } from "../src/evidence/open-evidence.ts";
import { type ForgedLog, forgedLog } from "./support/forged-log.ts";
import { authority, claimPayload, digestOf, releasePayload, signedBy } from "./support/people.ts";
import { makeScene, proofPayload, revokePayload } from "./support/scene.ts";
import {
  alice,
  aliceBackup,
  BAD,
  bob,
  carol,
  claimWidget,
  EARLIER,
  GOOD,
  NOW,
  policyOf,
  thief,
  WIDGET,
} from "./support/widget.ts";

let log: ForgedLog;

beforeEach(() => {
  log = forgedLog();
});

function check(
  rules: object,
  version: string,
  sha512: string,
  pins = new Map<string, Pin>(),
  bundle: Evidence = log.evidence([WIDGET], EARLIER),
): Verdict {
  const trusted = policyOf(log, rules);
  const opened = openEvidence(parseEvidence(encodeUtf8(encodeEvidence(bundle))), trusted.log.key);
  return packageChecker(trusted, pins, opened).check({ packageId: WIDGET, version, sha512 });
}

/** As touchmark.lock has it after an install under the claim in entry 1. */
function pinned(digest: string): Map<string, Pin> {
  return new Map([[WIDGET, { authority: digest, epoch: 1, entry: 1, proof: [] }]]);
}

const NO_EARLIER = {};

function codes(verdict: Verdict): string[] {
  return [verdict.status, ...verdict.reasons.map(({ code, step }) => `${code} ${step}`)];
}

describe("[V-9] to [V-18] what a bundle says of a package", () => {
  test("a release by two of three holders is accepted and names them", () => {
    const digest = claimWidget(log);
    log.append(signedBy(releasePayload(`${WIDGET}@1.0.0`, GOOD), [alice, bob]), NOW - 50);
    const verdict = check({ widget: { authority: digest } }, "1.0.0", GOOD);
    expect(verdict).toMatchObject({ status: "accepted", basis: "release", signers: ["alice", "bob"] });
  });

  test("[V-15] other bytes than those signed are refused, both digests shown", () => {
    const digest = claimWidget(log);
    log.append(signedBy(releasePayload(`${WIDGET}@1.0.0`, GOOD), [alice, bob]), NOW - 50);
    const verdict = check({ widget: { authority: digest } }, "1.0.0", BAD);
    expect(codes(verdict)).toEqual(["rejected", "WRONG_DIGEST V-15"]);
    expect(verdict.reasons[0]!.message).toContain(GOOD.slice(0, 16));
    expect(verdict.reasons[0]!.message).toContain(BAD.slice(0, 16));
  });

  test("[V-15] the same .tgz digest with another tar in it is refused", () => {
    const digest = claimWidget(log);
    log.append(signedBy(releasePayload(`${WIDGET}@1.0.0`, GOOD), [alice, bob]), NOW - 50);
    const trusted = policyOf(log, { widget: { authority: digest } });
    const checker = packageChecker(trusted, new Map(), openEvidence(log.evidence([WIDGET]), trusted.log.key));
    expect(codes(checker.check({ packageId: WIDGET, version: "1.0.0", sha512: GOOD, tarSha512: BAD }))).toEqual([
      "rejected",
      "WRONG_DIGEST V-15",
    ]);
  });

  test("[V-18] an unsigned version of a claimed package is refused", () => {
    const digest = claimWidget(log);
    expect(codes(check({ widget: { authority: digest } }, "1.0.1", GOOD))).toEqual(["rejected", "NOT_SIGNED V-18"]);
  });

  test("[V-16] an earlier version that the claim lists is accepted, with other bytes refused", () => {
    const digest = claimWidget(log);
    expect(check({ widget: { authority: digest } }, "0.9.0", digestOf("old bytes"))).toMatchObject({
      status: "accepted",
      basis: "earlier",
    });
    expect(codes(check({ widget: { authority: digest } }, "0.9.0", BAD))).toEqual(["rejected", "WRONG_DIGEST V-16"]);
  });

  test("[V-16] a list of earlier versions that is not the claim's counts for nothing", () => {
    const digest = claimWidget(log);
    const forged = { [WIDGET]: { all: [["0.9.0", BAD]] as [string, string][], asked: ["0.9.0"] } };
    const verdict = check({ widget: { authority: digest } }, "0.9.0", BAD, new Map(), log.evidence([WIDGET], forged));
    expect(
      codes(check({ widget: { authority: digest } }, "1.0.0", GOOD, new Map(), log.evidence([WIDGET], forged)))[0],
    ).toBe("unchecked");
    expect(codes(verdict)).toEqual(["unchecked", "PROOF_BAD V-16"]);
  });

  test("[V-18] an unclaimed package passes under ratchet with its proof, and not under strict", () => {
    expect(check({}, "1.0.0", GOOD, new Map(), log.evidence([WIDGET]))).toMatchObject({
      status: "accepted",
      basis: "unclaimed",
    });
    expect(codes(check({ "*": { level: "strict" } }, "1.0.0", GOOD, new Map(), log.evidence([WIDGET])))).toEqual([
      "rejected",
      "NOT_CLAIMED V-18",
    ]);
  });

  test("[V-9] without a bucket nothing is said: unchecked, never accepted", () => {
    const verdict = check({}, "1.0.0", GOOD, new Map(), log.evidence([]));
    expect(codes(verdict)).toEqual(["unchecked", "EVIDENCE_MISSING V-9"]);
  });

  test("[V-12] a claim that nobody pinned does not count, and is mentioned", () => {
    const digest = claimWidget(log);
    const verdict = check({}, "1.0.1", GOOD);
    expect(verdict).toMatchObject({ status: "accepted", basis: "unclaimed" });
    expect(verdict.reasons[0]).toMatchObject({ code: "CLAIM_PENDING" });
    expect(verdict.reasons[0]!.hint).toContain(digest);
  });

  test("[V-13] another authority than the one pinned is the third message", () => {
    const digest = claimWidget(log);
    const other = `sha256:${"ab".repeat(32)}`;
    expect(codes(check({ widget: { authority: other } }, "1.0.0", GOOD))).toEqual([
      "rejected",
      "AUTHORITY_CHANGED V-13",
    ]);
    expect(codes(check({}, "1.0.0", GOOD, pinned(other)))).toEqual(["rejected", "AUTHORITY_CHANGED V-13"]);
    const forgotten = check({}, "1.0.0", GOOD, pinned(digest));
    expect(codes(forgotten)).toEqual(["rejected", "AUTHORITY_CHANGED V-13"]);
    expect(forgotten.reasons[0]!.message).toContain("the policy doesn't name it any more");
  });

  test("[V-13] a package that was claimed and is not any more is refused", () => {
    const pins = pinned(`sha256:${"ab".repeat(32)}`);
    expect(codes(check({}, "1.0.0", GOOD, pins, log.evidence([WIDGET])))).toEqual([
      "rejected",
      "AUTHORITY_CHANGED V-13",
    ]);
  });

  test("[V-13] a package whose authority the policy names has to be claimed", () => {
    const rules = { widget: { authority: `sha256:${"ab".repeat(32)}` } };
    expect(codes(check(rules, "1.0.0", GOOD, new Map(), log.evidence([WIDGET])))).toEqual([
      "rejected",
      "NOT_CLAIMED V-13",
    ]);
  });

  test("[V-20] observe reports and doesn't count", () => {
    expect(check({ "*": { level: "observe" } }, "1.0.0", GOOD, new Map(), log.evidence([]))).toMatchObject({
      status: "unchecked",
      enforced: false,
    });
  });

  test("[V-19] an exception lets an unsigned release through, and never other bytes", () => {
    const digest = claimWidget(log);
    log.append(signedBy(releasePayload(`${WIDGET}@1.0.0`, GOOD), [alice, bob]), NOW - 50);
    const exceptions = ["1.0.0", "1.0.1"].map((version) => ({
      package: `${WIDGET}@${version}`,
      reason: "testing",
      author: "alice",
      until: "2027-01-20",
    }));
    const trusted = policyOf(log, { widget: { authority: digest } }, { exceptions });
    const checker = packageChecker(trusted, new Map(), openEvidence(log.evidence([WIDGET]), trusted.log.key));
    expect(checker.check({ packageId: WIDGET, version: "1.0.1", sha512: BAD })).toMatchObject({
      status: "accepted",
      basis: "exception",
    });
    expect(codes(checker.check({ packageId: WIDGET, version: "1.0.0", sha512: BAD }))).toEqual([
      "rejected",
      "WRONG_DIGEST V-15",
    ]);
  });
});

describe("[V-11] [V-14] what a log should not have admitted is refused here too", () => {
  const release = releasePayload(`${WIDGET}@1.0.0`, GOOD);

  test("a release by one holder of the two it takes", () => {
    const digest = claimWidget(log);
    log.append(signedBy(release, [alice]), NOW - 50);
    const verdict = check({ widget: { authority: digest } }, "1.0.0", GOOD);
    expect(codes(verdict)).toEqual(["rejected", "THRESHOLD V-14 S-22"]);
    expect(verdict.reasons[0]!.message).toContain("1 of 2");
  });

  test("a release by two keys of one holder", () => {
    const digest = claimWidget(log);
    log.append(signedBy(release, [alice, aliceBackup]), NOW - 50);
    const verdict = check({ widget: { authority: digest } }, "1.0.0", GOOD);
    expect(codes(verdict)).toEqual(["rejected", "THRESHOLD V-14 S-22"]);
    expect(verdict.reasons[0]!.message).toContain("one vote");
  });

  test("a release by a stranger's key", () => {
    const digest = claimWidget(log);
    log.append(signedBy(release, [alice, bob, thief]), NOW - 50);
    expect(codes(check({ widget: { authority: digest } }, "1.0.0", GOOD))).toEqual(["rejected", "WRONG_KEY V-14 S-4"]);
  });

  test("a release of another package, presented for this one", () => {
    const digest = claimWidget(log);
    log.append(signedBy(releasePayload("npm:npmjs/gadget@1.0.0", GOOD), [alice, bob]), NOW - 50, {
      packageIds: [WIDGET],
    });
    expect(codes(check({ widget: { authority: digest } }, "1.0.0", GOOD))).toEqual([
      "rejected",
      "RULE_BROKEN V-14 S-40",
    ]);
  });

  test("a statement made for another log", () => {
    const digest = claimWidget(log);
    log.append(signedBy(releasePayload(`${WIDGET}@1.0.0`, GOOD, GOOD, ["log.example/other"]), [alice, bob]), NOW - 50);
    expect(codes(check({ widget: { authority: digest } }, "1.0.0", GOOD))).toEqual([
      "rejected",
      "RULE_BROKEN V-14 S-8",
    ]);
  });

  test("[V-17] two releases of one version over different bytes", () => {
    const digest = claimWidget(log);
    log.append(signedBy(release, [alice, bob]), NOW - 50);
    log.append(signedBy(releasePayload(`${WIDGET}@1.0.0`, BAD), [bob, carol]), NOW - 40);
    const verdict = check({ widget: { authority: digest } }, "1.0.0", GOOD);
    expect(codes(verdict)).toEqual(["rejected", "EQUIVOCATION V-17"]);
    expect(verdict.reasons[0]!.message).toContain(GOOD);
    expect(verdict.reasons[0]!.message).toContain(BAD);
  });

  test("a claim without the possession of every key", () => {
    log.append(
      signedBy(claimPayload({ packages: [WIDGET], authority: authority([alice, bob], 2) }), [alice]),
      NOW - 100,
    );
    expect(codes(check({}, "1.0.0", GOOD, new Map(), log.evidence([WIDGET], NO_EARLIER)))).toEqual([
      "rejected",
      "RULE_BROKEN V-11 S-16",
    ]);
  });

  test("a forged claim of a pinned authority that lists bytes nobody signed for", () => {
    const digest = claimWidget(log);
    log = forgedLog();
    const payload = claimPayload({
      packages: [WIDGET],
      authority: authority([alice, bob, carol, aliceBackup], 2),
      earlier: [["6.6.6", BAD]],
    });
    log.append(signedBy(payload, []), NOW - 100);
    const forged = { [WIDGET]: { all: [["6.6.6", BAD]] as [string, string][], asked: ["6.6.6"] } };
    const verdict = check({ widget: { authority: digest } }, "6.6.6", BAD, new Map(), log.evidence([WIDGET], forged));
    expect(codes(verdict)).toEqual(["rejected", "RULE_BROKEN V-11 S-16"]);
    expect(codes(check({ widget: { authority: digest } }, "6.6.6", BAD, new Map(), log.evidence([WIDGET])))).toEqual([
      "rejected",
      "NOT_SIGNED V-18",
    ]);
  });

  test("a second claim over the first", () => {
    const digest = claimWidget(log);
    log.append(signedBy(claimPayload({ packages: [WIDGET], authority: authority([thief], 1) }), [thief]), NOW - 50);
    expect(codes(check({ widget: { authority: digest } }, "1.0.0", GOOD))).toEqual([
      "rejected",
      "RULE_BROKEN V-11 A-3",
    ]);
  });

  test("a release that names no authority entry, or is kept out of the map", () => {
    const digest = claimWidget(log);
    log.append(signedBy(release, [alice, bob]), NOW - 50, { previousAuthority: null });
    expect(codes(check({ widget: { authority: digest } }, "1.0.0", GOOD))).toEqual([
      "rejected",
      "RULE_BROKEN V-14 V-14",
    ]);
    log = forgedLog();
    claimWidget(log);
    log.append(signedBy(release, [alice, bob]), NOW - 50, { omitFromMap: true });
    expect(codes(check({ widget: { authority: digest } }, "1.0.0", GOOD))).toEqual([
      "rejected",
      "RULE_BROKEN V-11 V-10",
    ]);
  });

  test("an authority entry that is withheld", () => {
    const digest = claimWidget(log);
    const bundle = log.evidence([WIDGET], EARLIER);
    const withheld = { ...bundle, entries: new Map(), envelopes: new Map() };
    expect(() => check({ widget: { authority: digest } }, "1.0.0", GOOD, new Map(), withheld)).toThrow(LogError);
  });

  test("[V-10] evidence that lacks an authority entry is incomplete, whichever it is: unchecked, never accepted", () => {
    const scene = makeScene();
    const { entry: claimed } = scene.claim();
    const proved = scene.enter(proofPayload(scene.log, claimed, "b"), [alice]);
    scene.day = 8;
    const revoked = scene.enter(revokePayload(scene.log, [carol]), [carol]);
    const released = scene.release("1.0.0");
    expect(scene.verdict({}).status).toBe("accepted");
    for (const leftOut of [[claimed], [proved], [revoked], [proved, revoked], [claimed, proved, revoked]]) {
      for (const level of ["ratchet", "strict"]) {
        const verdict = scene.verdict({ leftOut, rule: { level } });
        expect(codes(verdict)).toEqual(["unchecked", "EVIDENCE_MISSING V-10"]);
        expect(verdict.reasons[0]!.message).toBe("The evidence lacks authority entries of the package.");
      }
    }
    // A release is no authority entry: without it the version is not signed.
    expect(codes(scene.verdict({ leftOut: [released] }))).toEqual(["rejected", "NOT_SIGNED V-18"]);
  });
});
