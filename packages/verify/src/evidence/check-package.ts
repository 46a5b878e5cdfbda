import {
  claimStatus,
  cleanText,
  CoreError,
  judgeRelease,
  type Line,
  lineInForce,
  type PackageState,
  parsePackageId,
  pinnedLine,
  type Reason,
  type ReasonCode,
  type SignedStatement,
  UNCLAIMED,
  type Verdict,
} from "@touchmark/core";
import { LogError } from "@touchmark/log";
import { type PackageRule, type Policy, ruleFor } from "../policy/policy.ts";
import { consumerWorld } from "./consumer-world.ts";
import { countSignatures, type SignatureCount } from "./count-signatures.ts";
import type { OpenedEvidence } from "./open-evidence.ts";
import { envelopeOpener, type History, readHistory } from "./package-history.ts";
import { reasonCodeOf } from "./reason-code.ts";
import { countableClaim, type GoodRelease, goodSigners, readEarlier, readReleases, type Releases } from "./releases.ts";

/** A version to be checked, and its bytes' digests as far as they are known (hex). */
export interface Candidate {
  packageId: string;
  version: string;
  sha512: string;
  /** Only where the tarball itself is at hand. */
  tarSha512?: string;
}

/** Judges candidates against one bundle; what it learns of a package is kept for the next question about it. */
export interface PackageChecker {
  check(candidate: Candidate): Verdict;
  /** The line by which a package is judged [V-12]; null if it isn't claimed by one that counts. */
  lineOf(packageId: string): Line | null;
  /** The good releases of a version. */
  releasesOf(packageId: string, version: string): GoodRelease[];
  /** Judges signatures that aren't logged yet as a release at the evidence's time. Throws `CoreError`. */
  judge(packageId: string, signers: SignedStatement["signers"]): Pick<GoodRelease, "signers" | "countable">;
}

/** Makes a checker by [V-9] to [V-20]. `pins` are those of `touchmark.lock`. */
export function packageChecker(
  policy: Policy,
  pins: ReadonlyMap<string, string>,
  evidence: OpenedEvidence,
): PackageChecker {
  const open = envelopeOpener(evidence);
  const histories = new Map<string, History>();
  const releases = new Map<string, Releases>();
  const pinnedFor = (packageId: string): string | null => ruleFor(policy, parsePackageId(packageId).name).authority;
  // Earlier versions are accepted on the holders' word, so there the claim's signatures count whatever the policy says.
  const vouchedFor = (packageId: string): string | null =>
    evidence.earlier.has(packageId) ? null : pinnedFor(packageId);
  const world = consumerWorld(policy.log.origin);
  const historyOf = (packageId: string): History =>
    memo(histories, packageId, () => readHistory(evidence, open, packageId, { world, vouched: vouchedFor(packageId) }));
  const earlier = orReason(() => readEarlier(evidence, historyOf));

  const find = (candidate: Candidate, rule: PackageRule): Finding => {
    if ("code" in earlier) return { status: "unchecked", reasons: [earlier] };
    const { packageId } = candidate;
    const history = historyOf(packageId);
    const trusted = checkAuthority(rule, pins.get(packageId), history, evidence.epoch.time);
    if ("status" in trusted) return trusted;
    const { claimed, line } = trusted;
    const known = memo(releases, packageId, () => readReleases(claimed, open, packageId, line, world));
    const listed = line === claimed.state.lines[0] ? earlier.get(packageId) : undefined;
    const decided = decideRelease(candidate, known) ?? decideEarlier(candidate, listed) ?? notSigned(candidate, known);
    if (rule.keys === null || decided.status !== "accepted") return decided;
    const countable = known.good.get(candidate.version)?.[0]?.countable ?? countableClaim(claimed, open, line);
    if (countable === null) return notSigned(candidate, known);
    return withDemands(decided, countSignatures(countable, rule.keys, policy.judgeAttestation));
  };

  const check = (candidate: Candidate): Verdict => {
    const { packageId, version } = candidate;
    const { name } = parsePackageId(packageId);
    const rule = ruleFor(policy, name);
    const base = { packageId, name, version, enforced: rule.level !== "observe", signers: [], basis: null };
    return withException(policy, { ...base, ...find(candidate, rule) });
  };
  const lineOf = (packageId: string): Line | null => {
    const history = historyOf(packageId);
    return history.kind === "claimed" ? countingLine(history.state, pinnedFor(packageId)) : null;
  };
  const releasesOf = (packageId: string, version: string): GoodRelease[] => {
    const history = historyOf(packageId);
    const line = lineOf(packageId);
    if (history.kind !== "claimed" || !line) return [];
    const known = memo(releases, packageId, () => readReleases(history, open, packageId, line, world));
    return known.good.get(version) ?? [];
  };
  const judge: PackageChecker["judge"] = (packageId, signers) => {
    const history = historyOf(packageId);
    const { time } = evidence.epoch;
    const state = history.kind === "claimed" ? history.state : UNCLAIMED;
    const { line, keys } = judgeRelease(state, packageId, signers, time, world);
    if (line.root !== lineOf(packageId)?.root)
      throw new CoreError("WRONG_KEY", "V-12", "Signed by the holders of a claim that does not count here.");
    return goodSigners(line, keys, signers);
  };
  return { check, lineOf, releasesOf, judge };
}

