import { equalBytes } from "../bytes.ts";
import { CoreError } from "../errors.ts";
import type { Signer } from "../statement.ts";
import type { Veto } from "../statements/veto.ts";
import { areOf, lineOf, requireHolders, signingKeys } from "./signers.ts";
import { type EntryPlace, type Line, type PackageState, type Pending, recoveryKeys, replaceLine } from "./state.ts";
import { windowEnd } from "./windows.ts";

/** . Throws `NOT_PENDING`, `TOO_EARLY`, `WRONG_KEY`, `REVOKED_KEY`, `NOT_CLAIMED`. */
export function applyVeto(
  state: PackageState,
  subjectId: string,
  { entries }: Veto,
  signers: readonly Signer[],
  { time }: EntryPlace,
): PackageState {
  const entry = entries.get(subjectId)!;
  const waiting = state.lines.find((candidate) => stop(candidate, entry) !== null && areOf(candidate, signers));
  const line = waiting ?? lineOf(state, subjectId, signers);
  const keys = [...line.authority.keys, ...recoveryKeys(line.authority)];
  requireHolders(signingKeys(signers, keys, line.revoked, line.authority), 1, "A-15");
  const stopped = stop(line, entry);
  if (stopped) return replaceLine(state, line, stopped);
  // An adoption ends by whatever is entered after it, and so does dormancy: a sign of life needs nothing more.
  const names = (place: { leafHash: Uint8Array } | undefined | null): boolean =>
    place !== undefined && place !== null && equalBytes(place.leafHash, entry);
  if (names(state.adoption?.place)) return state;
  if (names(state.last)) {
    requireDistance(subjectId, state.last!.time, time);
    return state;
  }
  throw new CoreError(
    "NOT_PENDING",
    "A-15",
    `Nothing of ${subjectId} that can be vetoed waits in that entry, and it is not the last one.`,
    "touchmark authority show tells what waits.",
  );
}

// One key alone must not make the chain long that all who check the package have to read.
function requireDistance(subjectId: string, last: number, time: number): void {
  if (time >= windowEnd("sign-of-life", last)) return;
  throw new CoreError(
    "TOO_EARLY",
    "A-15",
    `Nothing of ${subjectId} that can be vetoed waits in that entry, and as a sign of life it is one itself: it is less than a day old.`,
    "touchmark authority show tells what waits.",
  );
}

function stop(line: Line, entry: Uint8Array): Line | null {
  const hits = (pending: Pending | null): boolean =>
    pending !== null && pending.vetoable && equalBytes(pending.place.leafHash, entry);
  if (hits(line.change)) return { ...line, change: null };
  if (hits(line.recovery)) return { ...line, recovery: null };
  return hits(line.pendingFunding) ? { ...line, pendingFunding: null } : null;
}
