/** What core's rules need to know beside a subject's own state, as the log knows it: its charter says which committees count. */
import { lineInForce, packageIdHash, type PackageState, parseReleaseId, type Power, type World } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";

export type WorldSource = {
  readonly origin: string;
  /** Whether an authority, by its digest, is the one that the operator has named for the log's own id. */
  readonly chartered: (authority: string) => boolean;
  /** A subject's state before the entry that is judged. */
  readonly state: (subjectId: string) => PackageState;
  /** Log time of the entry that released a version; null if none did, undefined if that isn't known. */
  readonly releaseTime: (packageHash: Uint8Array, version: string) => number | null | undefined;
};

/** By its charter a log recognises a committee for all that it may do. */
const ALL_POWERS: readonly Power[] = ["adopt", "endorse", "expedite", "hold", "review"];

export function logWorld({ origin, chartered, state, releaseTime }: WorldSource): World {
  return {
    origin,
    chartered,
    get recognised() {
      const details = lineInForce(state(`log:${origin}`))?.details;
      const committees = details?.kind === "charter" ? details.committees : [];
      return new Map(committees.map((committeeId) => [committeeId, ALL_POWERS]));
    },
    state,
    releaseTime: (releaseId) => {
      const { packageId, version } = parseReleaseId(releaseId);
      return releaseTime(packageIdHash(nodeCrypto, packageId), version);
    },
    lenient: false,
  };
}
