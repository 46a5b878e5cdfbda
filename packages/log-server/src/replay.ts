/** All leaves of a log, one after another, by every rule of chapters 03 and 04. */
import {
  applyStatement,
  encodeHex,
  equalBytes,
  packageIdHash,
  type PackageState,
  refuseSecondRelease,
  releasesOf,
  type SignedStatement,
  statementPackages,
  UNCLAIMED,
  verifyEnvelope,
} from "@touchmark/core";
import {
  createPackageMap,
  type EpochLeaf,
  isAuthorityKind,
  leafHash,
  nodeCrypto,
  type PackageEntry,
  parseLeaf,
} from "@touchmark/log";
import type { Queries } from "./queries.ts";

/** Each call gives the problems that it found, as sentences. */
export type Replay = { readonly next: (leaf: Uint8Array) => Generator<string>; readonly end: () => Generator<string> };

export function createReplay(queries: Queries, origin: string): Replay {
  const map = createPackageMap();
  const states = new Map<string, PackageState>();
  const releases = new Map<string, { sha512: string; tarSha512: string }>();
  let index = 0;
  let time = 0;
  let lastEpoch: number | null = null;
  let statement: Open | undefined;

  const epochProblems = function* (epoch: EpochLeaf): Generator<string> {
    if (statement !== undefined) yield `Leaf ${index} interrupts the entries of one statement.`;
    if (epoch.covers !== index) yield `Epoch leaf ${index} covers ${epoch.covers} leaves.`;
    if (epoch.previousEpoch !== lastEpoch) yield `Epoch leaf ${index} names another epoch leaf before it.`;
    if (!equalBytes(epoch.mapRoot, map.root())) yield `Epoch leaf ${index} has another map root.`;
    lastEpoch = index;
  };

  const entryProblems = function* (entry: PackageEntry, leaf: Uint8Array): Generator<string> {
    statement ??= openStatement(queries, entry);
    const { signed } = statement;
    const packageId = statement.packages.shift();
    if (packageId === undefined || !equalBytes(packageIdHash(nodeCrypto, packageId), entry.packageHash)) {
      yield `Entry ${index} is not about the package that its statement names.`;
    }
    if (entry.kind !== signed.statement.kind) yield `Entry ${index} is of another kind than its statement.`;
    if (statement.packages.length === 0) statement = undefined;
    const head = map.get(entry.packageHash);
    if (entry.previous !== (head?.last ?? null) || entry.previousAuthority !== (head?.lastAuthority ?? null)) {
      yield `Entry ${index} does not follow its package's last entry.`;
    }
    if (packageId !== undefined) {
      const place = { index, time: entry.time, leafHash: leafHash(leaf) };
      states.set(packageId, applyStatement(states.get(packageId) ?? UNCLAIMED, packageId, signed, place, origin));
      rememberReleases(releases, signed, packageId);
    }
    const draft = map.draft();
    const lastAuthority = isAuthorityKind(entry.kind) ? index : entry.previousAuthority;
    draft.set({ packageHash: entry.packageHash, last: index, lastAuthority });
    draft.commit();
  };

  return {
    next: function* (bytes) {
      try {
        const leaf = parseLeaf(bytes);
        if (leaf.time < time) yield `Leaf ${index} is older than the leaf before it.`; // [L-7]
        time = leaf.time;
        if (leaf.kind === "epoch") yield* epochProblems(leaf);
        else yield* entryProblems(leaf, bytes);
      } catch (error) {
        yield `Leaf ${index}: ${error instanceof Error ? error.message : "not readable"}`;
      }
      index++;
    },
    end: function* () {
      if (lastEpoch !== index - 1) yield "The last leaf is no epoch leaf."; // [L-8]
      let count = 0;
      for (const head of queries.heads()) {
        count++;
        const known = map.get(head.packageHash);
        if (known?.last !== head.last || known.lastAuthority !== head.lastAuthority) {
          yield `The head of package ${encodeHex(head.packageHash)} is not its last entry.`;
        }
      }
      if (count !== states.size) yield `The database knows ${count} packages, the log ${states.size}.`;
    },
  };
}

/** A statement of which not all entries were seen; `packages` are those to come. */
type Open = { readonly signed: SignedStatement; readonly packages: string[] };

function openStatement(queries: Queries, entry: PackageEntry): Open {
  const stored = queries.envelopeByHash(entry.envelopeHash)?.envelope;
  if (stored === undefined || !equalBytes(nodeCrypto.sha256(stored), entry.envelopeHash)) {
    throw new Error("its envelope is missing.");
  }
  const signed = verifyEnvelope(nodeCrypto, stored);
  return { signed, packages: statementPackages(signed.statement) };
}

/** [S-23] */
function rememberReleases(
  releases: Map<string, { sha512: string; tarSha512: string }>,
  signed: SignedStatement,
  packageId: string,
): void {
  if (signed.statement.kind !== "release") return;
  for (const released of releasesOf(signed.statement, packageId)) {
    const id = `${packageId}@${released.version}`;
    const before = releases.get(id);
    if (before !== undefined) refuseSecondRelease(released, before);
    releases.set(id, { sha512: released.sha512, tarSha512: released.tarSha512 });
  }
}
