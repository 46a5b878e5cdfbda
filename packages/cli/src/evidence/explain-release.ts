import {
  describeLoss,
  describeThreshold,
  type Authority,
  claimStatus,
  cleanText,
  compareText,
  countHolders,
  type JsonObject,
  type Line,
  type Signer,
  type SignedStatement,
  type World,
} from "@touchmark/core";
import {
  type Committees,
  countingLine,
  envelopeOpener,
  handoversOf,
  type History,
  listedBy,
  type LockedPackage,
  type OpenedEvidence,
  type OpenEnvelope,
  type Pin,
  type PackageRule,
  type Policy,
  type ProvedEntry,
  readCommittees,
  readEarlier,
  readHistory,
  readReviews,
  ruleFor,
} from "@touchmark/verify";
import { demandsDocument, describeDemands } from "./describe-demands.ts";
import { holderOf } from "../statements/describe.ts";
import { count, table } from "../ui.ts";
import { describeTime } from "./describe-evidence.ts";
import { explainState, type Known, underOne } from "./explain-state.ts";

/** What is asked about; `version` null for the package as a whole. */
export interface Subject {
  packageId: string;
  name: string;
  version: string | null;
}

type Claimed = Extract<History, { kind: "claimed" }>;

/** What a bundle knows of a package and one of its releases. `sha512` is that of the release or of the claim's list, if there is one. */
export function explainRelease(
  subject: Subject,
  policy: Policy,
  evidence: OpenedEvidence,
): Known & { sha512: string | null } {
  const open = envelopeOpener(evidence);
  const committees = readCommittees(policy, evidence, open);
  const { worldBefore } = committees;
  // The claim's signatures are to be shown, so they are verified even where the policy vouches for the authority.
  const historyOf = (packageId: string): History =>
    readHistory(evidence, open, packageId, { worldBefore, vouched: null });
  const history = historyOf(subject.packageId);
  if (history.kind !== "claimed") return { ...explainNoClaim(history), sha512: null };
  const line = shownLine(history, subject, policy, worldBefore(Infinity));
  const claim = explainClaim(history, line, subject, policy, evidence.epoch.time, worldBefore(Infinity));
  const releases = subject.version === null ? [] : releasesOf(history, subject, open);
  const state = explainState({
    ...subject,
    state: history.state,
    line,
    handovers: handoversOf(history, open),
    released: releases[0]?.entry.time ?? null,
    time: evidence.epoch.time,
    world: worldBefore(Infinity),
  });
  const reviews = explainReviews(subject, policy, committees, open);
  const earlier =
    subject.version === null
      ? undefined
      : listedBy(readEarlier(evidence, historyOf), subject.packageId, line)?.get(subject.version);
  return {
    rows: [
      ...claim.rows,
      ...state.rows,
      ...releases.flatMap((release) => releaseRows(release, line.authority)),
      ...(earlier === undefined ? [] : [["listed", `by the claim, with sha512 ${earlier.slice(0, 32)}…`]]),
      ...reviews.rows,
    ],
    document: {
      claim: { ...claim.document, ...state.document },
      releases: releases.map((release) => releaseJson(release, line.authority)),
      earlier: earlier ?? null,
      ...reviews.document,
    },
    sha512: releases[0]?.sha512 ?? earlier ?? null,
  };
}

/** What the policy and the lockfile say of it. */
export function explainPolicy(
  { name, version }: Subject,
  policy: Policy,
  locked: LockedPackage | null,
  pin: Pin | null,
): Known {
  const rule = ruleFor(policy, name);
  const integrity = locked?.integrity;
  const sha512 = integrity?.ok ? integrity.sha512 : null;
  return {
    rows: [
      [
        "policy",
        `level ${rule.level}, ${rule.authority === null ? "names no authority" : `authority ${rule.authority}`}`,
      ],
      ...(rule.keys === null ? [] : [["keys", describeDemands(rule.keys, policy.attestationRoots.length)]]),
      ...underOne("", demandLines(rule)),
      ...(pin === null ? [] : [["pinned", describePin(pin)]]),
      ...(version === null
        ? []
        : [["lockfile", sha512 === null ? "does not have it" : `sha512 ${sha512.slice(0, 32)}…`]]),
    ],
    document: {
      policy: {
        level: rule.level,
        authority: rule.authority,
        proof: [...rule.proof],
        review: [...rule.review],
        expedited: rule.expedited,
        ...(rule.keys === null ? {} : { keys: demandsDocument(rule.keys) }),
      },
      pin: pin && { ...pin, proof: pin.proof.join("") },
      lockfile: sha512,
    },
  };
}

function explainNoClaim(history: Exclude<History, Claimed>): Known {
  const document = { claim: null };
  switch (history.kind) {
    case "unknown":
      return {
        rows: [["claim", "unknown: the evidence says nothing of this package; --online asks the log"]],
        document,
      };
    case "unclaimed":
      return { rows: [["claim", "none, and that is proved"]], document };
    case "incomplete":
      return { rows: [["claim", `unknown: ${history.message}`]], document };
    case "broken":
      return {
        rows: [["claim", `broken: ${history.error.message} [${history.error.code} ${history.error.rule}]`]],
        document,
      };
  }
}

