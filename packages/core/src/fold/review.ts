import type { HeldKey } from "../authority.ts";
import type { Signer } from "../statement.ts";
import type { Review } from "../statements/review.ts";
import { requirePower, requireScope, requireVotes } from "./committee.ts";
import { reviewedParties } from "./parties.ts";
import { lineOf, signingKeys } from "./signers.ts";
import type { PackageState, World } from "./state.ts";

/**
 * The members behind a committee's review, of whom those who hold a package of it at its entry don't count.
 * Throws `NOT_CLAIMED`, `NO_POWER`, `WRONG_KEY`, `REVOKED_KEY`, `THRESHOLD`.
 */
export function judgeReview(
  state: PackageState,
  { by, reviews }: Review,
  signers: readonly Signer[],
  time: number,
  world: World,
): HeldKey[] {
  const line = lineOf(state, by, signers);
  requirePower(line, by, "review", time);
  const members = signingKeys(signers, line.authority.keys, line.revoked, line.authority);
  const packages = new Set([...reviews.values()].map(({ packageId }) => packageId));
  for (const packageId of packages) {
    requireScope(line, by, packageId);
    requireVotes(members, reviewedParties(world, packageId, time), line.authority.releaseThreshold, "A-19");
  }
  return members;
}
