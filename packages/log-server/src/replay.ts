/**
 * All leaves of a log, one after another, by every rule of chapters 03 and 04: what the store's check and an auditor have in common.
 * Trust assumption: the caller has shown that the leaves are those of a signed checkpoint; all else is looked at here.
 */
import {
  applyRelease,
  applyStatement,
  type Claim,
  CoreError,
  equalBytes,
  packageIdHash,
  type PackageState,
  type Release,
  releasesOf,
  type SignedStatement,
  statementChains,
} from "@touchmark/core";
import {
  type EpochLeaf,
  isAuthorityKind,
  leafHash,
  LogError,
  type MapDraft,
  type MapRecord,
  nodeCrypto,
  type PackageEntry,
  type PackageMap,
  parseLeaf,
} from "@touchmark/log";
import { isAdoption } from "./package-states.ts";
import { firstPlace, logWorld } from "./world.ts";

/** What is not as a rule says: at which leaf, by which rule of docs/spec, in one sentence. */
export type Problem = { readonly index: number; readonly rule: string; readonly message: string };

/** What lies beside the log. */
export type ReplayMaterial = {
  /** A statement whose signatures were verified, by the SHA-256 of its envelope; `undefined` if there is no such envelope. Throws a `CoreError` for a bad one. */
  readonly statement: (envelopeHash: Uint8Array) => SignedStatement | undefined;
  /** How many versions the list with this root has [S-15]; `undefined` if there is no such list. */
  readonly earlierSize: (root: Uint8Array) => number | undefined;
};

/** What has to be remembered of the leaves so far. */
export type ReplayMemory = {
  /** A package's state after its authority entry `last`, or before any if that is `null`. */
  readonly state: (packageId: string, last: number | null) => PackageState;
  readonly keepEntry: (kept: KeptEntry) => void;
  /** Log time of the entry at this index; `undefined` if it was not kept. */
  readonly time: (index: number) => number | undefined;
  /** The entries that released this version: their indices, and those of the claims whose holders did it [S-23]. */
  readonly releases: (packageHash: Uint8Array, version: string) => readonly KeptRelease[];
  /** Remembers the first release of a version by a line; if that line released it before, gives the index of that entry instead [S-23]. */
  readonly keepRelease: (packageHash: Uint8Array, version: string, release: KeptRelease) => number | undefined;
  /** Remembers the first entry of a statement; if the statement was logged before, gives the index of that entry instead. */
  readonly keepStatement: (digest: string, index: number) => number | undefined;
};

export type KeptRelease = { readonly index: number; readonly line: number };

/** A leaf's bytes, and what they say, or why they are no leaf [L-1]. */
export type ReadLeaf = { readonly bytes: Uint8Array; readonly leaf: PackageEntry | EpochLeaf | LogError };

/** A package entry that was applied, and the package's state after it. */
export type KeptEntry = {
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly entry: PackageEntry;
  readonly packageId: string;
  readonly state: PackageState;
};

/** Where a replay begins, which is behind an epoch leaf or before all leaves. `time` is that of the last leaf, `map` what that epoch leaf vouches for. */
export type ReplayStart = { readonly size: number; readonly time: number; readonly map: PackageMap };

export type Replay = {
  /** Gives the problems that it finds in the next leaf. */
  readonly next: (read: ReadLeaf, material: ReplayMaterial) => readonly Problem[];
  /** The problem of a checkpoint that ends here, if there is one. */
  readonly end: () => Problem | undefined;
  /** Whether the last leaf was an epoch leaf: then `map` is up to date, and a later replay can start from here. */
  readonly settled: () => boolean;
  /** The last leaf's time. */
  readonly time: () => number;
};

export type ReplayOptions = {
  readonly origin: string;
  readonly start: ReplayStart;
  readonly memory: ReplayMemory;
  /** In seconds, what no leaf's time may be above [M-6]; without it times are only compared with each other. */
  readonly latest?: number;
  /** Whether an authority is the one that the operator has named for the log's own id; without it that isn't looked at. */
  readonly chartered?: (authority: string) => boolean;
};

export function readLeaf(bytes: Uint8Array): ReadLeaf {
  try {
    return { bytes, leaf: parseLeaf(bytes) };
  } catch (error) {
    if (error instanceof LogError) return { bytes, leaf: error };
    throw error;
  }
}

