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
} from "@touchmark/core";
import {
  consumerWorld,
  countingLine,
  envelopeOpener,
  type History,
  type LockedPackage,
  type OpenedEvidence,
  type Policy,
  type ProvedEntry,
  readEarlier,
  readHistory,
  ruleFor,
} from "@touchmark/verify";
import { demandsDocument, describeDemands } from "./describe-demands.ts";
import { holderOf } from "../statements/describe.ts";
import { count, table } from "../ui.ts";
import { describeTime } from "./describe-evidence.ts";

/** What is asked about; `version` null for the package as a whole. */
export interface Subject {
  packageId: string;
  name: string;
  version: string | null;
}

/** A part of the answer, for people (rows of a table) and for programs. */
export interface Known {
  rows: string[][];
  document: JsonObject;
}

type Claimed = Extract<History, { kind: "claimed" }>;

/** What a bundle knows of a package and one of its releases. `sha512` is that of the release or of the claim's list, if there is one. */
export function explainRelease(
  subject: Subject,
  policy: Policy,
  evidence: OpenedEvidence,
): Known & { sha512: string | null } {
  const open = envelopeOpener(evidence);
  // The claim's signatures are to be shown, so they are verified even where the policy vouches for the authority.
  const historyOf = (packageId: string): History =>
    readHistory(evidence, open, packageId, { world: consumerWorld(policy.log.origin), vouched: null });
  const history = historyOf(subject.packageId);
  if (history.kind !== "claimed") return { ...explainNoClaim(history), sha512: null };
  const claim = explainClaim(history, subject, policy, evidence.epoch.time);
  const releases = subject.version === null ? [] : releasesOf(history, subject, open);
  const earlier =
    subject.version === null
      ? undefined
      : readEarlier(evidence, historyOf).get(subject.packageId)?.get(subject.version);
  const { authority } = shownLine(history, subject, policy);
  return {
    rows: [
      ...claim.rows,
      ...releases.flatMap((release) => releaseRows(release, authority)),
      ...(earlier === undefined ? [] : [["listed", `by the claim, with sha512 ${earlier.slice(0, 32)}…`]]),
    ],
    document: {
      claim: claim.document,
      releases: releases.map((release) => releaseJson(release, authority)),
      earlier: earlier ?? null,
    },
    sha512: releases[0]?.sha512 ?? earlier ?? null,
  };
}

/** What the policy and the lockfile say of it. */
export function explainPolicy(
  { name, version }: Subject,
  policy: Policy,
  locked: LockedPackage | null,
  pin: string | null,
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
      ...(pin === null ? [] : [["pinned", `${pin} in touchmark.lock`]]),
      ...(version === null
        ? []
        : [["lockfile", sha512 === null ? "does not have it" : `sha512 ${sha512.slice(0, 32)}…`]]),
    ],
    document: {
      policy: {
        level: rule.level,
        authority: rule.authority,
        ...(rule.keys === null ? {} : { keys: demandsDocument(rule.keys) }),
      },
      pin,
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

function explainClaim(history: Claimed, subject: Subject, policy: Policy, time: number): Known {
  const line = shownLine(history, subject, policy);
  const { claim: place, authority, claimed } = line;
  const status = claimStatus(history.state, time);
  const counts = countingLine(history.state, ruleFor(policy, subject.name).authority) !== null;
  return {
    rows: [
      ["claim", `entry ${place.index}, ${describeTime(place.time)}, ${status}`],
      ["authority", authority.digest],
      [
        "",
        counts
          ? `it counts: ${status === "in force" ? "it is in force" : "the policy names it"}`
          : "it does not count: the policy does not name it",
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
function shownLine({ state }: Claimed, { name }: Subject, policy: Policy): Line {
  return countingLine(state, ruleFor(policy, name).authority) ?? state.lines.at(-1)!;
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

function underOne(title: string, lines: string[]): string[][] {
  return lines.map((line, i) => [i === 0 ? title : "", line]);
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
