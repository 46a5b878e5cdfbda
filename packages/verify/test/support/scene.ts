import {
  type AuthorityDraft,
  DAY,
  type Details,
  encodeAdopt,
  encodeAdoptFinal,
  encodeChange,
  encodeClaim,
  encodeEndorse,
  encodeHold,
  encodeLift,
  encodeProof,
  encodeReview,
  encodeRevoke,
  encodeUtf8,
  parseStatement,
  type Power,
  type ReviewedVersion,
  type Verdict,
} from "@touchmark/core";
import { encodeEvidence, type Evidence, nodeCrypto, parseEvidence } from "@touchmark/log";
import { type PackageChecker, packageChecker } from "../../src/evidence/check-package.ts";
import { openEvidence } from "../../src/evidence/open-evidence.ts";
import type { Pin } from "../../src/evidence/pin.ts";
import { type EarlierList, type ForgedLog, forgedLog } from "./forged-log.ts";
import { authority, digestOf, earlierCommitmentOf, type Holder, person, releasePayload, signedBy } from "./people.ts";
import { alice, bob, carol, GOOD, NOW, policyOf, WIDGET } from "./widget.ts";

// A package's life over days of log time, and committees beside it, as a consumer comes to see it.

export const [olaf, olga, erin] = [person("olaf"), person("olga"), person("erin")];
export const [xena, yves] = [person("xena"), person("yves")];
export const [ONE, TWO] = ["committee:one", "committee:two"];
const BEGIN = NOW - 2000 * DAY;

export interface Scene {
  log: ForgedLog;
  /** Days of log time since the scene began. */
  day: number;
  /** Enters what was signed now; the entry's index. */
  enter(payload: Uint8Array, signers: Holder[]): number;
  claim(wish?: ClaimWish): { entry: number; authority: string };
  release(version: string, signers?: Holder[], sha512?: string): number;
  hold(by: string, signers: Holder[], wish?: { version?: string; osv?: string | null; reason?: string }): number;
  review(by: string, signers: Holder[], found: Partial<ReviewedVersion> & { version: string }): number;
  endorse(by: string, signers: Holder[], claim: number, confirms?: string[]): number;
  /** The proposal, and after the window its end: by committees, or alone. */
  adopt(candidate: Holder[], committees: string[], seats: Holder[], days: number): { proposed: number; entry: number };
  /** What a consumer says of a version. */
  verdict(question: Question): Verdict;
  checker(question: Omit<Question, "version" | "sha512">): PackageChecker;
}

export interface ClaimWish {
  id?: string;
  keys?: Holder[];
  threshold?: number;
  proof?: boolean;
  details?: Details;
  earlier?: [string, string][];
  more?: Partial<AuthorityDraft>;
}

export interface Question {
  version?: string;
  sha512?: string;
  rule?: object;
  committees?: Record<string, { authority: string; powers: Power[] }>;
  exceptions?: string[];
  pin?: Pin;
  /** Subjects that the bundle is about; the package and the committees of the policy when left out. */
  shown?: string[];
  /** Lists of earlier versions in it. */
  earlier?: Record<string, EarlierList>;
  /** Entries that are held back. */
  leftOut?: number[];
  /** Changes the bundle before it is read. */
  tamper?: (bundle: Evidence) => Evidence;
}

