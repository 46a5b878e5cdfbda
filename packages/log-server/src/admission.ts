/**
 * Whether a verified statement may enter the log, and which entries it makes. The rules are core's; this only gathers the state that they look at.
 * Nothing here changes anything: a statement that is refused leaves no trace.
 */
import {
  applyStatement,
  type Claim,
  CoreError,
  type EntryPlace,
  packageIdHash,
  type PackageState,
  refuseSecondRelease,
  releasesOf,
  type SignedStatement,
  statementChains,
} from "@touchmark/core";
import { encodeEntry, type EntryKind, isAuthorityKind, leafHash, type MapRecord, nodeCrypto } from "@touchmark/log";
import { LogServerError } from "./error.ts";
import type { AdmittedStatement, ReleaseRow } from "./storage/ledger.ts";

/** The state of packages before the statement. Package id hashes are 32 bytes. */
export type PackageView = {
  readonly head: (packageHash: Uint8Array) => MapRecord | undefined;
  readonly state: (packageId: string, packageHash: Uint8Array) => PackageState;
  readonly release: (packageHash: Uint8Array, version: string) => ReleaseRow | undefined;
  /** Whether the list of earlier versions with this root is there already. */
  readonly hasEarlier: (root: Uint8Array) => boolean;
};

/** A statement whose signatures were verified, with the bytes that it came in. */
export type Candidate = {
  readonly signed: SignedStatement;
  readonly envelope: Uint8Array;
  readonly envelopeHash: Uint8Array;
  /** By package id: the earlier versions, one `version sha512` a line, each ended by a line feed, and the RFC 6962 root of the lines. */
  readonly earlier: ReadonlyMap<string, EarlierText>;
};

export type EarlierText = { readonly size: number; readonly root: Uint8Array; readonly text: string };

/** What goes into the store, and the packages' states after it. */
export type Admission = { readonly statement: AdmittedStatement; readonly states: ReadonlyMap<string, PackageState> };

/**
 * [L-14] The entries of a statement, the first at index `first`, at log time `time`. Throws a `CoreError` by the rule that refuses it, or `EARLIER_MISSING`,
 * `EARLIER_WRONG` if a claim's lists of earlier versions are not with it.
 */
export function admitStatement(
  view: PackageView,
  candidate: Candidate,
  first: number,
  time: number,
  origin: string,
): Admission {
  const { signed, envelope, envelopeHash } = candidate;
  const entries: Uint8Array[] = [];
  const heads: MapRecord[] = [];
  const releases: ReleaseRow[] = [];
  const states = new Map<string, PackageState>();
  const kind: EntryKind = signed.statement.kind;

  // [L-6]
  for (const packageId of statementChains(signed.statement)) {
    const packageHash = packageIdHash(nodeCrypto, packageId);
    const head = view.head(packageHash);
    const index = first + entries.length;
    const previousAuthority = head?.lastAuthority ?? null;
    const entry = encodeEntry({
      kind,
      time,
      packageHash,
      envelopeHash,
      previous: head?.last ?? null,
      previousAuthority,
    });
    const place: EntryPlace = { index, time, leafHash: leafHash(entry) };
    states.set(packageId, applyStatement(view.state(packageId, packageHash), packageId, signed, place, origin));
    releases.push(...freshReleases(view, signed, packageId, packageHash, index));
    heads.push({ packageHash, last: index, lastAuthority: isAuthorityKind(kind) ? index : previousAuthority });
    entries.push(entry);
  }
  const earlier = signed.statement.kind === "claim" ? earlierLists(view, signed.statement, candidate) : [];
  return {
    statement: { digest: bytesOf(signed.digest), envelopeHash, envelope, entries, heads, releases, earlier },
    states,
  };
}

/** [S-23] */
function freshReleases(
  view: PackageView,
  signed: SignedStatement,
  packageId: string,
  packageHash: Uint8Array,
  position: number,
): ReleaseRow[] {
  if (signed.statement.kind !== "release") return [];
  return releasesOf(signed.statement, packageId).map((released) => {
    const before = view.release(packageHash, released.version);
    if (before !== undefined) {
      refuseSecondRelease(released, { sha512: hex(before.sha512), tarSha512: hex(before.tarSha512) });
    }
    const { version } = released;
    return {
      packageHash,
      version,
      sha512: bytesOf(released.sha512),
      tarSha512: bytesOf(released.tarSha512),
      position,
    };
  });
}

/** [S-15] The log keeps the list that a claim commits to, so that others can prove from it. */
function earlierLists(view: PackageView, claim: Claim, candidate: Candidate): { root: Uint8Array; list: string }[] {
  const lists: { root: Uint8Array; list: string }[] = [];
  for (const [packageId, { earlier }] of claim.packages) {
    const given = candidate.earlier.get(packageId);
    if (given === undefined) {
      if (earlier.size === 0 || view.hasEarlier(earlier.root)) continue;
      throw new LogServerError(
        "EARLIER_MISSING",
        `The list of earlier versions of ${packageId} is missing.`,
        "It is submitted together with the claim.",
      );
    }
    if (given.size !== earlier.size || Buffer.compare(given.root, earlier.root) !== 0) {
      throw new LogServerError(
        "EARLIER_WRONG",
        `The list of earlier versions of ${packageId} is not the one that the claim names.`,
      );
    }
    if (given.size > 0) lists.push({ root: given.root, list: given.text });
  }
  return lists;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The bytes of hex that core has checked. */
function bytesOf(checkedHex: string): Uint8Array {
  return Buffer.from(checkedHex, "hex");
}

/** Whether an error is a statement's fault, so that it is refused and everything else goes on. */
export function isRefusal(error: unknown): error is CoreError | LogServerError {
  return error instanceof CoreError || (error instanceof LogServerError && error.code.startsWith("EARLIER_"));
}
