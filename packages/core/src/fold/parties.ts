import type { HeldKey } from "../authority.ts";
import { partiesOf } from "./committee.ts";
import { settle } from "./settle.ts";
import type { World } from "./state.ts";

/**
 * The people that a vote in a committee's own chain is about. In a lenient world nobody: a package that others see in other hands has other
 * parties there, and is looked at again where the vote is used.
 */
export function partiesAt(world: World, packageId: string, time: number): HeldKey[] {
  const state = world.lenient ? undefined : world.state(packageId);
  return state ? partiesOf(settle(state, packageId, time, world)) : [];
}
