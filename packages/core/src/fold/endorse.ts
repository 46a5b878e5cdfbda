import { CoreError } from "../errors.ts";
import type { Signer } from "../statement.ts";
import type { Endorse } from "../statements/endorse.ts";
import { requirePower, requireScope, requireVotes } from "./committee.ts";
import { endorsedParties } from "./parties.ts";
import { lineOf, signingKeys } from "./signers.ts";
import { type Endorsement, type EntryPlace, type PackageState, replaceLine, type World } from "./state.ts";

const MAX_ENDORSED = 10_000;

/** A committee's word for claims, kept with the committee. Throws `NOT_CLAIMED`, `NO_POWER`, `WRONG_KEY`, `REVOKED_KEY`, `THRESHOLD`, `TOO_LARGE`. */
export function applyEndorse(
  state: PackageState,
  { by, claims }: Endorse,
  signers: readonly Signer[],
  place: EntryPlace,
  world: World,
): PackageState {
  const line = lineOf(state, by, signers);
  requirePower(line, by, "endorse", place.time);
  const keys = signingKeys(signers, line.authority.keys, line.revoked, line.authority);
  const threshold = line.authority.releaseThreshold;
  const given = [...claims].map(([packageId, { claim, confirms }]): Endorsement => {
    requireScope(line, by, packageId);
    requireVotes(keys, endorsedParties(world, packageId, claim, place.time), threshold, "A-17");
    return { place, packageId, claim, confirms, signers: keys, threshold };
  });
  if (line.endorsements.length + given.length > MAX_ENDORSED)
    throw new CoreError(
      "TOO_LARGE",
      "A-26",
      `${by} has endorsed ${MAX_ENDORSED} claims, which is all.`,
      "Found another.",
    );
  return replaceLine(state, line, { ...line, endorsements: [...line.endorsements, ...given] });
}
