import { CoreError } from "../errors.ts";
import { type SignedStatement, type Signer, type Statement, statementChains } from "../statement.ts";
import { applyAdopt, applyAdoptFinal } from "./adoption.ts";
import { applyChange, applyRevoke } from "./change.ts";
import { countEntry } from "./allowance.ts";
import { applyClaim, applyProof } from "./claim.ts";
import { applyEndorse } from "./endorse.ts";
import { applyFunding } from "./funding.ts";
import { applyHold, applyLift } from "./hold.ts";
import { type JudgedRelease, judgeRelease } from "./release.ts";
import { judgeReview } from "./review.ts";
import { settle } from "./settle.ts";
import type { EntryPlace, PackageState, World } from "./state.ts";
import { applyVeto } from "./veto.ts";

// The rules of admission, one chain at a time. The log applies them before it appends, and everybody who checks a package applies them again
// to the same entries: what the log should not have admitted is refused here too.

/**
 * The state of a subject after one more entry of its chain [S-40]; releases and reviews leave it as it is.
 * Throws a `CoreError` with the number of the rule if the entry is not admissible in this state; in a lenient world, an entry that others
 * may have let in by committees that don't count here is void instead.
 */
export function applyStatement(
  state: PackageState,
  subjectId: string,
  signed: SignedStatement,
  place: EntryPlace,
  world: World,
): PackageState {
  const { statement } = signed;
  const settled = settledFor(state, subjectId, statement, place.time, world);
  const counts = statement.kind !== "release" && statement.kind !== "review";
  try {
    const applied = applyKind(settled, subjectId, signed, place, world);
    if (!counts) return settled;
    const next = COUNTED.has(statement.kind) && !world.lenient ? countEntry(settled, applied, place) : applied;
    const adoption = statement.kind === "adopt" ? next.adoption : null;
    return { ...next, adoption, last: place };
  } catch (error) {
    if (!world.lenient || !counts || !(error instanceof CoreError) || !mayBeGoodElsewhere(error, settled)) throw error;
    return { ...settled, adoption: null, last: place, divergedAt: settled.divergedAt ?? place.index };
  }
}

/** As {@link applyStatement}, for a release, with what was judged: whoever keeps releases by their line [S-23] need not judge again. `time` is the entry's. */
export function applyRelease(
  state: PackageState,
  packageId: string,
  { statement, signers }: SignedStatement,
  time: number,
  world: World,
): { state: PackageState; release: JudgedRelease } {
  const settled = settledFor(state, packageId, statement, time, world);
  return { state: settled, release: judgeRelease(settled, packageId, signers, time, world) };
}

function settledFor(
  state: PackageState,
  subjectId: string,
  statement: Statement,
  time: number,
  world: World,
): PackageState {
  checkLog(statement, world.origin);
  if (!statementChains(statement).includes(subjectId))
    throw new CoreError("MALFORMED", "S-40", `The ${statement.kind} is not about ${subjectId}.`);
  return settle(state, subjectId, time, world);
}

// of what a line may enter before it is in force. Who recognises other committees may take a line for one that isn't.
const COUNTED: ReadonlySet<Statement["kind"]> = new Set(["change", "veto", "funding", "hold", "lift"]);

// whoever recognises other committees may see another line in force, or one where there is none here.
function mayBeGoodElsewhere({ code }: CoreError, { lines, epoch, divergedAt }: PackageState): boolean {
  return (
    code === "NOT_RECOGNISED" || divergedAt !== null || (epoch === 0 && lines.length > 0 && code === "NOT_CLAIMED")
  );
}

/** A statement is for the logs that it names [S-8]. Throws `WRONG_LOG`. */
export function checkLog(statement: Statement, origin: string): void {
  if (statement.logs.includes(origin)) return;
  throw new CoreError(
    "WRONG_LOG",
    "S-8",
    `The statement was made for another log than ${origin}.`,
    `It names ${statement.logs.join(", ")}.`,
  );
}

function applyKind(
  state: PackageState,
  subjectId: string,
  { statement, signers }: SignedStatement,
  place: EntryPlace,
  world: World,
): PackageState {
  switch (statement.kind) {
    case "claim":
      return applyClaim(state, subjectId, statement, signers, place, world);
    case "release":
      judgeRelease(state, subjectId, signers, place.time, world);
      return state;
    case "change":
      return applyChange(state, subjectId, statement, own(signers), place);
    case "revoke":
      return applyRevoke(state, subjectId, statement, own(signers));
    case "veto":
      return applyVeto(state, subjectId, statement, own(signers), place);
    case "proof":
      return applyProof(state, subjectId, statement, own(signers), place);
    case "funding":
      return applyFunding(state, subjectId, statement, own(signers), place);
    case "adopt":
      return applyAdopt(state, statement, own(signers), place, world);
    case "adopt-final":
      return applyAdoptFinal(state, statement, own(signers), place);
    case "hold":
      return applyHold(state, statement, own(signers), place, world);
    case "lift":
      return applyLift(state, statement, own(signers), place);
    case "endorse":
      return applyEndorse(state, statement, own(signers), place, world);
    case "review":
      judgeReview(state, statement, own(signers), place.time, world);
      return state;
  }
}

function own(signers: SignedStatement["signers"]): readonly Signer[] {
  if (signers === "vouched") throw new CoreError("MALFORMED", "V-11", "Only for a claim can a policy vouch.");
  return signers;
}
