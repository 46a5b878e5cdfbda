// [V-42], [V-43]: what committees have to say of a version, beside its holders.
import {
  checkLog,
  cleanText,
  CoreError,
  countHolders,
  countingMembers,
  holdsOn,
  judgeReview,
  lineInForce,
  type Line,
  type PackageState,
  partiesOf,
  type Reason,
  type Review,
  settle,
  UNCLAIMED,
} from "@touchmark/core";
import type { Committees } from "./committees.ts";
import { dayOf, reason } from "./finding.ts";
import type { ProvedEntry } from "./open-evidence.ts";
import type { OpenEnvelope } from "./package-history.ts";

/** A version of which it is asked whether it is held, and who has reviewed it. */
export interface JudgedVersion {
  packageId: string;
  version: string;
  /** Hex. */
  sha512: string;
  tarSha512?: string;
  /** The line that counts, null where the package counts as unclaimed. */
  line: Line | null;
  /** Every release entry of the package in the bundle. */
  releases: readonly ProvedEntry[];
  /** Log time, seconds. */
  time: number;
}

/** The holds on a version that count for whoever has the policy [V-42]. */
export function findHolds(judged: JudgedVersion, committees: Committees, open: OpenEnvelope): Reason[] {
  const { packageId, version, line, time } = judged;
  const world = committees.worldBefore(Infinity);
  if (world.recognised.size === 0 && (line === null || line.holds.length === 0)) return [];
  const released = world.recognised.size === 0 ? null : releaseTime(judged, open);
  return holdsOn(countingState(line), packageId, version, released, time, world).map(({ by, hold }) => {
    const who =
      by === packageId ? `its holders ${[...new Set(hold.signers.map(({ holder }) => holder))].join(", ")}` : by;
    const until = hold.until === null ? "until they lift that" : `until ${dayOf(hold.until)}`;
    const osv = hold.osv === null ? "" : ` [${hold.osv}]`;
    return reason(
      "HELD",
      "V-42",
      `Held by ${who} since ${dayOf(hold.place.time)}, ${until}: ${cleanText(hold.reason)}${osv}`,
      "Use another version; or, if you know better, add an exception with an end to touchmark.json.",
    );
  });
}

/** What a demanded review lacks [V-43]; nothing if one of these committees calls the version good. */
export function findMissingReview(
  judged: JudgedVersion,
  demanded: readonly string[],
  reviewsOf: (committeeId: string) => ReadonlyMap<string, GoodReview>,
): Reason[] {
  if (demanded.length === 0) return [];
  const said = demanded.map((id) => `${id} ${judgeFindings(judged, reviewsOf(id))}`);
  if (said.some((word) => word.endsWith(GOOD))) return [];
  return [
    reason(
      "NOT_REVIEWED",
      "V-43",
      `The policy wants it reviewed: ${said.join("; ")}.`,
      "Use a reviewed version, or ask the committee.",
    ),
  ];
}

/** A committee's newest review of a version, with those who signed it. */
export interface GoodReview {
  review: Review;
  entry: ProvedEntry;
  members: ReturnType<typeof judgeReview>;
  /** How many members it took. */
  needed: number;
}

/** A committee's reviews in the bundle, the newest of each version, by release id [E-20]. One that the rules forbid is left out. */
export function readReviews(committeeId: string, committees: Committees, open: OpenEnvelope): Map<string, GoodReview> {
  const reviews = new Map<string, GoodReview>();
  for (const entry of committees.reviewsOf(committeeId)) {
    try {
      const signed = open(entry);
      if (signed?.statement.kind !== "review" || signed.statement.by !== committeeId || signed.signers === "vouched")
        continue;
      const world = committees.worldBefore(entry.index);
      checkLog(signed.statement, world.origin);
      const state = settle(world.state(committeeId) ?? UNCLAIMED, committeeId, entry.time, world);
      const members = judgeReview(state, signed.statement, signed.signers, entry.time, world);
      const needed = lineInForce(state)!.authority.releaseThreshold;
      for (const releaseId of signed.statement.reviews.keys())
        reviews.set(releaseId, { review: signed.statement, entry, members, needed });
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
    }
  }
  return reviews;
}

const GOOD = "calls it good";

// nobody's own review counts, by key or by label.
function judgeFindings(judged: JudgedVersion, reviews: ReadonlyMap<string, GoodReview>): string {
  const releaseId = `${judged.packageId}@${judged.version}`;
  const found = reviews.get(releaseId);
  const finding = found?.review.reviews.get(releaseId);
  if (!found || !finding) return "has not reviewed it";
  if (finding.sha512 !== judged.sha512) return "has reviewed other bytes";
  if (judged.tarSha512 !== undefined && finding.tarSha512 !== judged.tarSha512) return "has reviewed other bytes";
  if (finding.verdict !== "good") return `calls it ${finding.verdict}`;
  const others = countHolders(countingMembers(found.members, partiesOf(countingState(judged.line))));
  return others >= found.needed ? GOOD : "calls it good by people of whom too many hold the package themselves";
}

/** Nobody's claim but the one that counts makes anybody a party, or holds anything. */
function countingState(line: Line | null): PackageState {
  return line ? { ...UNCLAIMED, lines: [line], epoch: 1 } : UNCLAIMED;
}

// whether a hold came soon enough after it.
function releaseTime({ packageId, version, releases }: JudgedVersion, open: OpenEnvelope): number | null {
  const releaseId = `${packageId}@${version}`;
  const first = releases.find((entry) => {
    try {
      const statement = open(entry)?.statement;
      return statement?.kind === "release" && statement.releases.has(releaseId);
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
      return false;
    }
  });
  return first?.time ?? null;
}
