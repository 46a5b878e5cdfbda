import {
  CoreError,
  judgeRelease,
  type Line,
  parsePackageId,
  type Reason,
  type SignedStatement,
  UNCLAIMED,
  type Verdict,
} from "@touchmark/core";
import { LogError } from "@touchmark/log";
import { type PackageRule, type Policy, ruleFor } from "../policy/policy.ts";
import { checkAuthority, countingLine, frozenNote, type Trusted } from "./check-authority.ts";
import { findHolds, findMissingReview, type GoodReview, type JudgedVersion, readReviews } from "./check-committees.ts";
import { readCommittees } from "./committees.ts";
import { countSignatures, type SignatureCount } from "./count-signatures.ts";
import { type Candidate, decideEarlier, decideRelease, notSigned } from "./decide-version.ts";
import { type Finding, reason } from "./finding.ts";
import type { OpenedEvidence } from "./open-evidence.ts";
import { envelopeOpener, type History, readHistory } from "./package-history.ts";
import { type Pin, pinOf } from "./pin.ts";
import {
  countableClaim,
  type GoodRelease,
  goodSigners,
  listedBy,
  readEarlier,
  readReleases,
  type Releases,
} from "./releases.ts";
import { withException } from "./use-exception.ts";

/** Judges candidates against one bundle; what it learns of a package is kept for the next question about it. */
export interface PackageChecker {
  check(candidate: Candidate): Verdict;
  /** The line by which a package is judged [V-12]; null if it isn't claimed by one that counts. */
  lineOf(packageId: string): Line | null;
  /** Whose a name is: the line that counts, null if it is shown that none does, else why that can't be said or is not as it should be. */
  ownerOf(packageId: string): Line | null | Finding;
  /** What `touchmark.lock` is to keep of that line [E-8]. */
  pinOf(packageId: string): Pin | null;
  /** The good releases of a version. */
  releasesOf(packageId: string, version: string): GoodRelease[];
  /** Judges signatures that aren't logged yet as a release at the evidence's time. Throws `CoreError`. */
  judge(packageId: string, signers: SignedStatement["signers"]): Pick<GoodRelease, "signers" | "countable">;
  /** What is to be said of the committees of the policy [V-40]. */
  notes: readonly Reason[];
}

