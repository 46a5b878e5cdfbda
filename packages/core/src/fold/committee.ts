import { countHolders, type HeldKey } from "../authority.ts";
import { equalBytes } from "../bytes.ts";
import { CoreError } from "../errors.ts";
import { parsePackageId } from "../package-id.ts";
import type { Signer } from "../statement.ts";
import type { Power } from "../statements/details.ts";
import { settleLine } from "./settle-line.ts";
import { namesOf, requireHolders, signingKeys } from "./signers.ts";
import { type Endorsement, type Line, lineInForce, type PackageState, recoveryKeys, type World } from "./state.ts";
import { DAY } from "./windows.ts";

/** Votes of a committee and of the parties that they are about. */

/**
 * The members behind a committee's vote on a package. `parties` are the people that the vote is about: they don't count.
 * Throws `NOT_RECOGNISED`, `NO_POWER`, `WRONG_KEY`, `REVOKED_KEY`, `THRESHOLD`.
 */
export function committeeVote(
  world: World,
  committeeId: string,
  power: Power,
  packageId: string,
  time: number,
  signers: readonly Signer[],
  parties: readonly Party[],
): HeldKey[] {
  const line = recognisedLine(world, committeeId, power, time);
  requirePower(line, committeeId, power, time);
  requireScope(line, committeeId, packageId);
  const members = signingKeys(signers, line.authority.keys, line.revoked, line.authority);
  return requireVotes(members, parties, line.authority.releaseThreshold, "A-17");
}

/** A committee's line at a time, where it is recognised for this. Throws `NOT_RECOGNISED`. */
export function recognisedLine(world: World, committeeId: string, power: Power, time: number): Line {
  const state = world.recognised.get(committeeId)?.includes(power) ? world.state(committeeId) : undefined;
  const line = state && lineInForce(state);
  if (line) return settleLine(line, time); // a committee's claim is in force at once
  throw new CoreError(
    "NOT_RECOGNISED",
    "A-16",
    `${committeeId} is not recognised here for the power to ${power}.`,
    "A policy, and for the log its charter, names the committees that count.",
  );
}

/** Throws `NO_POWER` unless the committee has this power at this time. */
export function requirePower({ details, detailsFrom }: Line, committeeId: string, power: Power, time: number): void {
  if (details?.kind !== "committee" || !details.powers.includes(power))
    throw new CoreError("NO_POWER", "A-16", `${committeeId} does not have the power to ${power}.`);
  if (time >= detailsFrom + details.termDays * DAY)
    throw new CoreError(
      "NO_POWER",
      "A-16",
      `The term of ${committeeId} is over.`,
      "Its members renew it: touchmark authority change",
    );
}

/** Throws `NO_POWER` unless the committee's scope names the package, by the patterns of [P-4]. */
export function requireScope({ details }: Line, committeeId: string, packageId: string): void {
  const { name } = parsePackageId(packageId);
  const scope = name.startsWith("@") ? `${name.slice(0, name.indexOf("/"))}/*` : "*";
  const patterns = details?.kind === "committee" ? details.scope : [];
  if (patterns.some((pattern) => pattern === "*" || pattern === name || pattern === scope)) return;
  throw new CoreError("NO_POWER", "A-16", `${packageId} is not within the scope of ${committeeId}.`);
}

/** Somebody that a vote is about. */
export interface Party {
  /** Null where the label doesn't matter. */
  holder: string | null;
  fingerprint: string;
}

/** The members who may vote on these parties: nobody votes on themselves. */
export function countingMembers(members: readonly HeldKey[], parties: readonly Party[]): HeldKey[] {
  return members.filter((member) => !parties.some((party) => samePerson(party, member)));
}

/** The members who count. Throws `THRESHOLD` under the rule if they are too few, and says who doesn't count. */
export function requireVotes(
  members: readonly HeldKey[],
  parties: readonly Party[],
  needed: number,
  rule: string,
): HeldKey[] {
  const voters = countingMembers(members, parties);
  const others = members.filter((member) => !voters.includes(member));
  const hint =
    others.length === 0
      ? "Ask another member to sign."
      : `Whom it is about doesn't count (${namesOf(others)}): ask another member to sign.`;
  requireHolders(voters, needed, rule, hint);
  return voters;
}

/** Labels and keys are all that there is to know people by. */
export function samePerson(a: Party, b: HeldKey): boolean {
  return a.holder === b.holder || a.fingerprint === b.fingerprint;
}

/** Everybody who has a key in a package: the people that a vote on it is about. */
export function partiesOf(state: PackageState): HeldKey[] {
  return state.lines.flatMap(peopleOf);
}

/** Everybody who has a key in a line, a recovery key too. */
export function peopleOf({ authority }: Line): HeldKey[] {
  return [...authority.keys, ...recoveryKeys(authority)];
}

/** The same people, by what they have proved and not by what they call themselves. */
export function byKeyAlone(people: readonly HeldKey[]): Party[] {
  return people.map(({ fingerprint }) => ({ holder: null, fingerprint }));
}

/** The endorsements of a claim by committees that are recognised here. */
export function endorsementsOf(world: World, packageId: string, line: Line): Endorsement[] {
  return recognisedFor(world, "endorse").flatMap((committeeId) =>
    (lineOfCommittee(world, committeeId)?.endorsements ?? []).filter(
      (given) => given.packageId === packageId && equalBytes(given.claim, line.rootHash),
    ),
  );
}

/** Whether an endorsement has enough members who are not of the line that it speaks for. */
export function isDisinterested({ signers, threshold }: Endorsement, line: Line): boolean {
  return countHolders(countingMembers(signers, peopleOf(line))) >= threshold;
}

/** The committees that are recognised for a power. */
export function recognisedFor(world: World, power: Power): string[] {
  return [...world.recognised].filter(([, powers]) => powers.includes(power)).map(([committeeId]) => committeeId);
}

export function lineOfCommittee(world: World, committeeId: string): Line | null {
  const state = world.state(committeeId);
  return state ? lineInForce(state) : null;
}

/** The committees that a log's charter names, by the state of the log's own id: at a log time, or with those that a change would bring if null. */
export function charteredCommittees(state: PackageState, time: number | null): readonly string[] {
  const line = lineInForce(state);
  if (!line) return [];
  const said =
    time === null ? [line.details, line.change?.details, line.recovery?.details] : [settleLine(line, time).details];
  return said.flatMap((details) => (details?.kind === "charter" ? details.committees : []));
}
