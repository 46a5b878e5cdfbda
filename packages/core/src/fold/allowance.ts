import { CoreError } from "../errors.ts";
import type { EntryPlace, Line, PackageState } from "./state.ts";
import { DAY, WINDOWS } from "./windows.ts";

/** Entries that a line which is not in force may make at once. */
const ALLOWED = 32;

/**
 * A state after an entry by some of its lines, which may be anybody's while none is in force: nobody makes a package's chain long that isn't his.
 * Revocations and proofs are not counted, which have bounds of their own, [A-6]. Throws `TOO_EARLY`.
 */
export function countEntry(before: PackageState, after: PackageState, place: EntryPlace): PackageState {
  if (after.epoch > 0) return after;
  const lines = after.lines.map((line, i) => (line === before.lines[i] ? line : counted(line, place)));
  return { ...after, lines };
}

function counted(line: Line, { time }: EntryPlace): Line {
  const since = Math.floor((time - line.claim.time) / (WINDOWS.allowance.days * DAY));
  if (line.entered < ALLOWED + since) return { ...line, entered: line.entered + 1 };
  throw new CoreError(
    "TOO_EARLY",
    "A-27",
    `The claim of entry ${line.claim.index} is not in force, and has made ${line.entered} entries: one more is let in every ${WINDOWS.allowance.days} days.`,
    "Prove it: touchmark claim prove",
  );
}
