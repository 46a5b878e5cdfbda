import {
  applyStatement,
  checkReleaseSigners,
  CoreError,
  encodeEarlierLeaf,
  encodeHex,
  type PackageState,
  type ReleasedVersion,
  releasesOf,
  type SignedStatement,
} from "@touchmark/core";
import { leafHash, LogError, rootFromMultiProof } from "@touchmark/log";
import type { Countable } from "./count-signatures.ts";
import type { OpenedEvidence, ProvedEntry } from "./open-evidence.ts";
import { type ChainLink, type History, type OpenEnvelope, placeOf } from "./package-history.ts";

/** A release that the rules allow, with the holders who signed it. */
export interface GoodRelease {
  released: ReleasedVersion;
  signers: string[];
  index: number;
  /** By which the signatures are counted anew where the policy asks more of keys [V-30]. */
  countable: Countable;
}

/** The releases of one package in a bundle. */
export interface Releases {
  good: Map<string, GoodRelease[]>;
  /** Releases that the log should not have admitted, by version; those that could not even be read are under "". */
  broken: Map<string, CoreError[]>;
}

/** Reads every release of a claimed package [V-14]. */
export function readReleases(
  history: Extract<History, { kind: "claimed" }>,
  open: OpenEnvelope,
  packageId: string,
  origin: string,
): Releases {
  const releases: Releases = { good: new Map(), broken: new Map() };
  for (const entry of history.releases) {
    let versions: ReleasedVersion[] = [];
    try {
      const signed = openRelease(entry, open);
      versions = signed.statement.kind === "release" ? releasesOf(signed.statement, packageId) : [];
      const state = stateAt(history.chain, entry);
      applyStatement(state, packageId, signed, placeOf(entry), origin);
      const { authority, place } = state.claim!;
      const holders = new Set(checkReleaseSigners(authority, signed.signers).map(({ holder }) => holder));
      const signers = [...holders].toSorted();
      const countable = { authority, signers: signed.signers, authorityTime: place.time };
      for (const released of versions) {
        push(releases.good, released.version, { released, signers, index: entry.index, countable });
      }
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
      for (const version of versions.length > 0 ? versions.map((released) => released.version) : [""])
        push(releases.broken, version, error);
    }
  }
  return releases;
}

/**
 * Package id → version → SHA-512 (hex) of all versions that claims list as published before them and that the bundle proves [V-16].
 * Throws `LogError` if one of the bundle's lists is not that of its package's claim: the bundle is then not what the log gives.
 */
export function readEarlier(
  evidence: OpenedEvidence,
  historyOf: (packageId: string) => History,
): Map<string, Map<string, string>> {
  const lists = new Map<string, Map<string, string>>();
  for (const [packageId, { versions, proof }] of evidence.earlier) {
    const history = historyOf(packageId);
    if (history.kind === "broken" || history.kind === "incomplete") continue; // the package is refused for that
    const listed = history.kind === "claimed" ? history.state.claim?.claimed.earlier : undefined;
    if (!listed)
      throw new LogError(
        "BAD_PROOF",
        "The evidence lists earlier versions of a package that it does not show as claimed.",
      );
    const leaves = [...versions].map(([index, [version, sha512]]) => ({
      index,
      hash: leafHash(encodeEarlierLeaf(version, sha512)),
    }));
    const root = rootFromMultiProof(listed.size, leaves, proof);
    if (encodeHex(root) !== encodeHex(listed.root))
      throw new LogError("BAD_PROOF", "The earlier versions are not those that the claim lists.");
    lists.set(packageId, new Map(versions.values()));
  }
  return lists;
}

/** The claim's own signatures: by them the versions that it lists as earlier are counted [V-32]. */
export function countableClaim(history: Extract<History, { kind: "claimed" }>, open: OpenEnvelope): Countable {
  const { place, authority } = history.state.claim!;
  const link = history.chain.find(({ entry }) => entry.index === place.index);
  return { authority, signers: (link && open(link.entry)?.signers) ?? [], authorityTime: place.time };
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
