import { countHolders, type HeldKey } from "../authority.ts";
import { CoreError } from "../errors.ts";
import type { SignedStatement, Signer } from "../statement.ts";
import type { Release, ReleasedVersion } from "../statements/release.ts";
import { committeeVote, lineOfCommittee, peopleOf } from "./committee.ts";
import { settleLine } from "./settle-line.ts";
import { lineOf, requireHolders, signingKeys } from "./signers.ts";
import { type Line, liveKeys, type PackageState, type World } from "./state.ts";

/** A release that its authority stands behind. */
export interface JudgedRelease {
  line: Line;
  /** The holders' keys that signed. */
  keys: HeldKey[];
  /** The committee that stood in for one holder, or null. */
  expedited: string | null;
}

/**
 * Judges a release of a package by a settled state.
 * Throws `NOT_CLAIMED`, `FROZEN`, `WRONG_KEY`, `REVOKED_KEY`, `THRESHOLD`, `NOT_RECOGNISED`, `NO_POWER`, and what the authority demands of signatures.
 */
export function judgeRelease(
  state: PackageState,
  packageId: string,
  signers: SignedStatement["signers"],
  time: number,
  world: World,
): JudgedRelease {
  if (signers === "vouched") throw new CoreError("MALFORMED", "S-22", "Nobody can vouch for a release.");
  const members = expediteKeys(state, world, time);
  const line = lineOf(state, packageId, signers, members);
  refuseFrozen(line, packageId);
  const { authority, revoked } = line;
  const byMembers = authority.expedite === null ? [] : othersThan(authority.keys, signers);
  const byHolders = byMembers.length === 0 ? signers : signers.filter((signer) => !byMembers.includes(signer));
  const keys = signingKeys(byHolders, authority.keys, revoked, authority); // [S-24]: recovery keys are in another list
  if (byMembers.length === 0 || authority.expedite === null) {
    requireHolders(keys, authority.releaseThreshold, "S-22");
    return { line, keys, expedited: null };
  }
  requireHolders(keys, authority.releaseThreshold - 1, "A-14");
  committeeVote(world, authority.expedite, "expedite", packageId, time, byMembers, peopleOf(line));
  return { line, keys, expedited: countHolders(keys) < authority.releaseThreshold ? authority.expedite : null };
}

/** Whether too few keys are left to release anything. */
export function isFrozen(line: Line): boolean {
  return countHolders(liveKeys(line)) < line.authority.releaseThreshold;
}

/** The versions of one package that a release names. */
export function releasesOf(release: Release, packageId: string): ReleasedVersion[] {
  return [...release.releases.values()].filter((released) => released.packageId === packageId);
}

/** Refuses a version that was released before [S-23]: throws `ALREADY_RELEASED`, or `EQUIVOCATION` when the digests differ. */
export function refuseSecondRelease(released: ReleasedVersion, earlier: { sha512: string; tarSha512: string }): never {
  const id = `${released.packageId}@${released.version}`;
  if (released.sha512 === earlier.sha512 && released.tarSha512 === earlier.tarSha512) {
    throw new CoreError("ALREADY_RELEASED", "S-23", `${id} was released before, over the same bytes.`);
  }
  throw new CoreError(
    "EQUIVOCATION",
    "S-23",
    `${id} was released before over other bytes: sha512 ${earlier.sha512.slice(0, 16)}… then, ${released.sha512.slice(0, 16)}… now.`,
    "Release the new bytes under a new version.",
  );
}

// The keys of the committees that the lines let stand in for a holder; whether they may is judged after.
function expediteKeys(state: PackageState, world: World, time: number): HeldKey[] {
  return state.lines.flatMap(({ authority: { expedite } }) => {
    const committee = expedite === null ? null : lineOfCommittee(world, expedite);
    return committee ? settleLine(committee, time).authority.keys : [];
  });
}

function othersThan(keys: readonly HeldKey[], signers: readonly Signer[]): Signer[] {
  const own = new Set(keys.map(({ fingerprint }) => fingerprint));
  return signers.filter(({ fingerprint }) => !own.has(fingerprint));
}

function refuseFrozen(line: Line, packageId: string): void {
  if (line.revoked.size === 0 || !isFrozen(line)) return;
  throw new CoreError(
    "FROZEN",
    "A-12",
    `${packageId} is frozen: fewer holders have a key that is not revoked than a release needs.`,
    "Its holders put that right: touchmark authority change, or touchmark recover",
  );
}
