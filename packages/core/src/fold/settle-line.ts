import type { Line, PendingChange } from "./state.ts";

/** A line at a log time: what waited has taken effect, in the order of time. */
export function settleLine(line: Line, time: number): Line {
  const { change, recovery, pendingFunding } = line;
  if (!change && !recovery && !pendingFunding) return line;
  const [first] = [change, recovery, pendingFunding]
    .filter((pending) => pending !== null)
    .filter(({ effectiveAt }) => effectiveAt <= time)
    .toSorted((a, b) => a.effectiveAt - b.effectiveAt || a.place.index - b.place.index);
  if (!first) return line;
  const next =
    "terms" in first
      ? { ...line, funding: first.terms, pendingFunding: null }
      : takeEffect(line, first, first.effectiveAt);
  return settleLine(next, time);
}

/** A line after an authority has taken effect: what else waited is void. */
export function takeEffect(
  line: Line,
  { authority, details, place }: Pick<PendingChange, "authority" | "details" | "place">,
  at: number,
): Line {
  return {
    ...line,
    authority,
    details,
    detailsFrom: at,
    steps: [...line.steps, { digest: authority.digest, place }],
    change: null,
    recovery: null,
    pendingFunding: null,
  };
}
