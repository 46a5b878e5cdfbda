import type { Authority, HeldKey } from "../authority.ts";
import { equalBytes } from "../bytes.ts";
import { CoreError } from "../errors.ts";
import type { ClaimedPackage } from "../statements/claim.ts";
import type { Details, Power } from "../statements/details.ts";
import type { Funding } from "../statements/funding.ts";
import type { WindowName } from "./windows.ts";

/** The place of an entry in the log. */
export interface EntryPlace {
  index: number;
  /** Log time, seconds. */
  time: number;
  /** RFC 6962 hash of the entry's leaf: what references name [S-26]. */
  leafHash: Uint8Array;
  /** The entry of any kind before it in the same chain [L-2]; only adoptions look at it, [A-23]. */
  before?: { index: number; time: number } | null;
}

/** Something that takes effect by itself. */
export interface Pending {
  place: EntryPlace;
  window: WindowName;
  /** Log time from which it is in force. */
  effectiveAt: number;
  /** Whether any one live or recovery key may stop it. */
  vetoable: boolean;
}

export interface PendingChange extends Pending {
  authority: Authority;
  details: Details;
}

/** Where money goes [S-36]. */
export type FundingTerms = Pick<Funding, "channels" | "manifest" | "needs">;

export interface PendingFunding extends Pending {
  terms: FundingTerms;
}

export interface PendingAdoption extends Pending {
  authority: Authority;
  /** Log time at which it lapses. */
  expiresAt: number;
}

/** A proof of a first claim. */
export interface RecordedProof {
  place: EntryPlace;
  letter: "a" | "b" | "c" | "d";
  /** (a): `version sha512`; otherwise an address where a person can look. */
  evidence: string;
}

/** Versions that must not be installed. */
export interface Hold {
  place: EntryPlace;
  kind: "quorum" | "maintainer" | "committee";
  releases: readonly string[];
  reason: string;
  osv: string | null;
  /** Log time at which it ends by itself; null if only a lift ends it. */
  until: number | null;
  renewals: number;
  signers: readonly HeldKey[];
  /** The holders or members that a vote needed at that time. */
  threshold: number;
}

/** A committee's word for a claim. */
export interface Endorsement {
  place: EntryPlace;
  packageId: string;
  /** Leaf hash of the claim's entry. */
  claim: Uint8Array;
  confirms: readonly string[];
  signers: readonly HeldKey[];
  /** The members that a vote of the committee needed at that time. */
  threshold: number;
}

/** An authority that was in force, and the entry that it came with. */
export interface AuthorityStep {
  digest: string;
  place: EntryPlace;
}

/** A claim with all that follows from it. */
export interface Line {
  /** The index of the first claim that it goes back to, through all epochs: in a line a release id is released once [S-23]. */
  root: number;
  /** Leaf hash of that claim's entry: what endorsements name, in every epoch. */
  rootHash: Uint8Array;
  /** The entry that its epoch began with: a claim, or an adopt-final. */
  claim: EntryPlace;
  claimed: ClaimedPackage;
  authority: Authority;
  details: Details;
  /** Log time from which `details` hold. */
  detailsFrom: number;
  /** The authorities of this line, the one in force last. */
  steps: readonly AuthorityStep[];
  revoked: ReadonlySet<string>;
  change: PendingChange | null;
  recovery: PendingChange | null;
  funding: FundingTerms | null;
  pendingFunding: PendingFunding | null;
  proofs: readonly RecordedProof[];
  /** How many entries it has made that count against its allowance. */
  entered: number;
  holds: readonly Hold[];
  endorsements: readonly Endorsement[];
}

/** What the entries so far have made of a subject id. Never changed in place; starts as `UNCLAIMED`. */
export interface PackageState {
  /** The last authority entry [S-17]. */
  last: EntryPlace | null;
  /** The line in force alone, once there is one; before that every claim, the oldest first. */
  lines: readonly Line[];
  /** 0 while no line is in force; then 1, and one more with each adoption. */
  epoch: number;
  /** Log time at which the lines are compared next. */
  settlesAt: number | null;
  adoption: PendingAdoption | null;
  /** Index of the first entry from which others, who recognise other committees, may see another state. */
  divergedAt: number | null;
}

export const UNCLAIMED: PackageState = {
  last: null,
  lines: [],
  epoch: 0,
  settlesAt: null,
  adoption: null,
  divergedAt: null,
};

/** What a rule needs to know beside the subject's own state. */
export interface World {
  /** The log's origin. */
  origin: string;
  /** Whether an authority, by its digest, is the one that the log's operator has named for `log:<origin>`. */
  readonly chartered: (authority: string) => boolean;
  /** The committees that count here, and for what. */
  readonly recognised: ReadonlyMap<string, readonly Power[]>;
  /** A subject's state before the entry that is judged; undefined where it isn't known. */
  readonly state: (subjectId: string) => PackageState | undefined;
  /** Log time of a version's release entry, null if there is none; undefined where that isn't known. */
  readonly releaseTime: (releaseId: string) => number | null | undefined;
  /** Where others may recognise other committees than this one does, what they let in is void here and no fault of the log's. */
  lenient: boolean;
}

/** The line in force, or null. */
export function lineInForce(state: PackageState): Line | null {
  return state.epoch > 0 ? state.lines[0]! : null;
}

export function replaceLine(state: PackageState, before: Line, after: Line): PackageState {
  return { ...state, lines: state.lines.map((line) => (line === before ? after : line)) };
}

export function recoveryKeys(authority: Authority): readonly HeldKey[] {
  return authority.recovery?.keys ?? [];
}

/** The keys of a line that may sign now. */
export function liveKeys(line: Line): HeldKey[] {
  return line.revoked.size === 0
    ? line.authority.keys
    : line.authority.keys.filter(({ fingerprint }) => !line.revoked.has(fingerprint));
}

/** Throws `WRONG_PREVIOUS` unless the reference is to the last authority entry [S-17]. */
export function requirePrevious(
  state: PackageState,
  subjectId: string,
  previous: Uint8Array | null,
  rule: string,
): void {
  const { last } = state;
  const same =
    previous === null || last === null ? previous === null && last === null : equalBytes(previous, last.leafHash);
  if (same) return;
  throw new CoreError(
    "WRONG_PREVIOUS",
    rule,
    `The statement does not follow the last entry of ${subjectId}.`,
    "Something was entered meanwhile: make the statement anew.",
  );
}
