import { type Authority, countHolders, type HeldKey } from "./authority.ts";
import { equalBytes } from "./bytes.ts";
import type { ClaimedPackage } from "./statements/claim.ts";
import { CoreError } from "./errors.ts";
import type { Release, ReleasedVersion } from "./statements/release.ts";
import { type SignatureDemands, verifyFlags } from "./sshsig.ts";
import type { SignedStatement, Signer, Statement } from "./statement.ts";

// The rules of admission, one package at a time. The log applies them before it appends, and everybody who checks
// a package applies them again to the same entries: what the log should not have admitted is refused here too.

/** Seconds for which a claim is pending [S-20]. */
export const CLAIM_WINDOW: number = 7 * 86_400;

/** The place of an entry in the log. */
export interface EntryPlace {
  index: number;
  /** Log time, seconds. */
  time: number;
  /** RFC 6962 hash of the entry's leaf. */
  leafHash: Uint8Array;
}

/** A package's claim, and where it stands. */
export interface ClaimInForce {
  place: EntryPlace;
  authority: Authority;
  claimed: ClaimedPackage;
}

/** What the authority entries so far have made of a package. Starts as `UNCLAIMED`. */
export interface PackageState {
  claim: ClaimInForce | null;
  /** The last authority entry [S-17]. */
  last: EntryPlace | null;
}

export const UNCLAIMED: PackageState = { claim: null, last: null };

export type ClaimStatus = "pending" | "unproven";

/** A claim's status at a log time [S-20]. */
export function claimStatus(claim: ClaimInForce, time: number): ClaimStatus {
  return time < claim.place.time + CLAIM_WINDOW ? "pending" : "unproven";
}

/**
 * The state of a package after one more of its entries; a release leaves it as it is.
 * Throws a `CoreError` with the number of the rule if the entry is not admissible in this state.
 */
export function applyStatement(
  state: PackageState,
  packageId: string,
  signed: SignedStatement,
  place: EntryPlace,
  origin: string,
): PackageState {
  checkLog(signed.statement, origin);
  switch (signed.statement.kind) {
    case "claim":
      return applyClaim(state, packageId, signed, place);
    case "release":
      checkRelease(state, packageId, signed);
      return state;
    default:
      throw new CoreError(
        "UNKNOWN_KIND",
        "S-10",
        `Statements of the kind ${signed.statement.kind} can be read, but are not admitted yet.`,
        "A newer version may admit them.",
      );
  }
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

/** The keys that made a release's signatures, when they suffice under an authority. Throws `WRONG_KEY`, `THRESHOLD` and others. */
export function checkReleaseSigners(authority: Authority, signers: SignedStatement["signers"]): HeldKey[] {
  if (signers === "vouched") throw new CoreError("MALFORMED", "S-22", "Nobody can vouch for a release.");
  const keys = signers.map((signer) => findKey(authority.keys, signer, authority)); // [S-24]: recovery keys are in another list
  const votes = countHolders(keys);
  if (votes < authority.releaseThreshold) {
    const who = keys.length === 0 ? "nobody" : [...new Set(keys.map(({ holder }) => holder))].join(", ");
    const twice = keys.length > votes ? " Several keys of one holder are one vote." : "";
    throw new CoreError(
      "THRESHOLD",
      "S-22",
      `Signed by ${votes} of ${authority.releaseThreshold} holders (${who}).${twice}`,
      "Ask another holder to sign.",
    );
  }
  return keys;
}

function applyClaim(state: PackageState, packageId: string, signed: SignedStatement, place: EntryPlace): PackageState {
  const { statement } = signed;
  const claimed = statement.kind === "claim" ? statement.packages.get(packageId) : undefined;
  if (statement.kind !== "claim" || !claimed)
    throw new CoreError("MALFORMED", "S-11", `The claim is not about ${packageId}.`);
  if (state.claim) {
    throw new CoreError(
      "ALREADY_CLAIMED",
      "S-21",
      `${packageId} is claimed already, by entry ${state.claim.place.index}.`,
      "Its holders can show you with: touchmark explain",
    );
  }
  if (!samePlace(claimed.previous, state.last)) {
    throw new CoreError(
      "WRONG_PREVIOUS",
      "S-17",
      `The claim of ${packageId} does not follow the package's last entry.`,
    );
  }
  if (signed.signers !== "vouched") checkPossession(statement.authority, signed.signers);
  return { claim: { place, authority: statement.authority, claimed }, last: place };
}

// [S-16], [S-4]: every listed key signed, and no other.
function checkPossession(authority: Authority, signers: Signer[]): void {
  const listed = [...authority.keys, ...(authority.recovery?.keys ?? [])];
  for (const signer of signers) findKey(listed, signer, authority);
  const signed = new Set(signers.map(({ fingerprint }) => fingerprint));
  const missing = listed.filter(({ fingerprint }) => !signed.has(fingerprint));
  if (missing.length > 0) {
    const who = missing.map(({ holder, fingerprint }) => `${holder} (${fingerprint})`).join(", ");
    throw new CoreError(
      "MISSING_POSSESSION",
      "S-16",
      `The claim is not signed by every key that it lists: ${who}.`,
      "Every listed key signs the claim, to prove that it exists.",
    );
  }
}

function checkRelease(state: PackageState, packageId: string, signed: SignedStatement): void {
  if (signed.statement.kind !== "release" || releasesOf(signed.statement, packageId).length === 0) {
    throw new CoreError("MALFORMED", "S-18", `The release is not about ${packageId}.`);
  }
  if (!state.claim) {
    throw new CoreError(
      "NOT_CLAIMED",
      "S-22",
      `${packageId} is not claimed.`,
      "Claim the package first: touchmark claim",
    );
  }
  checkReleaseSigners(state.claim.authority, signed.signers);
}

/** The versions of one package that a release names. */
export function releasesOf(release: Release, packageId: string): ReleasedVersion[] {
  return [...release.releases.values()].filter((released) => released.packageId === packageId);
}

/** Refuses a version that was released before [S-23]: throws `ALREADY_RELEASED`, or `EQUIVOCATION` when the digests differ. */
export function refuseSecondRelease(released: ReleasedVersion, earlier: { sha512: string; tarSha512: string }): never {
  const id = `${released.packageId}@${released.version}`;
  if (released.sha512 === earlier.sha512 && released.tarSha512 === earlier.tarSha512) {
    throw new CoreError("ALREADY_RELEASED", "S-23", `${id} was released before, over the same bytes.`);
  }
  throw new CoreError(
    "EQUIVOCATION",
    "S-23",
    `${id} was released before over other bytes: sha512 ${earlier.sha512.slice(0, 16)}… then, ${released.sha512.slice(0, 16)}… now.`,
    "Release the new bytes under a new version.",
  );
}

function findKey(keys: HeldKey[], signer: Signer, demands: SignatureDemands): HeldKey {
  const key = keys.find(({ fingerprint }) => fingerprint === signer.fingerprint);
  if (!key) {
    throw new CoreError(
      "WRONG_KEY",
      "S-4",
      `Signed by the wrong key: ${signer.fingerprint} is not of this package's authority.`,
      "Remove the signature, or sign with an enrolled key.",
    );
  }
  verifyFlags(signer.flags, demands);
  return key;
}

function samePlace(previous: Uint8Array | null, last: EntryPlace | null): boolean {
  if (previous === null || last === null) return previous === null && last === null;
  return equalBytes(previous, last.leafHash);
}
