import { countHolders, type HeldKey } from "../authority.ts";
import { equalBytes } from "../bytes.ts";
import { CoreError } from "../errors.ts";
import { isCommitteeId, isPackageId } from "../package-id.ts";
import type { Signer } from "../statement.ts";
import type { Hold as HoldStatement } from "../statements/hold.ts";
import type { Lift } from "../statements/lift.ts";
import {
  byKeyAlone,
  countingMembers,
  lineOfCommittee,
  partiesOf,
  recognisedFor,
  requirePower,
  requireScope,
  requireVotes,
} from "./committee.ts";
import { heldParties } from "./parties.ts";
import { lineOf, requireHolders, signingKeys } from "./signers.ts";
import { type EntryPlace, type Hold, type Line, type PackageState, replaceLine, type World } from "./state.ts";
import { windowEnd } from "./windows.ts";

const MAX_RENEWALS = 2;
/** Versions on hold at a time, or remembered as held. */
const MAX_HELD = 4096;
/** Versions that one holder has ever held together with fewer than a release needs. */
const MAX_HELD_ALONE = 256;

/** . Throws `WRONG_KEY`, `REVOKED_KEY`, `THRESHOLD`, `NO_POWER`, `HOLD_NEEDS_OSV`, `NOT_PENDING`, `RENEWED_OUT`, `HELD_BEFORE`, `TOO_LARGE`, `NOT_CLAIMED`. */
export function applyHold(
  state: PackageState,
  statement: HoldStatement,
  signers: readonly Signer[],
  place: EntryPlace,
  world: World,
): PackageState {
  const { by, releases, reason, osv, renews } = statement;
  const line = lineOf(state, by, signers);
  const keys = signingKeys(signers, line.authority.keys, line.revoked, line.authority);
  const kind = kindOf(by, line, keys);
  if (kind === "committee") requireCommitteeHold(statement, line, keys, place.time, world);
  const before = renews === null ? null : renewed(line, statement, kind, renews, place.time);
  if (before === null) refuseHeldBefore(line, statement, kind);
  const from = before?.until ?? place.time;
  const until = kind === "quorum" ? null : windowEnd(kind === "committee" ? "committee-hold" : "maintainer-hold", from);
  const renewals = before === null ? 0 : before.renewals + 1;
  const threshold = line.authority.releaseThreshold;
  const hold: Hold = { place, kind, releases, reason, osv, until, renewals, signers: keys, threshold };
  const ended = line.holds.map((held) => (held === before ? over(held, place.time) : held));
  const holds = ended.filter((held) => matters(held, place.time));
  requireRoom(holds, hold);
  return replaceLine(state, line, { ...line, holds: [...holds, hold] });
}

/** . Throws `NOT_PENDING`, `WRONG_KEY`, `REVOKED_KEY`, `THRESHOLD`, `NOT_CLAIMED`. */
export function applyLift(
  state: PackageState,
  { by, hold }: Lift,
  signers: readonly Signer[],
  place: EntryPlace,
): PackageState {
  const line = lineOf(state, by, signers);
  const keys = signingKeys(signers, line.authority.keys, line.revoked, line.authority);
  requireHolders(keys, line.authority.changeThreshold, "A-18");
  const held = line.holds.find((candidate) => equalBytes(candidate.place.leafHash, hold));
  if (!held || !lasts(held, place.time)) throw noSuchHold(by);
  const ended = line.holds.map((other) => (other === held ? over(held, place.time) : other));
  return replaceLine(state, line, { ...line, holds: ended.filter((other) => matters(other, place.time)) });
}

/** A hold, and who holds. */
export interface ActiveHold {
  by: string;
  hold: Hold;
}

/**
 * The holds on a version at a log time: those of the package, and those of committees that are recognised and may hold it to.
 * `released` is the log time of its release entry, null if there is none.
 */
export function holdsOn(
  state: PackageState,
  packageId: string,
  version: string,
  released: number | null,
  time: number,
  world: World,
): ActiveHold[] {
  const releaseId = `${packageId}@${version}`;
  const stands = (hold: Hold): boolean => lasts(hold, time) && hold.releases.includes(releaseId);
  const own = state.lines.flatMap(({ holds }) => holds.filter(stands).map((hold) => ({ by: packageId, hold })));
  const parties = byKeyAlone(partiesOf(state));
  const committees = recognisedFor(world, "hold").flatMap((by) => {
    const line = lineOfCommittee(world, by);
    return (line?.holds ?? [])
      .filter(stands)
      .filter(({ osv, place }) => osv !== null || isFresh(released, place.time))
      .filter(({ signers, threshold }) => countHolders(countingMembers(signers, parties)) >= threshold)
      .map((hold) => ({ by, hold }));
  });
  return [...own, ...committees];
}

