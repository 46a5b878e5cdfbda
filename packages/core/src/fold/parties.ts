import { equalBytes } from "../bytes.ts";
import { byKeyAlone, partiesOf, peopleOf, type Party } from "./committee.ts";
import { settle } from "./settle.ts";
import { type PackageState, UNCLAIMED, type World } from "./state.ts";

// The people that a vote in a committee's own chain is about, at its entry. In a lenient world nobody: a package that others see in other
// hands has other parties there, and is looked at again where the vote is used.

/** Those whom a hold is about: a label is what the holders write, and who is to be held doesn't choose who may. */
export function heldParties(world: World, packageId: string, time: number): Party[] {
  return byKeyAlone(partiesOf(stateAt(world, packageId, time)));
}

/** Those whom a review is about. While no line is in force, what a stranger's claim calls its holders keeps nobody from reviewing. */
export function reviewedParties(world: World, packageId: string, time: number): Party[] {
  const state = stateAt(world, packageId, time);
  return state.epoch > 0 ? partiesOf(state) : byKeyAlone(partiesOf(state));
}

/** Those whom an endorsement of a claim is about: nobody but its own people, whatever a rival calls his. */
export function endorsedParties(world: World, packageId: string, claim: Uint8Array, time: number): Party[] {
  return stateAt(world, packageId, time)
    .lines.filter(({ rootHash }) => equalBytes(rootHash, claim))
    .flatMap(peopleOf);
}

function stateAt(world: World, packageId: string, time: number): PackageState {
  const state = world.lenient ? undefined : world.state(packageId);
  return state ? settle(state, packageId, time, world) : UNCLAIMED;
}
