import {
  checkLog,
  CoreError,
  encodeEarlierLeaf,
  encodeHex,
  equalBytes,
  type JudgedRelease,
  judgeRelease,
  type Line,
  type PackageState,
  type ReleasedVersion,
  releasesOf,
  settle,
  type SignedStatement,
  type World,
} from "@touchmark/core";
import { type EarlierEvidence, leafHash, LogError, rootFromMultiProof } from "@touchmark/log";
import type { Countable } from "./count-signatures.ts";
import type { OpenedEvidence, ProvedEntry } from "./open-evidence.ts";
import type { ChainLink, History, OpenEnvelope } from "./package-history.ts";

/** A release that the rules allow, with the holders who signed it. */
export interface GoodRelease {
  released: ReleasedVersion;
  signers: string[];
  index: number;
  /** The committee that stood in for a holder, or null. */
  expedited: string | null;
  /** By which the signatures are counted anew where the policy asks more of keys [V-30]. */
  countable: Countable;
}

/** The releases of one package in a bundle. */
export interface Releases {
  good: Map<string, GoodRelease[]>;
  /** Releases that the log should not have admitted, by version; those that could not even be read are under "". */
  broken: Map<string, CoreError[]>;
}

/** Reads every release of a claimed package, for whom this line counts [V-12], [V-14]. */
export function readReleases(
  history: Extract<History, { kind: "claimed" }>,
  open: OpenEnvelope,
  packageId: string,
  counting: Line,
  worldBefore: (index: number) => World,
): Releases {
  const releases: Releases = { good: new Map(), broken: new Map() };
  for (const entry of history.releases) {
    let versions: ReleasedVersion[] = [];
    try {
      const signed = openRelease(entry, open);
      versions = signed.statement.kind === "release" ? releasesOf(signed.statement, packageId) : [];
      const world = worldBefore(entry.index);
      checkLog(signed.statement, world.origin);
      if (versions.length === 0) throw new CoreError("MALFORMED", "S-40", "A release is not about its package.");
      const state = settle(stateAt(history.chain, entry), packageId, entry.time, world);
      const judged = judgeRelease(state, packageId, signed.signers, entry.time, world);
      if (judged.line.root !== counting.root) continue; // of a rival claim
      const good = { ...goodSigners(judged, signed.signers), index: entry.index };
      for (const released of versions) push(releases.good, released.version, { released, ...good });
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
      for (const version of versions.length > 0 ? versions.map((released) => released.version) : [""])
        push(releases.broken, version, error);
    }
  }
  return releases;
}

/** The holders behind a release's keys, and by what they are counted anew. */
export function goodSigners(
  { line: { authority, steps }, keys, expedited }: JudgedRelease,
  signers: SignedStatement["signers"],
): Pick<GoodRelease, "signers" | "countable" | "expedited"> {
  const holders = new Set(keys.map(({ holder }) => holder));
  const needed = authority.releaseThreshold - (expedited === null ? 0 : 1);
  return {
    signers: [...holders].toSorted(),
    expedited,
    countable: { authority, needed, signers, authorityTime: steps.at(-1)!.place.time },
  };
}

/** Package id → hex root of a claim's list → version → SHA-512 (hex). */
export type EarlierLists = Map<string, Map<string, Map<string, string>>>;

/**
 * All versions that claims list as published before them and that the bundle proves [V-16]: each claim's own, whichever line counts [E-5].
 * Throws `LogError` if one of the bundle's lists is not that of a claim of its package: the bundle is then not what the log gives.
 */
export function readEarlier(evidence: OpenedEvidence, historyOf: (packageId: string) => History): EarlierLists {
  const lists: EarlierLists = new Map();
  for (const [packageId, byRoot] of evidence.earlier) {
    const history = historyOf(packageId);
    if (history.kind === "broken" || history.kind === "incomplete") continue; // the package is refused for that
    const lines = history.kind === "claimed" ? history.chain.flatMap(({ state }) => state.lines) : [];
    // A claim that is void here has a list as well, and the log doesn't know for whom it is void.
    const mayBeVoid = history.kind === "claimed" && history.state.divergedAt !== null;
    const proved = [...byRoot].flatMap(([root, list]) => {
      const line = lines.find(({ claimed }) => encodeHex(claimed.earlier.root) === root);
      if (line) return [[root, verifyEarlier(root, line.claimed.earlier.size, list)] as const];
      if (mayBeVoid) return [];
      throw new LogError("BAD_PROOF", "The evidence lists earlier versions for which it shows no claim.");
    });
    lists.set(packageId, new Map(proved));
  }
  return lists;
}

/** The versions that the line's own claim lists, as far as the bundle proves them. */
export function listedBy(lists: EarlierLists, packageId: string, { claimed }: Line): Map<string, string> | undefined {
  const byRoot = lists.get(packageId);
  return byRoot?.get(encodeHex(claimed.earlier.root));
}

function verifyEarlier(root: string, size: number, { versions, proof }: EarlierEvidence): Map<string, string> {
  const leaves = [...versions].map(([index, [version, sha512]]) => ({
    index,
    hash: leafHash(encodeEarlierLeaf(version, sha512)),
  }));
  if (encodeHex(rootFromMultiProof(size, leaves, proof)) !== root)
    throw new LogError("BAD_PROOF", "The earlier versions are not those that the claim lists.");
  return new Map(versions.values());
}

/** The signatures of the claim that lists a line's earlier versions: by them these are counted [V-32]. */
export function countableClaim(
  { chain }: Extract<History, { kind: "claimed" }>,
  open: OpenEnvelope,
  { claimed }: Line,
): Countable | null {
  for (const { entry, state } of chain) {
    const line = state.lines.at(-1)!;
    if (entry.kind !== "claim" || !equalBytes(line.claimed.earlier.root, claimed.earlier.root)) continue;
    const { authority } = line;
    return {
      authority,
      needed: authority.releaseThreshold,
      signers: open(entry)?.signers ?? [],
      authorityTime: entry.time,
    };
  }
  return null;
}

function openRelease(entry: ProvedEntry, open: OpenEnvelope): SignedStatement {
  const signed = open(entry);
  if (!signed) throw new CoreError("MALFORMED", "V-14", "The evidence lacks the envelope of a release.");
  if (signed.statement.kind !== "release")
    throw new CoreError("MALFORMED", "V-14", "A release entry's statement is not a release.");
  return signed;
}

// The authority entry in force at a release's place is the one that it names, and the next one comes after it.
function stateAt(chain: ChainLink[], release: ProvedEntry): PackageState {
  const at = chain.findIndex(({ entry }) => entry.index === release.previousAuthority);
  const link = chain[at];
  const next = chain[at + 1];
  if (!link || link.entry.index > release.index || (next && next.entry.index < release.index)) {
    throw new CoreError("MALFORMED", "V-14", "A release does not name the authority in force at its place.");
  }
  return link.state;
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
