import { type Authority, countHolders, type HeldKey } from "../authority.ts";
import { CoreError } from "../errors.ts";
import type { Signer } from "../statement.ts";
import type { Change } from "../statements/change.ts";
import type { Revoke } from "../statements/revoke.ts";
import { takeEffect } from "./settle-line.ts";
import { lineOf, requireHolders, requirePossession, signingKeys } from "./signers.ts";
import {
  type EntryPlace,
  type Line,
  liveKeys,
  type PackageState,
  type PendingChange,
  recoveryKeys,
  replaceLine,
  requirePrevious,
} from "./state.ts";
import { isVetoable, type WindowName, windowEnd } from "./windows.ts";

/** to. Throws `WRONG_PREVIOUS`, `WRONG_KEY`, `REVOKED_KEY`, `MISSING_POSSESSION`, `THRESHOLD`. */
export function applyChange(
  state: PackageState,
  subjectId: string,
  { packages, authority, details }: Change,
  signers: readonly Signer[],
  place: EntryPlace,
): PackageState {
  requirePrevious(state, subjectId, packages.get(subjectId)!.previous, "A-8");
  const listed = [...authority.keys, ...recoveryKeys(authority)];
  const line = lineOf(state, subjectId, signers, listed);
  const known = [...line.authority.keys, ...recoveryKeys(line.authority)];
  const added = listed.filter(({ fingerprint }) => !known.some((key) => key.fingerprint === fingerprint));
  refuseRevoked(line, listed);
  requirePossession(added, signers, "A-8", "The change is not signed by every key that it adds");
  const voters = votersOf(line, signers, [...known, ...added], authority, added);
  const window = windowOf(line, authority, voters);
  if (window === null) return replaceLine(state, line, takeEffect(line, { authority, details, place }, place.time));
  const effectiveAt = windowEnd(window, place.time);
  const vetoable = isVetoable(window) || isSolo(line);
  const waits: PendingChange = { place, window, effectiveAt, vetoable, authority, details };
  const next = window === "recovery" ? { ...line, recovery: waits } : { ...line, change: waits, recovery: null };
  return replaceLine(state, line, next);
}

/** . Throws `WRONG_KEY`, `REVOKED_KEY`, `THRESHOLD`, `NOT_CLAIMED`. */
export function applyRevoke(
  state: PackageState,
  subjectId: string,
  { keys }: Revoke,
  signers: readonly Signer[],
): PackageState {
  const judged = lineOf(state, subjectId, signers);
  const after = new Map<Line, Line>();
  let refusal: CoreError | undefined;
  // a stolen key is void in every claim that lists it, and the same statement is not entered twice.
  for (const line of [judged, ...state.lines.filter((other) => other !== judged)]) {
    try {
      after.set(line, revokeIn(line, subjectId, keys, signers));
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
      refusal ??= error;
    }
  }
  if (refusal && after.size === 0) throw refusal;
  return { ...state, lines: state.lines.map((line) => after.get(line) ?? line) };
}

function revokeIn(line: Line, subjectId: string, keys: readonly string[], signers: readonly Signer[]): Line {
  const known = [...line.authority.keys, ...recoveryKeys(line.authority)];
  for (const fingerprint of keys) {
    if (!known.some((key) => key.fingerprint === fingerprint))
      throw new CoreError("WRONG_KEY", "A-12", `${fingerprint} is no key of ${subjectId}.`);
    if (line.revoked.has(fingerprint)) throw new CoreError("REVOKED_KEY", "A-12", `${fingerprint} is revoked already.`);
  }
  const signing = signingKeys(signers, known, line.revoked, line.authority);
  const themselves = signers.every(({ fingerprint }) => keys.includes(fingerprint)) && signers.length === keys.length;
  if (!themselves) {
    refuseSilencing(line, keys);
    const voters = signing.filter((key) => line.authority.keys.includes(key));
    requireHolders(voters, line.authority.changeThreshold, "A-12");
  }
  return { ...line, revoked: new Set([...line.revoked, ...keys]) };
}

// Who has stolen a single holder's key must not silence those who could veto what he does with it.
function refuseSilencing(line: Line, keys: readonly string[]): void {
  const silenced = recoveryKeys(line.authority).find(({ fingerprint }) => keys.includes(fingerprint));
  if (!silenced || !isSolo(line)) return;
  throw new CoreError(
    "WRONG_KEY",
    "A-12",
    `The recovery key ${silenced.fingerprint} of a single holder's package is revoked by itself alone.`,
    "Leave it out by a change.",
  );
}

function refuseRevoked({ revoked }: Line, listed: readonly HeldKey[]): void {
  const dead = listed.find(({ fingerprint }) => revoked.has(fingerprint));
  if (!dead) return;
  throw new CoreError(
    "REVOKED_KEY",
    "A-8",
    `The change lists the key ${dead.fingerprint} of ${dead.holder}, which is revoked.`,
    "Leave it out.",
  );
}

interface Voters {
  by: "holders" | "recovery";
  holders: HeldKey[];
}

// the line's own keys under its own demands, new ones under those that they come with.
function votersOf(
  line: Line,
  signers: readonly Signer[],
  allowed: readonly HeldKey[],
  after: Authority,
  added: readonly HeldKey[],
): Voters {
  const isNew = ({ fingerprint }: Signer): boolean => added.some((key) => key.fingerprint === fingerprint);
  signingKeys(signers.filter(isNew), added, line.revoked, after);
  const signing = signingKeys(
    signers.filter((signer) => !isNew(signer)),
    allowed,
    line.revoked,
    line.authority,
  );
  const { keys, recovery, changeThreshold } = line.authority;
  const holders = signing.filter((key) => keys.includes(key));
  const recoverers = signing.filter((key) => recovery?.keys.includes(key));
  if (recovery && countHolders(holders) < changeThreshold && countHolders(recoverers) >= recovery.threshold)
    return { by: "recovery", holders };
  requireHolders(holders, changeThreshold, "A-8");
  return { by: "holders", holders };
}

/** How long a change waits, [A-10]; null for not at all. */
function windowOf(line: Line, after: Authority, { by, holders }: Voters): WindowName | null {
  if (by === "recovery") return "recovery";
  if (weakens(line, after, holders)) return "lowering";
  return isSolo(line) ? "solo" : null;
}

function isSolo({ authority }: Line): boolean {
  return countHolders(authority.keys) === 1;
}

//
function weakens(line: Line, after: Authority, voters: readonly HeldKey[]): boolean {
  const before = line.authority;
  const live = liveKeys(line);
  // By key and label: another key under an old label is another person, and a key under another's label is a vote less.
  const stays = ({ holder, fingerprint }: HeldKey): boolean =>
    after.keys.some((key) => key.fingerprint === fingerprint && key.holder === holder);
  const kept = new Set(live.filter(stays).map(({ holder }) => holder));
  const agree = new Set(voters.map(({ holder }) => holder));
  const dropsHolder = live.some(({ holder }) => !kept.has(holder) && !agree.has(holder));
  return (
    after.releaseThreshold < before.releaseThreshold ||
    after.changeThreshold < before.changeThreshold ||
    (before.userVerification && !after.userVerification) ||
    (before.deviceBound && !after.deviceBound) ||
    (after.expedite !== null && after.expedite !== before.expedite) ||
    dropsHolder
  );
}
