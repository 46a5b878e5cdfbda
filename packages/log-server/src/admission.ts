/**
 * Whether a verified statement may enter the log, and which entries it makes. The rules are core's; this only gathers the state that they look at.
 * Nothing here changes anything: a statement that is refused leaves no trace.
 */
import {
  applyRelease,
  applyStatement,
  type Claim,
  CoreError,
  type EntryPlace,
  packageIdHash,
  type PackageState,
  refuseSecondRelease,
  type ReleasedVersion,
  releasesOf,
  type Review,
  type SignedStatement,
  statementChains,
  UNCLAIMED,
} from "@touchmark/core";
import { encodeEntry, type EntryKind, isAuthorityKind, leafHash, type MapRecord, nodeCrypto } from "@touchmark/log";
import { LogServerError } from "./error.ts";
import { isAdoption } from "./package-states.ts";
import type { AdmittedStatement, ReleaseRow } from "./storage/ledger.ts";
import { firstPlace, logWorld, type WorldSource } from "./world.ts";

/** The state of packages before the statement. Package id hashes are 32 bytes. */
export type PackageView = {
  readonly head: (packageHash: Uint8Array) => MapRecord | undefined;
  /** Of the statement's own subjects and of those that its rules look at; undefined for others. */
  readonly state: (packageId: string) => PackageState | undefined;
  /** All releases of a version, of whichever line [S-23]. */
  readonly releases: (packageHash: Uint8Array, version: string) => readonly ReleaseRow[];
  /** Log time of the entry at this index. */
  readonly time: (index: number) => number;
  /** How many versions the list with this root has, if it is there already. */
  readonly earlierSize: (root: Uint8Array) => number | undefined;
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

/** Who admits: its origin, and the authority that its operator has named for its own id. */
export type AdmittingLog = Pick<WorldSource, "origin" | "chartered">;

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
  log: AdmittingLog,
): Admission {
  const { signed, envelope, envelopeHash } = candidate;
  const entries: Uint8Array[] = [];
  const heads: MapRecord[] = [];
  const releases: ReleaseRow[] = [];
  const states = new Map<string, PackageState>();
  const kind: EntryKind = signed.statement.kind;
  const world = logWorld({
    ...log,
    time: () => time,
    state: view.state,
    releaseTime: (packageHash, version) => {
      const position = firstPlace(view.releases(packageHash, version).map((row) => row.position));
      return position === null ? null : view.time(position);
    },
  });

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
    const before = view.state(packageId) ?? UNCLAIMED;
    if (signed.statement.kind === "release") {
      const { state, release } = applyRelease(before, packageId, signed, time, world);
      states.set(packageId, state);
      const released = releasesOf(signed.statement, packageId);
      releases.push(...freshReleases(view, released, packageHash, index, release.line.root));
    } else {
      const entryBefore = head && isAdoption(kind) ? { index: head.last, time: view.time(head.last) } : null;
      const place: EntryPlace = { index, time, leafHash: leafHash(entry), before: entryBefore };
      states.set(packageId, applyStatement(before, packageId, signed, place, world));
    }
    if (signed.statement.kind === "review") releases.push(...reviewRows(signed.statement, packageHash, index));
    heads.push({ packageHash, last: index, lastAuthority: isAuthorityKind(kind) ? index : previousAuthority });
    entries.push(entry);
  }
  const earlier = signed.statement.kind === "claim" ? earlierLists(view, signed.statement, candidate) : [];
  return {
    statement: { digest: bytesOf(signed.digest), envelopeHash, envelope, entries, heads, releases, earlier },
    states,
  };
}

/** [S-23] What another line released takes no version away. */
function freshReleases(
  view: PackageView,
  released: readonly ReleasedVersion[],
  packageHash: Uint8Array,
  position: number,
  line: number,
): ReleaseRow[] {
  return released.map((one) => {
    const { version, sha512, tarSha512 } = one;
    const before = view.releases(packageHash, version).find((row) => row.line === line);
    if (before !== undefined)
      refuseSecondRelease(one, { sha512: hex(before.sha512), tarSha512: hex(before.tarSha512) });
    return { packageHash, version, line, sha512: bytesOf(sha512), tarSha512: bytesOf(tarSha512), position };
  });
}

/** [E-20] A committee's reviews are found by what they are about. */
function reviewRows({ reviews }: Review, packageHash: Uint8Array, position: number): ReleaseRow[] {
  return [...reviews].map(([releaseId, { sha512, tarSha512 }]) => ({
    packageHash,
    version: releaseId,
    line: position,
    sha512: bytesOf(sha512),
    tarSha512: bytesOf(tarSha512),
    position,
  }));
}

/** [S-15] The log keeps the list that a claim commits to, so that others can prove from it. */
function earlierLists(view: PackageView, claim: Claim, candidate: Candidate): { root: Uint8Array; list: string }[] {
  const lists: { root: Uint8Array; list: string }[] = [];
  for (const [packageId, { earlier }] of claim.packages) {
    const given = candidate.earlier.get(packageId);
    if (given === undefined) {
      if (earlier.size === 0) continue;
      const size = view.earlierSize(earlier.root);
      if (size === earlier.size) continue;
      if (size !== undefined) throw wrongEarlier(packageId);
      throw new LogServerError(
        "EARLIER_MISSING",
        `The list of earlier versions of ${packageId} is missing.`,
        "It is submitted together with the claim.",
      );
    }
    if (given.size !== earlier.size || Buffer.compare(given.root, earlier.root) !== 0) throw wrongEarlier(packageId);
    if (given.size > 0) lists.push({ root: given.root, list: given.text });
  }
  return lists;
}

function wrongEarlier(packageId: string): LogServerError {
  return new LogServerError(
    "EARLIER_WRONG",
    `The list of earlier versions of ${packageId} is not the one that the claim names.`,
  );
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
