// [V-40], [V-41]: the committees that the policy recognises, as far as a bundle shows them.
import {
  type PackageState,
  packageIdHash,
  encodeHex,
  pinnedLine,
  type Power,
  type Reason,
  UNCLAIMED,
  type World,
} from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import type { Policy } from "../policy/policy.ts";
import { reason } from "./finding.ts";
import type { OpenedEvidence, ProvedEntry } from "./open-evidence.ts";
import { type ChainLink, type History, type OpenEnvelope, readHistory } from "./package-history.ts";

/** What a consumer's rules know beside a package's own entries: which committees count, and nothing of other packages. */
export interface Committees {
  /** As it was before the entry at an index [V-41]; `Infinity` for now. */
  readonly worldBefore: (index: number) => World;
  /** Why nothing can be said of packages, where a recognised committee is not shown whole [V-40]. */
  unread: Reason | null;
  /** Committees that the policy names and that don't count. */
  notes: Reason[];
  /** The entries of a committee's reviews in the bundle, the newest last. */
  reviewsOf(committeeId: string): readonly ProvedEntry[];
}

/** Reads the committees that the policy recognises out of a bundle. */
export function readCommittees(policy: Policy, evidence: OpenedEvidence, open: OpenEnvelope): Committees {
  const { origin } = policy.log;
  const known = new Map<string, Claimed>();
  const recognised = new Map<string, readonly Power[]>();
  const notes: Reason[] = [];
  let unread: Reason | null = null;
  for (const [id, { authority, powers }] of policy.committees) {
    const history = readHistory(evidence, open, id, { worldBefore: () => consumerWorld(origin), vouched: null });
    if (history.kind === "claimed" && pinnedLine(history.state, authority)) {
      known.set(id, history);
      recognised.set(id, powers);
    } else if (history.kind === "claimed" || history.kind === "unclaimed") {
      notes.push(unrecognised(id, history.kind));
    } else {
      unread ??= notShown(id, history);
    }
  }
  const always = consumerWorld(origin);
  const worldBefore = (index: number): World => ({
    ...always,
    recognised,
    state: (subjectId) => stateBefore(known.get(subjectId), index),
  });
  const now = recognised.size === 0 ? always : worldBefore(Infinity);
  return {
    worldBefore: recognised.size === 0 ? () => always : (index) => (index === Infinity ? now : worldBefore(index)),
    unread,
    notes,
    reviewsOf: (committeeId) => {
      if (!known.has(committeeId)) return [];
      const entries = evidence.entries.get(encodeHex(packageIdHash(nodeCrypto, committeeId))) ?? [];
      return entries.filter(({ kind }) => kind === "review");
    },
  };
}

type Claimed = Extract<History, { kind: "claimed" }>;

/** The world of somebody who recognises no committee, and knows nothing of other packages. */
export function consumerWorld(origin: string): World {
  return {
    origin,
    chartered: () => true,
    recognised: new Map(),
    state: () => undefined,
    releaseTime: () => undefined,
    lenient: true,
  };
}

function stateBefore(history: Claimed | undefined, index: number): PackageState | undefined {
  if (!history) return undefined;
  const link: ChainLink | undefined = history.chain.findLast(({ entry }) => entry.index < index);
  return link?.state ?? UNCLAIMED;
}

function unrecognised(id: string, kind: "claimed" | "unclaimed"): Reason {
  const why = kind === "unclaimed" ? "nobody has claimed it in the log" : "it is not of the authority that it names";
  return reason(
    "COMMITTEE_UNRECOGNISED",
    "V-40",
    `The policy recognises ${id}, which counts for nothing: ${why}.`,
    'Mend "committees" in touchmark.json.',
  );
}

function notShown(id: string, history: Exclude<History, { kind: "claimed" | "unclaimed" }>): Reason {
  const why = {
    unknown: () => "the evidence says nothing of it",
    incomplete: () => "the evidence lacks some of its entries",
    broken: () => `the log admitted what the rules forbid: ${(history as { error: Error }).error.message}`,
  }[history.kind]();
  return reason(
    "COMMITTEE_UNCHECKED",
    "V-40",
    `What ${id} says could not be checked, and the policy recognises it: ${why}${why.endsWith(".") ? "" : "."}`,
    "Fetch the evidence: touchmark npm install",
  );
}