export function createReplay(options: ReplayOptions): Replay {
  const { origin, start, memory, latest = Infinity, chartered = () => true } = options;
  const { map } = start;
  let { size: index, time } = start;
  let lastEpoch = index === 0 ? null : index - 1;
  let statement: Open | undefined;
  let draft: MapDraft | undefined;
  let problems: Problem[] = [];

  const report = (rule: string, message: string): void => {
    problems.push({ index, rule, message });
  };
  const headOf = (packageHash: Uint8Array): MapRecord | undefined => (draft ?? map).get(packageHash);

  // The entry that is judged is its subject's head already: its rules see the state before it.
  let judged: { packageId: string; lastAuthority: number | null } | undefined;
  const world = logWorld({
    origin,
    chartered,
    time: () => time,
    state: (subjectId) =>
      memory.state(
        subjectId,
        subjectId === judged?.packageId
          ? judged.lastAuthority
          : (headOf(packageIdHash(nodeCrypto, subjectId))?.lastAuthority ?? null),
      ),
    releaseTime: (packageHash, version) => {
      const first = firstPlace(memory.releases(packageHash, version).map((release) => release.index));
      return first === null ? null : memory.time(first);
    },
  });

  const replayEpoch = (epoch: EpochLeaf): void => {
    if (statement) report("L-6", `Leaf ${index} interrupts the entries of one statement.`);
    statement = undefined;
    if (epoch.covers !== index) report("L-3", `Epoch leaf ${index} covers ${epoch.covers} leaves.`);
    if (epoch.previousEpoch !== lastEpoch) report("L-3", `Epoch leaf ${index} names another epoch leaf before it.`);
    draft?.commit();
    draft = undefined;
    if (!equalBytes(epoch.mapRoot, map.root())) report("L-9", `Epoch leaf ${index} has another map root.`);
    lastEpoch = index;
  };

  const replayEntry = (entry: PackageEntry, leaf: Uint8Array, material: ReplayMaterial): void => {
    const head = headOf(entry.packageHash);
    const lastAuthority = head?.lastAuthority ?? null;
    if (index === 0) report("L-8", "The first leaf is no epoch leaf.");
    if (entry.previous !== (head?.last ?? null) || entry.previousAuthority !== lastAuthority) {
      report("L-2", `Entry ${index} does not follow its package's last entry.`);
    }
    draft ??= map.draft();
    draft.set({
      packageHash: entry.packageHash,
      last: index,
      lastAuthority: isAuthorityKind(entry.kind) ? index : lastAuthority,
    });
    if (statement === undefined) {
      const signed = material.statement(entry.envelopeHash);
      if (signed === undefined) {
        report("L-5", `Leaf ${index}: its envelope is missing.`);
        return;
      }
      const before = memory.keepStatement(signed.digest, index);
      if (before !== undefined) report("L-15", `Entry ${index} is of a statement that entry ${before} logged.`);
      statement = { signed, envelopeHash: entry.envelopeHash, packages: statementChains(signed.statement), at: 0 };
    }
    const { signed, envelopeHash, packages } = statement;
    const packageId = packages[statement.at++]!;
    if (statement.at === packages.length) statement = undefined;
    if (!equalBytes(envelopeHash, entry.envelopeHash)) {
      statement = undefined;
      report("L-6", `Leaf ${index} interrupts the entries of one statement.`);
      return;
    }
    if (!equalBytes(packageIdHash(nodeCrypto, packageId), entry.packageHash)) {
      report("L-6", `Entry ${index} is not about the package that its statement names.`);
      return;
    }
    if (entry.kind !== signed.statement.kind) {
      report("L-4", `Entry ${index} is of another kind than its statement.`);
      return;
    }
    judged = { packageId, lastAuthority };
    const before = memory.state(packageId, lastAuthority);
    const { statement: made } = signed;
    // [L-14]
    if (made.kind === "release") {
      const { state, release } = applyRelease(before, packageId, signed, entry.time, world);
      memory.keepEntry({ index, leaf, entry, packageId, state });
      checkVersions(made, packageId, entry.packageHash, release.line.root);
    } else {
      const beforeTime = head && isAdoption(entry.kind) ? memory.time(head.last) : undefined;
      const entryBefore = head && beforeTime !== undefined ? { index: head.last, time: beforeTime } : null;
      const place = { index, time: entry.time, leafHash: leafHash(leaf), before: entryBefore };
      const state = applyStatement(before, packageId, signed, place, world);
      memory.keepEntry({ index, leaf, entry, packageId, state });
      if (made.kind === "claim") checkEarlier(made, packageId, material);
    }
  };

  const checkVersions = (made: Release, packageId: string, packageHash: Uint8Array, line: number): void => {
    for (const { version } of releasesOf(made, packageId)) {
      const before = memory.keepRelease(packageHash, version, { index, line });
      if (before !== undefined) {
        report("S-23", `Entry ${index} releases ${packageId}@${version}, which entry ${before} released.`);
      }
    }
  };

  const checkEarlier = (made: Claim, packageId: string, material: ReplayMaterial): void => {
    const earlier = made.packages.get(packageId)?.earlier;
    if (!earlier || earlier.size === 0) return;
    const size = material.earlierSize(earlier.root);
    if (size === undefined) report("S-15", `The list of earlier versions that entry ${index} names is missing.`);
    else if (size !== earlier.size) {
      report("S-15", `The list that entry ${index} names has ${size} versions, not ${earlier.size}.`);
    }
  };

  return {
    next: ({ bytes, leaf }, material) => {
      problems = [];
      try {
        if (leaf instanceof LogError) throw leaf;
        if (leaf.time < time) report("L-7", `Leaf ${index} is older than the leaf before it.`);
        if (leaf.time > latest) {
          report("M-6", `Leaf ${index} is ${leaf.time - latest} seconds further ahead than clocks may differ.`);
        }
        time = leaf.time;
        if (leaf.kind === "epoch") replayEpoch(leaf);
        else replayEntry(leaf, bytes, material);
      } catch (error) {
        if (error instanceof CoreError) report(error.rule, `Leaf ${index}: ${error.message}`);
        else if (error instanceof LogError) report("L-1", `Leaf ${index}: ${error.message}`);
        else throw error;
      }
      index++;
      return problems;
    },
    end: () =>
      lastEpoch === index - 1
        ? undefined
        : { index: index - 1, rule: "L-8", message: "The last leaf is no epoch leaf." },
    settled: () => lastEpoch === index - 1,
    time: () => time,
  };
}

/** A statement of which not all entries were seen; the next one is about package number `at`. */
type Open = {
  readonly signed: SignedStatement;
  readonly envelopeHash: Uint8Array;
  readonly packages: readonly string[];
  at: number;
};
