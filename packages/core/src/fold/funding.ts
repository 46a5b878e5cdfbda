import type { Signer } from "../statement.ts";
import type { Funding } from "../statements/funding.ts";
import { lineOf, requireHolders, signingKeys } from "./signers.ts";
import { type EntryPlace, type FundingTerms, type PackageState, replaceLine, requirePrevious } from "./state.ts";
import { windowEnd } from "./windows.ts";

/** . Throws `WRONG_PREVIOUS`, `WRONG_KEY`, `REVOKED_KEY`, `THRESHOLD`, `NOT_CLAIMED`. */
export function applyFunding(
  state: PackageState,
  packageId: string,
  { packages, channels, manifest, needs }: Funding,
  signers: readonly Signer[],
  place: EntryPlace,
): PackageState {
  requirePrevious(state, packageId, packages.get(packageId)!.previous, "A-24");
  const line = lineOf(state, packageId, signers);
  const keys = signingKeys(signers, line.authority.keys, line.revoked, line.authority);
  requireHolders(keys, line.authority.changeThreshold, "A-24");
  const terms: FundingTerms = { channels, manifest, needs };
  if (sameAddresses(line.funding, terms))
    return replaceLine(state, line, { ...line, funding: terms, pendingFunding: null });
  const effectiveAt = windowEnd("funding", place.time);
  return replaceLine(state, line, {
    ...line,
    pendingFunding: { place, window: "funding", effectiveAt, vetoable: true, terms },
  });
}

// A manifest names addresses too.
function sameAddresses(before: FundingTerms | null, after: FundingTerms): boolean {
  const channels = before?.channels ?? [];
  return (
    (before?.manifest ?? null) === after.manifest &&
    channels.length === after.channels.length &&
    channels.every(({ type, address }, i) => type === after.channels[i]!.type && address === after.channels[i]!.address)
  );
}
