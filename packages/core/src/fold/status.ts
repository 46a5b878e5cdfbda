import { isFrozen } from "./release.ts";
import type { Line, PackageState } from "./state.ts";

export type ClaimStatus = "unclaimed" | "pending" | "unproven" | "contested" | "in force" | "frozen";

/** In one word, what a settled state amounts to at its time [S-20], [A-4], [A-12]. */
export function claimStatus(state: PackageState, time: number): ClaimStatus {
  const [first, ...rivals] = state.lines;
  if (!first) return "unclaimed";
  if (state.epoch > 0) return isFrozen(first) ? "frozen" : "in force";
  if (state.settlesAt !== null && time < state.settlesAt) return "pending";
  return rivals.length > 0 && state.lines.filter(isProved).length !== 0 ? "contested" : "unproven";
}

/** The line that a pinned authority belongs to, in force or not: the one that has it among its own. Null if none. */
export function pinnedLine(state: PackageState, digest: string): Line | null {
  return state.lines.find(({ steps }) => steps.some((step) => step.digest === digest)) ?? null;
}

function isProved({ proofs }: Line): boolean {
  return proofs.some(({ letter }) => letter === "a");
}