function explainClaim(
  history: Claimed,
  line: Line,
  { packageId, name }: Subject,
  policy: Policy,
  time: number,
  world: World,
): Known {
  const { claim: place, authority, claimed } = line;
  const status = claimStatus(history.state, time);
  const rule = ruleFor(policy, name);
  const counts = countingLine(history.state, rule, packageId, world) !== null;
  return {
    rows: [
      ["claim", `entry ${place.index}, ${describeTime(place.time)}, ${status}`],
      ["authority", authority.digest],
      [
        "",
        counts
          ? `it counts: ${rule.authority === null ? "it is in force" : "the policy names it"}`
          : `it does not count: ${history.state.epoch > 0 && rule.authority === null ? "it lacks proofs that the policy wants" : "the policy does not name it"}`,
      ],
      ...underOne(
        "holders",
        table(
          authority.keys.map(({ holder, fingerprint, attestation }) => [
            holder,
            fingerprint,
            attestation ? `attestation ${cleanText(attestation.format)}` : "no attestation",
          ]),
        ),
      ),
      ...underOne(
        "recovery",
        (authority.recovery?.keys ?? []).map(({ holder, fingerprint }) => `${holder}  ${fingerprint}`),
      ),
      ["to release", describeThreshold(authority.releaseThreshold, countHolders(authority.keys))],
      ["", describeLoss(authority)],
      [
        "earlier",
        claimed.earlier.size === 0 ? "no versions listed" : `${count(claimed.earlier.size, "version")} listed`,
      ],
    ],
    document: {
      entry: place.index,
      time: place.time,
      status,
      counts,
      authority: authority.digest,
      releaseThreshold: authority.releaseThreshold,
      holders: authority.keys.map(({ holder, fingerprint, attestation }) => ({
        holder,
        fingerprint,
        attestation: attestation?.format ?? null,
      })),
      earlier: claimed.earlier.size,
    },
  };
}

/** The line that counts, else the newest. */
function shownLine({ state }: Claimed, { packageId, name }: Subject, policy: Policy, world: World): Line {
  return countingLine(state, ruleFor(policy, name), packageId, world) ?? state.lines.at(-1)!;
}

/** What the committees whose review the rule wants have said of the version. */
function explainReviews(
  { packageId, name, version }: Subject,
  policy: Policy,
  committees: Committees,
  open: OpenEnvelope,
): Known {
  const releaseId = `${packageId}@${version}`;
  const said = (version === null ? [] : ruleFor(policy, name).review).map((id) => {
    const found = readReviews(id, committees, open).get(releaseId);
    return { by: id, entry: found?.entry.index ?? null, says: found?.review.reviews.get(releaseId)!.verdict ?? null };
  });
  return {
    rows: underOne(
      "reviews",
      said.map(({ by, entry, says }) => (says === null ? `${by}: none` : `${by}: ${says}, entry ${entry}`)),
    ),
    document: { reviews: said },
  };
}

function demandLines({ proof, review, expedited }: PackageRule): string[] {
  return [
    ...(proof.join() === "a" ? [] : [`wants the proofs ${proof.map((letter) => `(${letter})`).join(", ")}`]),
    ...(review.length === 0 ? [] : [`wants a review by ${review.join(" or ")}`]),
    ...(expedited ? ["takes expedited releases"] : []),
  ];
}

function describePin({ authority, epoch, entry, proof }: Pin): string {
  const letters = proof.length === 0 ? "no proof" : `proof ${proof.map((letter) => `(${letter})`).join(", ")}`;
  return `${authority} in touchmark.lock: epoch ${epoch}, entry ${entry}, ${letters}`;
}

interface FoundRelease {
  entry: ProvedEntry;
  sha512: string;
  base: string | null;
  source: { repository: string; commit: string } | null;
  signers: Signer[];
}

function releasesOf(
  { releases }: Claimed,
  { packageId, version }: Subject,
  open: (entry: ProvedEntry) => SignedStatement | null,
): FoundRelease[] {
  return releases.flatMap((entry) => {
    const signed = open(entry);
    const statement = signed?.statement.kind === "release" ? signed.statement : null;
    const released = statement?.releases.get(`${packageId}@${version}`);
    if (!signed || !statement || !released) return [];
    const signers = signed.signers === "vouched" ? [] : signed.signers;
    return [{ entry, sha512: released.sha512, base: released.base, source: statement.source, signers }];
  });
}

function releaseRows({ entry, sha512, base, source, signers }: FoundRelease, authority: Authority): string[][] {
  return [
    ["release", `entry ${entry.index}, ${describeTime(entry.time)}`],
    ["", `sha512 ${sha512.slice(0, 32)}…`],
    ["", `base ${base ?? "none"}`],
    ...(source ? [["", `source ${cleanText(source.repository)} at ${source.commit}`]] : []),
    ...underOne(
      "signed by",
      table(signersOf(signers, authority).map(({ holder, fingerprint }) => [holder, fingerprint])),
    ),
  ];
}

function signersOf(signers: Signer[], authority: Authority): { holder: string; fingerprint: string }[] {
  return signers
    .map(({ fingerprint }) => ({ holder: holderOf(fingerprint, authority), fingerprint }))
    .toSorted((a, b) => compareText(a.holder, b.holder));
}

function releaseJson({ entry, sha512, base, source, signers }: FoundRelease, authority: Authority): JsonObject {
  return {
    entry: entry.index,
    time: entry.time,
    sha512,
    base,
    source: source ? { ...source } : null,
    signers: signersOf(signers, authority),
  };
}