type Finding = Pick<Verdict, "status" | "reasons"> & Partial<Pick<Verdict, "basis" | "signers">>;

type Claimed = Extract<History, { kind: "claimed" }>;

/** The line by which a package's releases are judged. */
interface Trusted {
  claimed: Claimed;
  line: Line;
}

/** Everything that is decided before a release is looked at; then the line that counts. */
function checkAuthority(rule: PackageRule, pin: string | undefined, history: History, time: number): Finding | Trusted {
  switch (history.kind) {
    case "unknown":
      return unchecked(
        "EVIDENCE_MISSING",
        "V-9",
        "The evidence says nothing of this package.",
        "Fetch it: touchmark npm install",
      );
    case "incomplete":
      return unchecked("EVIDENCE_MISSING", history.step, history.message, "Fetch it again: touchmark npm install");
    case "broken":
      return rejectedBy(history.error, "V-11");
    case "unclaimed":
      return checkUnclaimed(rule, pin);
    case "claimed":
      return checkClaimed(rule, pin, history, time);
  }
}

function checkUnclaimed(rule: PackageRule, pin: string | undefined): Finding {
  if (rule.authority !== null) {
    return rejected(
      "NOT_CLAIMED",
      "V-13",
      "The policy names an authority for this package, but nobody has claimed it in the log.",
      "Claim it: touchmark claim",
    );
  }
  if (pin !== undefined) {
    return rejected(
      "AUTHORITY_CHANGED",
      "V-13",
      `The package was held by ${short(pin)} and is not claimed any more.`,
      "A log never forgets a claim: ask its operator, and whoever changed the policy's log.",
    );
  }
  return unclaimed(rule, "Nobody has claimed this package in the log.", []);
}

/** The line that counts for whoever pins this authority, or nothing [V-12]. */
export function countingLine(state: PackageState, authority: string | null): Line | null {
  return authority === null ? lineInForce(state) : pinnedLine(state, authority);
}

// [V-12], [V-13]
function checkClaimed(rule: PackageRule, pin: string | undefined, claimed: Claimed, time: number): Finding | Trusted {
  const { state } = claimed;
  const line = countingLine(state, rule.authority);
  const held = line?.steps.map(({ digest }) => digest) ?? [];
  if (line && (pin === undefined || rule.authority !== null || held.includes(pin))) return { claimed, line };
  const now = (line ?? state.lines.at(-1)!).authority.digest;
  if (rule.authority === null && pin !== undefined && pinnedLine(state, pin)) {
    return rejected(
      "AUTHORITY_CHANGED",
      "V-13",
      `touchmark.lock holds this package to the authority ${short(pin)}, and the policy doesn't name it any more.`,
      `Put "authority": "${pin}" back into touchmark.json; or, if it shall not be held to that, remove touchmark.lock.`,
    );
  }
  const expected = rule.authority ?? pin;
  if (expected !== undefined) {
    return rejected(
      "AUTHORITY_CHANGED",
      "V-13",
      `The authority changed hands: ${short(expected)} was expected, the log has ${short(now)}.`,
      `If its holders told you so, put "authority": "${now}" into touchmark.json.`,
    );
  }
  const status = claimStatus(state, time);
  const note = reason(
    "CLAIM_PENDING",
    "V-12",
    `A claim by ${short(now)} is ${status} and does not count yet.`,
    `To trust it now, put "authority": "${now}" into touchmark.json.`,
  );
  return unclaimed(rule, `The claim of this package is ${status}.`, [note]);
}

// [V-18]
function unclaimed(rule: PackageRule, message: string, notes: Reason[]): Finding {
  if (rule.level !== "strict") return { status: "accepted", basis: "unclaimed", reasons: notes };
  const refusal = rejected(
    "NOT_CLAIMED",
    "V-18",
    message,
    "The policy is strict here: claim the package, or add an exception with an end to touchmark.json.",
  );
  return { ...refusal, reasons: [...refusal.reasons, ...notes] };
}

