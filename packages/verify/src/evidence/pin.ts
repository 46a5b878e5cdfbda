import { type Line, type PackageState, type ProofLetter, proofLetters, type World } from "@touchmark/core";

/** What `touchmark.lock` keeps of the authority under which a package was last accepted, [E-8]. */
export interface Pin {
  /** Authority digest. */
  authority: string;
  /** 1 while no line is in force, as then. */
  epoch: number;
  /** Index of the entry that the authority came with. */
  entry: number;
  /** The letters of proof that its claim had for whoever accepted it [P-21]. */
  proof: readonly ProofLetter[];
}

/** The pin of a line as it is now. */
export function pinOf(state: PackageState, line: Line, packageId: string, world: World): Pin {
  const { digest, place } = line.steps.at(-1)!;
  return {
    authority: digest,
    epoch: epochOf(state),
    entry: place.index,
    proof: proofLetters(line, packageId, world),
  };
}

/** Whether a line still has a pinned authority among its own, in the same epoch: changes by its own rules are no stop. */
export function holdsPin(state: PackageState, line: Line, { authority, epoch, entry }: Pin): boolean {
  if (epoch !== epochOf(state)) return false;
  return line.steps.some(({ digest, place }) => digest === authority && place.index === entry);
}

function epochOf({ epoch }: PackageState): number {
  return Math.max(epoch, 1);
}