/** Makes a checker by [V-9] to [V-20] and [V-40] to [V-43]. `pins` are those of `touchmark.lock`. */
export function packageChecker(
  policy: Policy,
  pins: ReadonlyMap<string, Pin>,
  evidence: OpenedEvidence,
): PackageChecker {
  const open = envelopeOpener(evidence);
  const committees = readCommittees(policy, evidence, open);
  const { worldBefore } = committees;
  const world = worldBefore(Infinity);
  const { time } = evidence.epoch;
  const histories = new Map<string, History>();
  const releases = new Map<string, Releases>();
  const reviews = new Map<string, Map<string, GoodReview>>();
  const ruleOf = (packageId: string): PackageRule => ruleFor(policy, parsePackageId(packageId).name);
  // Earlier versions are accepted on the holders' word, so there the claim's signatures count whatever the policy says.
  const vouchedFor = (packageId: string): string | null =>
    evidence.earlier.has(packageId) ? null : ruleOf(packageId).authority;
  const historyOf = (packageId: string): History =>
    memo(histories, packageId, () =>
      readHistory(evidence, open, packageId, { worldBefore, vouched: vouchedFor(packageId) }),
    );
  const knownOf = ({ claimed, line }: Trusted, packageId: string): Releases =>
    memo(releases, packageId, () => readReleases(claimed, open, packageId, line, worldBefore));
  const reviewsOf = (committeeId: string): Map<string, GoodReview> =>
    memo(reviews, committeeId, () => readReviews(committeeId, committees, open));
  const earlier = orReason(() => readEarlier(evidence, historyOf));

  const findSigned = (candidate: Candidate, rule: PackageRule, trusted: Trusted): Finding => {
    const { claimed, line } = trusted;
    const known = knownOf(trusted, candidate.packageId);
    const listed = "code" in earlier ? undefined : listedBy(earlier, candidate.packageId, line);
    const decided =
      decideRelease(candidate, known, rule) ??
      decideEarlier(candidate, listed) ??
      notSigned(candidate, known, claimed.state.divergedAt);
    const frozen = frozenNote(line);
    const noted = frozen.length === 0 ? decided : { ...decided, reasons: [...decided.reasons, ...frozen] };
    if (rule.keys === null || decided.status !== "accepted") return noted;
    const countable = known.good.get(candidate.version)?.[0]?.countable ?? countableClaim(claimed, open, line);
    if (countable === null) return notSigned(candidate, known, claimed.state.divergedAt);
    return withDemands(noted, countSignatures(countable, rule.keys, policy.judgeAttestation));
  };

  const find = (candidate: Candidate, rule: PackageRule, pin: Pin | undefined): Finding => {
    if ("code" in earlier) return { status: "unchecked", reasons: [earlier] };
    if (committees.unread !== null) return { status: "unchecked", reasons: [committees.unread] }; // [V-40]
    const { packageId } = candidate;
    const history = historyOf(packageId);
    const { name } = parsePackageId(packageId);
    const trusted = checkAuthority({ packageId, name, rule, pin, history, time, world, open });
    const finding = "line" in trusted ? findSigned(candidate, rule, trusted) : trusted;
    if (finding.status === "unchecked") return finding;
    const line = "line" in trusted ? trusted.line : null;
    const judged: JudgedVersion = {
      ...candidate,
      line,
      releases: history.kind === "claimed" ? history.releases : [],
      time,
    };
    const holds = findHolds(judged, committees, open);
    return withRefusals(finding, [...holds, ...findMissingReview(judged, rule.review, reviewsOf)]);
  };

  const check = (candidate: Candidate): Verdict => {
    const { packageId, version } = candidate;
    const { name } = parsePackageId(packageId);
    const rule = ruleFor(policy, name);
    const base = { packageId, name, version, enforced: rule.level !== "observe", signers: [], basis: null };
    return withException(policy, { ...base, ...find(candidate, rule, pins.get(packageId)) });
  };
  const ownerOf: PackageChecker["ownerOf"] = (packageId) => {
    if (committees.unread !== null) return { status: "unchecked", reasons: [committees.unread] };
    const { name } = parsePackageId(packageId);
    const rule: PackageRule = { ...ruleFor(policy, name), level: "ratchet" };
    const asked = { packageId, name, rule, pin: pins.get(packageId), history: historyOf(packageId), time, world, open };
    const found = checkAuthority(asked);
    if ("line" in found) return found.line;
    return found.status === "accepted" ? null : found;
  };
  const trustedOf = (packageId: string): Trusted | null => {
    const history = historyOf(packageId);
    const line = history.kind === "claimed" ? countingLine(history.state, ruleOf(packageId), packageId, world) : null;
    return history.kind === "claimed" && line ? { claimed: history, line } : null;
  };
  const judge: PackageChecker["judge"] = (packageId, signers) => {
    const history = historyOf(packageId);
    const state = history.kind === "claimed" ? history.state : UNCLAIMED;
    const judged = judgeRelease(state, packageId, signers, time, world);
    if (judged.line.root !== trustedOf(packageId)?.line.root)
      throw new CoreError("WRONG_KEY", "V-12", "Signed by the holders of a claim that does not count here.");
    if (judged.expedited !== null && !ruleOf(packageId).expedited)
      throw new CoreError(
        "THRESHOLD",
        "P-23",
        `Signed with ${judged.expedited} in the place of a holder, which the policy does not take.`,
      );
    return goodSigners(judged, signers);
  };
  return {
    check,
    lineOf: (packageId) => trustedOf(packageId)?.line ?? null,
    ownerOf,
    pinOf: (packageId) => {
      const trusted = trustedOf(packageId);
      return trusted && pinOf(trusted.claimed.state, trusted.line, packageId, world);
    },
    releasesOf: (packageId, version) => {
      const trusted = trustedOf(packageId);
      return (trusted && knownOf(trusted, packageId).good.get(version)) ?? [];
    },
    judge,
    notes: committees.notes,
  };
}

// [V-42], [V-43]
function withRefusals(finding: Finding, refusals: Reason[]): Finding {
  if (refusals.length === 0) return finding;
  return { status: "rejected", reasons: [...refusals, ...finding.reasons] };
}

// [V-30]
function withDemands(accepted: Finding, count: SignatureCount): Finding {
  if (!count.ok) return { status: count.status, reasons: count.reasons };
  return accepted.basis === "release" ? { ...accepted, signers: count.holders } : accepted;
}

function orReason<T>(read: () => T): T | Reason {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return reason("PROOF_BAD", "V-16", error.message, "Fetch the evidence again: touchmark npm install");
  }
}

function memo<T>(known: Map<string, T>, key: string, make: () => T): T {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make();
  known.set(key, made);
  return made;
}
