import { endorsementsOf, isDisinterested } from "./committee.ts";
import type { Line, World } from "./state.ts";

/** A kind of proof that a claim is its package's. */
export type ProofLetter = "a" | "b" | "c" | "d" | "e";

/** The letters that a line has here, sorted: (a) as the log has it, (b) to (d) where a recognised committee confirms what was recorded, (e) by its endorsement. */
export function proofLetters(line: Line, packageId: string, world: World): ProofLetter[] {
  const recorded = new Set<ProofLetter>(line.proofs.map(({ letter }) => letter));
  const endorsements = endorsementsOf(world, packageId, line).filter((given) => isDisinterested(given, line));
  const confirmed = new Set(endorsements.flatMap(({ confirms }) => confirms));
  return LETTERS.filter((letter) => {
    if (letter === "e") return endorsements.length > 0;
    return recorded.has(letter) && (letter === "a" || confirmed.has(letter));
  });
}

/** What a line lacks of the letters that are demanded [P-21]: whoever has (e) needs no (a), which is weaker. */
export function lackingLetters(demanded: readonly ProofLetter[], shown: readonly ProofLetter[]): ProofLetter[] {
  return demanded.filter((letter) => !shown.includes(letter) && !(letter === "a" && shown.includes("e")));
}

const LETTERS: readonly ProofLetter[] = ["a", "b", "c", "d", "e"];