function lasts({ until }: Hold, time: number): boolean {
  return until === null || time < until;
}

// What is over is remembered only where it keeps something from being held so again, [A-26]: a committee's hold without an id as long as the
// version may still be fresh.
function matters(hold: Hold, time: number): boolean {
  if (lasts(hold, time) || hold.kind === "maintainer") return true;
  return hold.kind === "committee" && hold.osv === null && time < windowEnd("fresh", hold.place.time);
}

// [A-26]: a holder's holds alone leave the others' alone, and all of theirs together.
function requireRoom(holds: readonly Hold[], hold: Hold): void {
  const alone = hold.kind === "maintainer";
  const people = new Set(hold.signers.map(({ holder }) => holder));
  const full = [...people].find((holder) => {
    const theirs = holds.filter(
      ({ kind, signers }) =>
        (kind === "maintainer") === alone && (!alone || signers.some((signer) => signer.holder === holder)),
    );
    const held = theirs.reduce((sum, { releases }) => sum + releases.length, hold.releases.length);
    return held > (alone ? MAX_HELD_ALONE : MAX_HELD);
  });
  if (full === undefined) return;
  throw new CoreError(
    "TOO_LARGE",
    "A-26",
    alone
      ? `${full} has held ${MAX_HELD_ALONE} versions with fewer holders than a release needs, which is all.`
      : `At most ${MAX_HELD} versions are on hold at a time.`,
    alone ? "Hold it with as many holders as a release needs." : "Lift what need not be held any more.",
  );
}

function over(hold: Hold, time: number): Hold {
  return { ...hold, until: time };
}

function kindOf(by: string, line: Line, keys: HeldKey[]): Hold["kind"] {
  if (isCommitteeId(by)) return "committee";
  if (!isPackageId(by)) throw new CoreError("NO_POWER", "A-18", `${by} is a log: it holds nothing.`);
  if (countHolders(keys) >= line.authority.releaseThreshold) return "quorum";
  requireHolders(keys, 1, "A-18");
  return "maintainer";
}

function requireCommitteeHold(
  { by, releases, osv }: HoldStatement,
  line: Line,
  keys: HeldKey[],
  time: number,
  world: World,
): void {
  requirePower(line, by, "hold", time);
  for (const releaseId of releases) {
    const packageId = releaseId.slice(0, releaseId.lastIndexOf("@"));
    requireScope(line, by, packageId);
    requireVotes(keys, heldParties(world, packageId, time), line.authority.releaseThreshold, "A-17");
    const released = world.lenient ? undefined : world.releaseTime(releaseId);
    if (osv === null && released !== undefined && !isFresh(released, time)) {
      throw new CoreError(
        "HOLD_NEEDS_OSV",
        "A-18",
        `${releaseId} was not released within 30 days, so a hold needs an id of a vulnerability database.`,
        "Name it: touchmark committee hold --osv ID",
      );
    }
  }
}

//
function isFresh(released: number | null, time: number): boolean {
  return released !== null && time < windowEnd("fresh", released);
}

function renewed(
  line: Line,
  { by, releases }: HoldStatement,
  kind: Hold["kind"],
  renews: Uint8Array,
  time: number,
): Hold {
  const before = line.holds.find(({ place }) => equalBytes(place.leafHash, renews));
  const same =
    before?.kind === kind &&
    before.releases.length === releases.length &&
    before.releases.every((releaseId, i) => releaseId === releases[i]);
  if (!same || !lasts(before, time) || before.until === null) throw noSuchHold(by);
  if (before.renewals < MAX_RENEWALS) return before;
  throw new CoreError("RENEWED_OUT", "A-18", `A hold may be renewed ${MAX_RENEWALS} times.`, "It ends by itself.");
}

// what ends by itself isn't made to last by making it again.
function refuseHeldBefore(line: Line, { releases, osv }: HoldStatement, kind: Hold["kind"]): void {
  if (kind === "quorum" || (kind === "committee" && osv !== null)) return;
  const counts = (held: Hold): boolean => held.kind === kind && (kind === "maintainer" || held.osv === null);
  const again = releases.find((releaseId) =>
    line.holds.some((held) => counts(held) && held.releases.includes(releaseId)),
  );
  if (again === undefined) return;
  throw new CoreError(
    "HELD_BEFORE",
    "A-18",
    `${again} was held in this way before.`,
    kind === "committee"
      ? "Name an id of a vulnerability database."
      : "Hold it with as many holders as a release needs.",
  );
}

function noSuchHold(by: string): CoreError {
  return new CoreError("NOT_PENDING", "A-18", `${by} has no such hold that lasts.`, "touchmark status shows them.");
}