// [V-14], [V-15], [V-17]; null when no good release of the version is there.
function decideRelease({ version, sha512, tarSha512 }: Candidate, releases: Releases): Finding | null {
  const [first, ...others] = releases.good.get(version) ?? [];
  if (!first) return null;
  const contrary = others.find(
    ({ released }) => released.sha512 !== first.released.sha512 || released.tarSha512 !== first.released.tarSha512,
  );
  if (contrary) {
    return rejected(
      "EQUIVOCATION",
      "V-17",
      `This version was signed twice over different bytes: sha512 ${first.released.sha512} and ${contrary.released.sha512}.`,
      "Tell the package's holders, and use another version.",
    );
  }
  if (first.released.sha512 !== sha512) return wrongDigest("V-15", first.released.sha512, sha512);
  if (tarSha512 !== undefined && first.released.tarSha512 !== tarSha512)
    return wrongDigest("V-15", first.released.tarSha512, tarSha512);
  return { status: "accepted", basis: "release", signers: first.signers, reasons: [] };
}

// [V-16]; null when the claim doesn't list the version.
function decideEarlier(
  { version, sha512 }: Candidate,
  earlier: ReadonlyMap<string, string> | undefined,
): Finding | null {
  const listed = earlier?.get(version);
  if (listed === undefined) return null;
  return listed === sha512
    ? { status: "accepted", basis: "earlier", reasons: [] }
    : wrongDigest("V-16", listed, sha512);
}

// [V-18]
function notSigned({ version }: Candidate, releases: Releases): Finding {
  const broken = [...(releases.broken.get(version) ?? []), ...(releases.broken.get("") ?? [])];
  if (broken[0]) return rejectedBy(broken[0], "V-14");
  return rejected(
    "NOT_SIGNED",
    "V-18",
    "Not signed yet: the package is claimed, and no quorum of its holders has signed this version.",
    "Use a signed version, or ask the holders: touchmark explain shows who they are.",
  );
}

// [V-30]
function withDemands(accepted: Finding, count: SignatureCount): Finding {
  if (!count.ok) return { status: count.status, reasons: count.reasons };
  return accepted.basis === "release" ? { ...accepted, signers: count.holders } : accepted;
}

// [V-19]
function withException(policy: Policy, verdict: Verdict): Verdict {
  const wanting =
    verdict.status === "rejected" &&
    verdict.reasons.every(({ code }) => code === "NOT_SIGNED" || code === "NOT_CLAIMED" || code === "CLAIM_PENDING");
  const exception = policy.exceptions.find(({ releaseId }) => releaseId === `${verdict.packageId}@${verdict.version}`);
  if (!wanting || !exception) return verdict;
  const used = reason(
    "EXCEPTION_USED",
    "V-19",
    `Let through until ${exception.until} by ${cleanText(exception.author)}: ${cleanText(exception.reason)}`,
    "",
  );
  return { ...verdict, status: "accepted", basis: "exception", reasons: [used, ...verdict.reasons] };
}

function wrongDigest(step: string, signed: string, found: string): Finding {
  return rejected(
    "WRONG_DIGEST",
    step,
    `Other bytes than those signed: sha512 ${signed.slice(0, 16)}… was signed, ${found.slice(0, 16)}… is here.`,
    "Somebody replaced the tarball after it was signed; do not use it.",
  );
}

function rejectedBy(error: CoreError, step: string): Finding {
  return rejected(
    reasonCodeOf(error),
    `${step} ${error.rule}`,
    error.message,
    error.hint === "" ? "The log should not have admitted this." : error.hint,
  );
}

function rejected(code: ReasonCode, step: string, message: string, hint: string): Finding {
  return { status: "rejected", reasons: [reason(code, step, message, hint)] };
}

function unchecked(code: ReasonCode, step: string, message: string, hint: string): Finding {
  return { status: "unchecked", reasons: [reason(code, step, message, hint)] };
}

function reason(code: ReasonCode, step: string, message: string, hint: string): Reason {
  return { code, step, message, hint };
}

function orReason<T>(read: () => T): T | Reason {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return reason("PROOF_BAD", "V-16", error.message, "Fetch the evidence again: touchmark npm install");
  }
}

function short(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

function memo<T>(known: Map<string, T>, key: string, make: () => T): T {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make();
  known.set(key, made);
  return made;
}
