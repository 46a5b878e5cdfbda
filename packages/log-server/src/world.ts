/** What core's rules need to know beside a subject's own state, as the log knows it: its charter says which committees count. */
import {
  charteredCommittees,
  packageIdHash,
  type PackageState,
  parseReleaseId,
  type Power,
  type World,
} from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";

export type WorldSource = {
  readonly origin: string;
  /** Whether an authority, by its digest, is the one that the operator has named for the log's own id. */
  readonly chartered: (authority: string) => boolean;
  /** Log time of the entry that is judged: what a charter waits for may be in force by then. */
  readonly time: () => number;
  /** A subject's state before the entry that is judged; undefined where it isn't known. */
  readonly state: (subjectId: string) => PackageState | undefined;
  /** Log time of the entry that released a version; null if none did, undefined if that isn't known. */
  readonly releaseTime: (packageHash: Uint8Array, version: string) => number | null | undefined;
};

/** By its charter a log recognises a committee for all that it may do. */
const ALL_POWERS: readonly Power[] = ["adopt", "endorse", "expedite", "hold", "review"];

export function logWorld({ origin, chartered, time, state, releaseTime }: WorldSource): World {
  return {
    origin,
    chartered,
    get recognised() {
      const own = state(`log:${origin}`);
      return new Map(own && charteredCommittees(own, time()).map((committeeId) => [committeeId, ALL_POWERS]));
    },
    state,
    releaseTime: (releaseId) => {
      const { packageId, version } = parseReleaseId(releaseId);
      return releaseTime(packageIdHash(nodeCrypto, packageId), version);
    },
    lenient: false,
  };
}

/** Of the entries that released a version, each by another line, the first; null if there is none. Storages give them in orders of their own. */
export function firstPlace(places: readonly number[]): number | null {
  return places.length === 0 ? null : Math.min(...places);
}

/** The world of entries that were admitted once: nothing in it but other subjects is looked at anew. */
export function admittedWorld(origin: string, time: number, state: WorldSource["state"]): World {
  return logWorld({ origin, chartered: () => true, time: () => time, state, releaseTime: () => undefined });
}
