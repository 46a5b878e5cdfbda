import {
  encodeHex,
  type FundingTerms,
  type Line,
  type PackageState,
  type Pending,
  type WindowName,
} from "@touchmark/core";

/** Something that takes effect by itself, or can be finished, unless somebody says no. */
export interface Waiting {
  what: "change" | "recovery" | "funding" | "adoption";
  /** Index in the log. */
  entry: number;
  /** What a statement names it by [S-26]. */
  reference: Uint8Array;
  window: WindowName;
  /** Log time, seconds. */
  since: number;
  effectiveAt: number;
  vetoable: boolean;
  /** The authority that would be in force; null for funding. */
  authority: string | null;
  /** Where money would go; null for the others. */
  channels: FundingTerms["channels"] | null;
  /** Log time at which an adoption lapses; null for the others. */
  expiresAt: number | null;
}

/** What waits in a package, the next to take effect first. */
export function waitingIn(state: PackageState, line: Line | null): Waiting[] {
  const all: Waiting[] = [];
  const add = (what: Waiting["what"], pending: Pending | null, more: Partial<Waiting>): void => {
    if (pending === null) return;
    const { place, window, effectiveAt, vetoable } = pending;
    all.push({
      what,
      entry: place.index,
      reference: place.leafHash,
      window,
      since: place.time,
      effectiveAt,
      vetoable,
      authority: null,
      channels: null,
      expiresAt: null,
      ...more,
    });
  };
  if (line) {
    add("change", line.change, { authority: line.change?.authority.digest ?? null });
    add("recovery", line.recovery, { authority: line.recovery?.authority.digest ?? null });
    add("funding", line.pendingFunding, { channels: line.pendingFunding?.terms.channels ?? null });
  }
  const { adoption } = state;
  add("adoption", adoption, {
    authority: adoption?.authority.digest ?? null,
    expiresAt: adoption?.expiresAt ?? null,
  });
  return all.toSorted((a, b) => a.effectiveAt - b.effectiveAt);
}

/** As it stands in a JSON document. */
export function waitingJson({
  reference,
  channels,
  ...waiting
}: Waiting): Record<string, string | number | boolean | null | { type: string; address: string }[]> {
  return {
    ...waiting,
    reference: encodeHex(reference),
    channels: channels && channels.map((channel) => ({ ...channel })),
  };
}
