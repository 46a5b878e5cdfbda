/**
 * All leaves of a log, one after another, by every rule of chapters 03 and 04: what the store's check and an auditor have in common.
 * Trust assumption: the caller has shown that the leaves are those of a signed checkpoint; all else is looked at here.
 */
import {
  applyRelease,
  applyStatement,
  CoreError,
  type EntryPlace,
  equalBytes,
  type JudgedRelease,
  packageIdHash,
  type PackageState,
  releasesOf,
  type SignedStatement,
  type Statement,
  statementChains,
} from "@touchmark/core";
import {
  digestFromBytes,
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
  readonly next: (leaf: Uint8Array, material: ReplayMaterial) => Generator<Problem>;
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

export function createReplay(options: ReplayOptions): Replay {
  const { origin, start, memory, latest = Infinity, chartered = () => true } = options;
  const { map } = start;
  let { size: index, time } = start;
  let lastEpoch = index === 0 ? null : index - 1;
  let statement: Open | undefined;
  let draft: MapDraft | undefined;
  const heads = new Map<string, MapRecord>();

  const problem = (rule: string, message: string): Problem => ({ index, rule, message });
  const headOf = (packageHash: Uint8Array): MapRecord | undefined =>
    heads.get(digestFromBytes(packageHash)) ?? map.get(packageHash);
  const setHead = (record: MapRecord): void => {
    heads.set(digestFromBytes(record.packageHash), record);
    draft ??= map.draft();
    draft.set(record);
  };

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

  const epochProblems = function* (epoch: EpochLeaf): Generator<Problem> {
    if (statement) yield problem("L-6", `Leaf ${index} interrupts the entries of one statement.`);
    statement = undefined;
    if (epoch.covers !== index) yield problem("L-3", `Epoch leaf ${index} covers ${epoch.covers} leaves.`);
    if (epoch.previousEpoch !== lastEpoch)
      yield problem("L-3", `Epoch leaf ${index} names another epoch leaf before it.`);
    draft?.commit();
    draft = undefined;
    heads.clear();
    if (!equalBytes(epoch.mapRoot, map.root())) yield problem("L-9", `Epoch leaf ${index} has another map root.`);
    lastEpoch = index;
  };

  const entryProblems = function* (
    entry: PackageEntry,
    leaf: Uint8Array,
    material: ReplayMaterial,
  ): Generator<Problem> {
    const head = headOf(entry.packageHash);
    const lastAuthority = head?.lastAuthority ?? null;
    if (index === 0) yield problem("L-8", "The first leaf is no epoch leaf.");
    if (entry.previous !== (head?.last ?? null) || entry.previousAuthority !== lastAuthority) {
      yield problem("L-2", `Entry ${index} does not follow its package's last entry.`);
    }
    setHead({
      packageHash: entry.packageHash,
      last: index,
      lastAuthority: isAuthorityKind(entry.kind) ? index : lastAuthority,
    });
    if (statement === undefined) {
      const signed = material.statement(entry.envelopeHash);
      if (signed === undefined) {
        yield problem("L-5", `Leaf ${index}: its envelope is missing.`);
        return;
      }
      const before = memory.keepStatement(signed.digest, index);
      if (before !== undefined) yield problem("L-15", `Entry ${index} is of a statement that entry ${before} logged.`);
      statement = { signed, envelopeHash: entry.envelopeHash, packages: [...statementChains(signed.statement)] };
    }
    const { signed, envelopeHash, packages } = statement;
    const packageId = packages.shift()!;
    if (packages.length === 0) statement = undefined;
    if (!equalBytes(envelopeHash, entry.envelopeHash)) {
      statement = undefined;
      yield problem("L-6", `Leaf ${index} interrupts the entries of one statement.`);
      return;
    }
    if (!equalBytes(packageIdHash(nodeCrypto, packageId), entry.packageHash)) {
      yield problem("L-6", `Entry ${index} is not about the package that its statement names.`);
      return;
    }
    if (entry.kind !== signed.statement.kind) {
      yield problem("L-4", `Entry ${index} is of another kind than its statement.`);
      return;
    }
    const beforeTime = head && isAdoption(entry.kind) ? memory.time(head.last) : undefined;
    const before = head && beforeTime !== undefined ? { index: head.last, time: beforeTime } : null;
    const place = { index, time: entry.time, leafHash: leafHash(leaf), before };
    judged = { packageId, lastAuthority };
    const { state, release } = apply(memory.state(packageId, lastAuthority), packageId, signed, place); // [L-14]
    memory.keepEntry({ index, leaf, entry, packageId, state });
    yield* releaseProblems(signed.statement, packageId, entry, release);
    yield* earlierProblems(signed, packageId, material);
  };

  const apply = (
    before: PackageState,
    packageId: string,
    signed: SignedStatement,
    place: EntryPlace,
  ): { state: PackageState; release: JudgedRelease | null } =>
    signed.statement.kind === "release"
      ? applyRelease(before, packageId, signed, place, world)
      : { state: applyStatement(before, packageId, signed, place, world), release: null };

  const releaseProblems = function* (
    made: Statement,
    packageId: string,
    { packageHash }: PackageEntry,
    release: JudgedRelease | null,
  ): Generator<Problem> {
    if (made.kind !== "release" || release === null) return;
    const line = release.line.root;
    for (const { version } of releasesOf(made, packageId)) {
      const before = memory.keepRelease(packageHash, version, { index, line });
      if (before !== undefined) {
        yield problem("S-23", `Entry ${index} releases ${packageId}@${version}, which entry ${before} released.`);
      }
    }
  };

  const earlierProblems = function* (
    { statement: made }: SignedStatement,
    packageId: string,
    material: ReplayMaterial,
  ): Generator<Problem> {
    const earlier = made.kind === "claim" ? made.packages.get(packageId)?.earlier : undefined;
    if (!earlier || earlier.size === 0) return;
    const size = material.earlierSize(earlier.root);
    if (size === undefined) yield problem("S-15", `The list of earlier versions that entry ${index} names is missing.`);
    else if (size !== earlier.size) {
      yield problem("S-15", `The list that entry ${index} names has ${size} versions, not ${earlier.size}.`);
    }
  };

  return {
    next: function* (bytes, material) {
      try {
        const leaf = parseLeaf(bytes);
        if (leaf.time < time) yield problem("L-7", `Leaf ${index} is older than the leaf before it.`);
        if (leaf.time > latest) {
          yield problem("M-6", `Leaf ${index} is ${leaf.time - latest} seconds further ahead than clocks may differ.`);
        }
        time = leaf.time;
        if (leaf.kind === "epoch") yield* epochProblems(leaf);
        else yield* entryProblems(leaf, bytes, material);
      } catch (error) {
        if (error instanceof CoreError) yield problem(error.rule, `Leaf ${index}: ${error.message}`);
        else if (error instanceof LogError) yield problem("L-1", `Leaf ${index}: ${error.message}`);
        else throw error;
      }
      index++;
    },
    end: () =>
      lastEpoch === index - 1
        ? undefined
        : { index: index - 1, rule: "L-8", message: "The last leaf is no epoch leaf." },
    settled: () => lastEpoch === index - 1,
    time: () => time,
  };
}

/** A statement of which not all entries were seen; `packages` are those to come. */
type Open = { readonly signed: SignedStatement; readonly envelopeHash: Uint8Array; readonly packages: string[] };
