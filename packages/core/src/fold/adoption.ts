import type { HeldKey } from "../authority.ts";
import { equalBytes } from "../bytes.ts";
import { CoreError } from "../errors.ts";
import type { Signer } from "../statement.ts";
import type { AdoptFinal } from "../statements/adopt-final.ts";
import type { Adopt } from "../statements/adopt.ts";
import { committeeVote, partiesOf, recognisedLine, samePerson } from "./committee.ts";
import { requireHolders, requirePossession, signingKeys } from "./signers.ts";
import {
  type EntryPlace,
  type Line,
  lineInForce,
  type PackageState,
  recoveryKeys,
  requirePrevious,
  type World,
} from "./state.ts";
import { DAY, windowEnd } from "./windows.ts";

/** [A-21]. Throws `NOT_CLAIMED`, `WRONG_PREVIOUS`, `ADOPTION_REFUSED`, `NOT_DORMANT`, `MISSING_POSSESSION`, `WRONG_KEY`, `REVOKED_KEY`, `NOT_RECOGNISED`, `NO_POWER`, `THRESHOLD`. */
export function applyAdopt(
  state: PackageState,
  statement: Adopt,
  signers: readonly Signer[],
  place: EntryPlace,
  world: World,
): PackageState {
  const { packageId, authority, previous, committees } = statement;
  const line = lineInForce(state);
  if (!line)
    throw new CoreError("NOT_CLAIMED", "A-21", `${packageId} has no authority in force.`, "Claim it: touchmark claim");
  requirePrevious(state, packageId, previous, "A-21");
  requireOrphan(line, packageId, place);
  const candidates = [...authority.keys, ...recoveryKeys(authority)];
  requirePossession(candidates, signers, "A-21", "The adoption is not signed by every key of the candidate");
  const others = signers.filter((signer) => !candidates.some(({ fingerprint }) => fingerprint === signer.fingerprint));
  signingKeys(
    signers.filter((signer) => !others.includes(signer)),
    candidates,
    line.revoked, // what its holders have revoked doesn't come back as a candidate's [A-12]
    authority,
  );
  const succeeds = line.authority.successors.some((successor) =>
    authority.keys.some(({ fingerprint }) => fingerprint === successor),
  );
  const alone = succeeds || line.authority.adoption === "open";
  if (alone) signingKeys(others, [], new Set(), authority);
  else requireCommittees(state, statement, others, candidates, place.time, world);
  if (alone && committees.length > 0)
    throw new CoreError("ADOPTION_REFUSED", "A-21", "This adoption needs no committee, so it names none.");
  const window = alone ? "succession" : "adoption";
  const effectiveAt = windowEnd(window, place.time);
  const adoption = {
    place,
    window,
    effectiveAt,
    vetoable: true,
    expiresAt: windowEnd("finish", effectiveAt),
    authority,
  } as const;
  return { ...state, adoption };
}

/** [A-23]. Throws `NOT_PENDING`, `TOO_EARLY`, `SIGN_OF_LIFE`, `WRONG_KEY`, `THRESHOLD`. */
export function applyAdoptFinal(
  state: PackageState,
  { packageId, adoption: reference }: AdoptFinal,
  signers: readonly Signer[],
  place: EntryPlace,
): PackageState {
  const { adoption } = state;
  const line = lineInForce(state);
  if (!adoption || !line || !equalBytes(adoption.place.leafHash, reference))
    throw new CoreError("NOT_PENDING", "A-23", `No such adoption of ${packageId} waits to be finished.`);
  if (place.before?.index !== adoption.place.index) {
    throw new CoreError(
      "SIGN_OF_LIFE",
      "A-22",
      `${packageId} showed a sign of life after the adoption was proposed, in entry ${place.before?.index ?? "none"}.`,
      "The package is not an orphan.",
    );
  }
  const { authority } = adoption;
  if (place.time < adoption.effectiveAt) {
    const days = Math.ceil((adoption.effectiveAt - place.time) / DAY);
    throw new CoreError(
      "TOO_EARLY",
      "A-23",
      `The adoption of ${packageId} may be finished in ${days === 1 ? "1 day" : `${days} days`}.`,
    );
  }
  const keys = signingKeys(signers, authority.keys, new Set(), authority);
  requireHolders(keys, authority.releaseThreshold, "A-23");
  const fresh: Line = {
    root: line.root,
    rootHash: line.rootHash,
    claim: place,
    claimed: line.claimed,
    authority,
    details: null,
    detailsFrom: place.time,
    steps: [{ digest: authority.digest, place }],
    revoked: new Set(),
    change: null,
    recovery: null,
    funding: null,
    pendingFunding: null,
    proofs: line.proofs,
    entered: 0,
    holds: line.holds,
    endorsements: [],
  };
  return { ...state, lines: [fresh], epoch: state.epoch + 1, adoption: null };
}

/**
 * The state for whoever replays authority entries alone: an adoption is over with whatever was entered after it, a release too [A-22].
 * `last` is the index of the package's last entry of any kind.
 */
export function endAdoption(state: PackageState, last: number): PackageState {
  return state.adoption && last > state.adoption.place.index ? { ...state, adoption: null } : state;
}

// [A-21]: the mode, and nobody there.
function requireOrphan(line: Line, packageId: string, { time, before }: EntryPlace): void {
  if (line.authority.adoption === "never") {
    throw new CoreError(
      "ADOPTION_REFUSED",
      "A-21",
      `The holders of ${packageId} have ruled out that anybody adopts it.`,
      "Publish a fork under another name.",
    );
  }
  if (before && time >= windowEnd("dormancy", before.time)) return;
  throw new CoreError(
    "NOT_DORMANT",
    "A-21",
    `${packageId} is not dormant: its last entry is younger than 365 days.`,
    "Ask its holders.",
  );
}

function requireCommittees(
  state: PackageState,
  { packageId, committees }: Adopt,
  others: readonly Signer[],
  candidates: readonly HeldKey[],
  time: number,
  world: World,
): void {
  if (committees.length < 2) {
    throw new CoreError(
      "ADOPTION_REFUSED",
      "A-21",
      `An adoption needs two committees; this one names ${committees.length}.`,
      "Ask a second one, of other people.",
    );
  }
  const parties = [...partiesOf(state), ...candidates];
  const seats = committees.map((id) => ({ id, keys: recognisedLine(world, id, "adopt", time).authority.keys }));
  const seated = seats.flatMap(({ keys }) => keys);
  signingKeys(others, seated, new Set(), NO_DEMANDS);
  // Whoever sits in two of them counts in none: the committees have to be of different people.
  const double = seated.filter(
    (key) => seats.filter(({ keys }) => keys.some((other) => samePerson(key, other))).length > 1,
  );
  for (const { id, keys } of seats) {
    const own = others.filter(({ fingerprint }) => keys.some((key) => key.fingerprint === fingerprint));
    committeeVote(world, id, "adopt", packageId, time, own, [...parties, ...double]);
  }
}

const NO_DEMANDS = { userVerification: false, deviceBound: false };
