import { endorsementsOf, isDisinterested } from "./committee.ts";
import { settleLine } from "./settle-line.ts";
import type { Endorsement, Line, PackageState, World } from "./state.ts";
import { windowEnd } from "./windows.ts";

// What time alone does to a state. Whoever judges an entry, or asks for the state at a time, settles first.

/** The state at a log time at or after its last entry. */
export function settle(state: PackageState, subjectId: string, time: number, world: World): PackageState {
  let settled = settleClaims(state, subjectId, time, world);
  const lines = settled.lines.map((line) => settleLine(line, time));
  if (lines.some((line, i) => line !== settled.lines[i])) settled = { ...settled, lines };
  if (settled.adoption && time >= settled.adoption.expiresAt) settled = { ...settled, adoption: null };
  return settled;
}

//
function settleClaims(state: PackageState, subjectId: string, time: number, world: World): PackageState {
  const { settlesAt, lines, epoch } = state;
  if (epoch > 0 || settlesAt === null || time < settlesAt) return state;
  const endorsed = lines.map((line) => endorsementsOf(world, subjectId, line));
  const late = endorsed.flatMap((given) => given.map(({ place }) => place.time)).filter((at) => at >= settlesAt);
  let { divergedAt } = state;
  for (const deadline of [settlesAt, ...late.map((at) => windowEnd("claim", at))].toSorted((a, b) => a - b)) {
    if (deadline > time) break;
    const strengths = lines.map((line, i) => strength(settleLine(line, deadline), endorsed[i]!, deadline));
    const best = Math.max(...strengths);
    const winners = lines.filter((_, i) => strengths[i] === best);
    // Who recognises other committees may see another line win, or one where there is none here.
    if (best > PROVED || (best > 0 && lines.length > 1)) divergedAt ??= state.last!.index;
    if (best > 0 && winners.length === 1) return { ...state, lines: winners, epoch: 1, settlesAt: null, divergedAt };
  }
  return divergedAt === state.divergedAt ? state : { ...state, divergedAt };
}

const PROVED = 1;
const ENDORSED = 2;

/** What a line has to show before a deadline. */
function strength(line: Line, endorsed: readonly Endorsement[], deadline: number): number {
  if (endorsed.some((given) => given.place.time < deadline && isDisinterested(given, line))) return ENDORSED;
  return line.proofs.some(({ letter, place }) => letter === "a" && place.time < deadline) ? PROVED : 0;
}
