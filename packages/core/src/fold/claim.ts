import { equalBytes } from "../bytes.ts";
import { CoreError } from "../errors.ts";
import { isPackageId } from "../package-id.ts";
import type { SignedStatement, Signer } from "../statement.ts";
import type { Claim } from "../statements/claim.ts";
import type { Proof } from "../statements/proof.ts";
import { requireHolders, requirePossession, signingKeys } from "./signers.ts";
import {
  type EntryPlace,
  type Line,
  type PackageState,
  recoveryKeys,
  replaceLine,
  requirePrevious,
  type World,
} from "./state.ts";
import { DAY, windowEnd } from "./windows.ts";

const MAX_LINES = 8; // [A-3]

/** [A-3], [A-7]. Throws `ALREADY_CLAIMED`, `PROOF_NEEDED`, `TOO_MANY_CLAIMS`, `NOT_CHARTERED`, `WRONG_PREVIOUS`, `MISSING_POSSESSION`, `WRONG_KEY`. */
export function applyClaim(
  state: PackageState,
  subjectId: string,
  claim: Claim,
  signers: SignedStatement["signers"],
  place: EntryPlace,
  world: World,
): PackageState {
  const claimed = claim.packages.get(subjectId)!;
  refuseClaimed(state, subjectId, claim, place.time);
  requirePrevious(state, subjectId, claimed.previous, "S-17");
  if (signers !== "vouched") requireClaimants(claim, signers);
  const line: Line = {
    root: place.index,
    rootHash: place.leafHash,
    claim: place,
    claimed,
    authority: claim.authority,
    details: claim.details,
    detailsFrom: place.time,
    steps: [{ digest: claim.authority.digest, place }],
    revoked: NOBODY,
    change: null,
    recovery: null,
    funding: null,
    pendingFunding: null,
    proofs: claimed.proof
      ? [{ place, letter: "a", evidence: `${claimed.proof.version} ${claimed.proof.sha512}` }]
      : NOTHING,
    entered: 0,
    holds: NOTHING,
    endorsements: NOTHING,
  };
  if (!isPackageId(subjectId)) {
    requireChartered(subjectId, claim, world);
    return { ...state, lines: [line], epoch: 1 };
  }
  const settlesAt = Math.max(state.settlesAt ?? 0, windowEnd("claim", place.time)); // [A-4]
  return { ...state, lines: [...state.lines.slice(0, MAX_LINES - 1), line], settlesAt };
}

/** [A-6]. Throws `NOT_PENDING`, `WRONG_KEY`, `REVOKED_KEY`. */
export function applyProof(
  state: PackageState,
  subjectId: string,
  statement: Proof,
  signers: readonly Signer[],
  place: EntryPlace,
): PackageState {
  const proof = statement.proofs.get(subjectId)!;
  const line = state.lines.find((candidate) => equalBytes(candidate.claim.leafHash, proof.claim));
  if (!line || state.epoch > 0)
    throw new CoreError("NOT_PENDING", "A-6", `No such claim of ${subjectId} waits for a proof.`);
  requireHolders(signingKeys(signers, line.authority.keys, line.revoked, line.authority), 1, "A-6");
  const evidence = proof.letter === "a" ? `${proof.version} ${proof.sha512}` : proof.evidence;
  const stronger = proof.letter === "a" && !line.proofs.some(({ letter }) => letter === "a");
  if (line.proofs.length >= MAX_PROOFS && !stronger)
    throw new CoreError("TOO_LARGE", "A-6", `The claim of ${subjectId} has ${MAX_PROOFS} proofs already.`);
  const proved = { ...line, proofs: [...line.proofs, { place, letter: proof.letter, evidence }] };
  const settlesAt = stronger ? windowEnd("claim", place.time) : state.settlesAt; // [A-4]: others have the whole window to answer it
  return { ...replaceLine(state, line, proved), settlesAt };
}

const MAX_PROOFS = 16; // [A-6]
const NOBODY: ReadonlySet<string> = new Set();
const NOTHING: readonly never[] = [];

function refuseClaimed(state: PackageState, subjectId: string, { authority, packages }: Claim, time: number): void {
  const { lines, epoch, settlesAt } = state;
  const first = lines[0];
  if (!first) return;
  if (epoch > 0 || lines.some((line) => line.authority.digest === authority.digest)) {
    throw new CoreError(
      "ALREADY_CLAIMED",
      "S-21",
      `${subjectId} is claimed already, by entry ${first.claim.index}.`,
      "Its holders can show you with: touchmark explain",
    );
  }
  if (packages.get(subjectId)!.proof === null) {
    throw new CoreError(
      "PROOF_NEEDED",
      "A-3",
      `Somebody claimed ${subjectId} before, by entry ${first.claim.index}; a rival claim comes with a proof.`,
      "Publish a version whose package.json carries the authority's digest, and name it: touchmark claim --proof",
    );
  }
  // Once they are settled without a winner the newest gives way: who filled them can't keep out whoever publishes now.
  if (lines.length >= MAX_LINES && settlesAt !== null && time < settlesAt) {
    const days = Math.ceil((settlesAt - time) / DAY);
    throw new CoreError(
      "TOO_MANY_CLAIMS",
      "A-3",
      `${subjectId} has ${MAX_LINES} claims already, and they are not settled yet.`,
      `Claim it in ${days === 1 ? "1 day" : `${days} days`}: the newest of them gives way then.`,
    );
  }
}

// [S-16], [S-4]: every listed key signed, and no other.
function requireClaimants({ authority }: Claim, signers: readonly Signer[]): void {
  const listed = [...authority.keys, ...recoveryKeys(authority)];
  signingKeys(signers, listed, NOBODY, authority);
  requirePossession(listed, signers, "S-16", "The claim is not signed by every key that it lists");
}

// [A-7]
function requireChartered(subjectId: string, { authority }: Claim, { origin, chartered }: World): void {
  if (!subjectId.startsWith("log:")) return;
  if (subjectId === `log:${origin}` && chartered(authority.digest)) return;
  throw new CoreError(
    "NOT_CHARTERED",
    "A-7",
    `The authority ${authority.digest} is not the one that the operator of ${origin} has named.`,
    "Only a log's operator claims its id.",
  );
}