export function makeScene(): Scene {
  const log = forgedLog();
  const last = new Map<string, number>();
  const logs = [log.origin];
  const scene: Scene = {
    log,
    day: 0,
    enter: (payload, signers) => log.append(signedBy(payload, signers), BEGIN + Math.round(scene.day * DAY)),
    claim: ({
      id = WIDGET,
      keys = [alice, bob, carol],
      threshold = 2,
      proof = true,
      details,
      earlier = [],
      more,
    } = {}) => {
      const before = last.get(id);
      const claimed = {
        previous: before === undefined ? null : log.reference(before),
        earlier: earlierCommitmentOf(earlier),
        proof: proof && details === undefined ? { version: "1.0.1", sha512: GOOD } : null,
      };
      const draft = authority(keys, threshold, more);
      const payload = encodeClaim(nodeCrypto, {
        logs,
        packages: new Map([[id, claimed]]),
        authority: draft,
        ...(details && { details }),
      });
      const recoverers = (more?.recovery?.keys ?? []).map(({ holder }) => person(holder));
      const entry = scene.enter(payload, [...keys, ...recoverers]);
      last.set(id, entry);
      const statement = parseStatement(nodeCrypto, payload);
      return { entry, authority: statement.kind === "claim" ? statement.authority.digest : "" };
    },
    release: (version, signers = [alice, bob], sha512 = GOOD) =>
      scene.enter(releasePayload(`${WIDGET}@${version}`, sha512), signers),
    hold: (by, signers, { version = "1.0.0", osv = null, reason = "looks wrong" } = {}) => {
      const releases = [`${WIDGET}@${version}`];
      const entry = scene.enter(encodeHold(nodeCrypto, { logs, by, releases, reason, osv, renews: null }), signers);
      last.set(by, entry);
      return entry;
    },
    review: (by, signers, { version, sha512 = GOOD, tarSha512 = sha512, verdict = "good" }) => {
      const reviews = new Map([[`${WIDGET}@${version}`, { sha512, tarSha512, base: null, verdict, tool: null }]]);
      return scene.enter(encodeReview({ logs, by, replaces: null, reviews }), signers);
    },
    endorse: (by, signers, claim, confirms = []) => {
      const claims = new Map([[WIDGET, { claim: log.reference(claim), confirms }]]);
      const entry = scene.enter(encodeEndorse(nodeCrypto, { logs, by, claims }), signers);
      last.set(by, entry);
      return entry;
    },
    adopt: (candidate, committees, seats, days) => {
      const previous = log.reference(last.get(WIDGET)!);
      const draft = { logs, packageId: WIDGET, previous, authority: authority(candidate, 1), committees };
      const proposed = scene.enter(encodeAdopt(nodeCrypto, draft), [...candidate, ...seats]);
      scene.day += days;
      const end = { logs, packageId: WIDGET, adoption: log.reference(proposed) };
      const entry = scene.enter(encodeAdoptFinal(nodeCrypto, end), candidate.slice(0, 1));
      last.set(WIDGET, entry);
      return { proposed, entry };
    },
    checker: ({
      rule = {},
      committees,
      exceptions = [],
      pin,
      shown,
      earlier,
      leftOut,
      tamper = (bundle) => bundle,
    }) => {
      log.heartbeat(BEGIN + Math.round(scene.day * DAY));
      const more = {
        ...(committees && { committees }),
        exceptions: exceptions.map((version) => {
          return { package: `${WIDGET}@${version}`, reason: "testing", author: "alice", until: "2027-01-20" };
        }),
      };
      const policy = policyOf(log, { widget: rule }, more);
      const bundle = tamper(log.evidence(shown ?? [WIDGET, ...Object.keys(committees ?? {})], earlier, leftOut));
      const opened = openEvidence(parseEvidence(encodeUtf8(encodeEvidence(bundle))), policy.log.key);
      return packageChecker(policy, new Map(pin ? [[WIDGET, pin]] : []), opened);
    },
    verdict: ({ version = "1.0.0", sha512 = GOOD, ...question }) =>
      scene.checker(question).check({ packageId: WIDGET, version, sha512 }),
  };
  return scene;
}

/** A package in force: claimed with its proof, and the window over. */
export function claimedScene(wish: ClaimWish = {}): Scene & { claimed: { entry: number; authority: string } } {
  const scene = makeScene();
  const claimed = scene.claim(wish);
  scene.day = 8;
  return Object.assign(scene, { claimed });
}

/** Founds a committee and gives what a policy says of it. */
export function found(
  scene: Scene,
  id: string,
  members: Holder[],
  powers: Power[],
  wish: { scope?: string[]; threshold?: number; termDays?: number } = {},
): { authority: string; powers: Power[] } {
  const { scope = ["*"], threshold = members.length, termDays = 1000 } = wish;
  const details: Details = { kind: "committee", scope, powers, termDays };
  return { authority: scene.claim({ id, keys: members, threshold, details }).authority, powers };
}

export function codes({ status, reasons }: Verdict): string[] {
  return [status, ...reasons.map(({ code, step }) => `${code} ${step}`)];
}

export function revokePayload(log: ForgedLog, keys: Holder[]): Uint8Array {
  const fingerprints = keys.map(({ fingerprint }) => fingerprint).toSorted();
  return encodeRevoke(nodeCrypto, { logs: [log.origin], subjects: [WIDGET], keys: fingerprints });
}

export function changePayload(log: ForgedLog, previous: number, keys: Holder[], threshold: number): Uint8Array {
  const packages = new Map([[WIDGET, { previous: log.reference(previous) }]]);
  return encodeChange(nodeCrypto, { logs: [log.origin], packages, authority: authority(keys, threshold) });
}

export function proofPayload(log: ForgedLog, claim: number, letter: "b" | "c" | "d"): Uint8Array {
  const proof = { claim: log.reference(claim), letter, evidence: "https://git.example/widget/touchmark.json" };
  return encodeProof(nodeCrypto, { logs: [log.origin], proofs: new Map([[WIDGET, proof]]) });
}

export function liftPayload(log: ForgedLog, by: string, hold: number): Uint8Array {
  return encodeLift(nodeCrypto, { logs: [log.origin], by, hold: log.reference(hold) });
}

export { alice, bob, carol, digestOf, GOOD, WIDGET };
