import { isPackageId, parsePackageId } from "@touchmark/core";
import { type Policy, ruleFor } from "../policy/policy.ts";

/**
 * What to ask the log for, packages (id → versions) and with them the committees that the policy recognises [E-20]: whether they hold something has to be
 * shown whatever is asked, and of each version the reviews that its rule wants.
 */
export function withCommittees(
  policy: Policy,
  packages: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, readonly string[]>> {
  if (policy.committees.size === 0) return packages;
  const reviews = new Map<string, string[]>([...policy.committees.keys()].map((id) => [id, []]));
  for (const [packageId, versions] of Object.entries(packages)) {
    if (!isPackageId(packageId)) continue;
    const { review } = ruleFor(policy, parsePackageId(packageId).name);
    for (const committeeId of review)
      reviews.get(committeeId)?.push(...versions.map((version) => `${packageId}@${version}`));
  }
  return { ...packages, ...Object.fromEntries(reviews) };
}
