import {
  applyStatement,
  CoreError,
  encodeHex,
  endAdoption,
  type EntryPlace,
  openVouchedClaim,
  packageIdHash,
  type PackageState,
  settle,
  type SignedStatement,
  UNCLAIMED,
  verifyEnvelope,
  verifyEnvelopes,
  type World,
} from "@touchmark/core";
import { bucketOf, findRecord, isAuthorityKind, leafHash, nodeCrypto } from "@touchmark/log";
import type { OpenedEvidence, ProvedEntry } from "./open-evidence.ts";

/** What a bundle proves of one package. */
export type History =
  /** The bundle says nothing of the package [V-9]. */
  | { kind: "unknown" }
  /** Proved never to have been claimed [L-12]. */
  | { kind: "unclaimed" }
  /** Something that should be in the bundle is not there, or links don't match: it could not be checked. */
  | { kind: "incomplete"; step: string; message: string }
  /** The log admitted what the rules forbid. */
  | { kind: "broken"; error: CoreError }
  | {
      kind: "claimed";
      /** At the epoch leaf's time [V-12]. */
      state: PackageState;
      chain: ChainLink[];
      releases: ProvedEntry[];
    };

/** The state of a package from one authority entry on. */
export interface ChainLink {
  entry: ProvedEntry;
  state: PackageState;
}

/** Opens an envelope of the bundle once, however many packages it is about. */
export interface OpenEnvelope {
  (entry: ProvedEntry, vouchedAuthority?: string | null): SignedStatement | null;
  /** Whether the bundle has it at all. */
  holds(entry: ProvedEntry): boolean;
}

/**
 * A memory of opened envelopes for one bundle: null stands for one that the bundle doesn't hold. Given the digest of an authority that the
 * policy pins, it takes that authority's claim without its signatures: the policy vouches for it [V-11]. Throws `CoreError`.
 */
export function envelopeOpener(evidence: OpenedEvidence): OpenEnvelope {
  const verified = new Map<string, SignedStatement>();
  const vouched = new Map<string, SignedStatement>();
  const openRelease = aheadOpener(evidence, (kind) => kind === "release");
  // Claims are opened one by one: the policy may vouch for them.
  const openOther = aheadOpener(evidence, (kind) => kind !== "release" && kind !== "claim");
  const openOne = (kind: ProvedEntry["kind"], hash: string, text: string): SignedStatement => {
    if (kind === "claim") return verifyEnvelope(nodeCrypto, text);
    return kind === "release" ? openRelease(hash, text) : openOther(hash, text);
  };
  const open = (entry: ProvedEntry, vouchedAuthority: string | null = null): SignedStatement | null => {
    const hash = entry.envelope;
    const text = evidence.envelopes.get(hash);
    if (text === undefined) return null;
    const known = verified.get(hash);
    if (known) return known;
    if (entry.kind === "claim" && vouchedAuthority !== null) {
      const claim = vouched.get(hash) ?? openVouchedClaim(nodeCrypto, text, vouchedAuthority);
      if (claim?.statement.kind === "claim" && claim.statement.authority.digest === vouchedAuthority) {
        vouched.set(hash, claim);
        return claim;
      }
    }
    const signed = openOne(entry.kind, hash, text);
    // A release of one package is read once; keeping thousands of them would only keep the garbage collector busy.
    const { statement } = signed;
    if (statement.kind !== "release" || statement.releases.size > 1) verified.set(hash, signed);
    return signed;
  };
  return Object.assign(open, { holds: ({ envelope }: ProvedEntry) => evidence.envelopes.has(envelope) });
}

const AHEAD = 128;

/** Opens an envelope of some kinds, and with it those that will be asked for next, since many are opened quicker together than one by one. */
function aheadOpener(
  evidence: OpenedEvidence,
  wants: (kind: ProvedEntry["kind"]) => boolean,
): (hash: string, text: string) => SignedStatement {
  const ahead = new Map<string, SignedStatement | CoreError>();
  const opened = new Set<string>();
  const upcoming = envelopesOf(evidence, wants);
  return (hash, text) => {
    if (!ahead.has(hash)) {
      const batch = new Map([[hash, text]]);
      while (batch.size < AHEAD) {
        const next = upcoming.next().value;
        if (next === undefined) break;
        if (!opened.has(next.hash)) batch.set(next.hash, next.text);
      }
      const results = verifyEnvelopes(nodeCrypto, [...batch.values()]);
      for (const [at, name] of [...batch.keys()].entries()) {
        ahead.set(name, results[at]!);
        opened.add(name);
      }
    }
    const result = ahead.get(hash)!;
    ahead.delete(hash);
    if (result instanceof CoreError) throw result;
    return result;
  };
}

function* envelopesOf(
  { entries, envelopes }: OpenedEvidence,
  wants: (kind: ProvedEntry["kind"]) => boolean,
): Generator<{ hash: string; text: string }, undefined> {
  for (const ofPackage of entries.values()) {
    for (const { kind, envelope: hash } of ofPackage) {
      const text = wants(kind) ? envelopes.get(hash) : undefined;
      if (text !== undefined) yield { hash, text };
    }
  }
}

/** What the checks of one package need to know of the policy. */
export interface PackageTrust {
  /** What the rules know before the entry at an index, `Infinity` for now [V-41]. */
  worldBefore: (index: number) => World;
  /** The digest of the authority whose claim may be taken without its signatures, or null [V-11]. */
  vouched: string | null;
}

/** Replays the authority entries of a package [V-9] to [V-11]. */
export function readHistory(
  evidence: OpenedEvidence,
  open: OpenEnvelope,
  packageId: string,
  trust: PackageTrust,
): History {
  const chain = readChain(evidence, packageId);
  if (chain.kind !== "linked") return chain;
  try {
    return replay(chain, open, packageId, trust, evidence.epoch.time);
  } catch (error) {
    if (error instanceof CoreError) return { kind: "broken", error };
    throw error;
  }
}

/** The entries that a bundle has of a package, proved to be all that change its authority; nothing of them is judged. */
export type Chain =
  | Exclude<History, { kind: "claimed" }>
  /** `authority`: oldest first; `all`: releases among them; `last`: the index of the last entry of any kind, which may not be in the bundle. */
  | { kind: "linked"; authority: ProvedEntry[]; all: ProvedEntry[]; last: number };

/** Finds the entries of a package [V-9], [V-10]. */
export function readChain(evidence: OpenedEvidence, packageId: string): Chain {
  const hash = packageIdHash(nodeCrypto, packageId);
  const bucket = evidence.buckets.get(bucketOf(hash));
  if (!bucket) return { kind: "unknown" };
  const record = findRecord(bucket, hash);
  if (!record) return { kind: "unclaimed" };
  const all = evidence.entries.get(encodeHex(hash)) ?? [];
  const authority = linkedChain(all, record.lastAuthority);
  if (!authority)
    return { kind: "incomplete", step: "V-10", message: "The evidence lacks authority entries of the package." };
  if (all.some(({ index }) => index > record.last)) {
    return {
      kind: "broken",
      error: new CoreError("MALFORMED", "V-10", "An entry of the package is newer than the map says."),
    };
  }
  return { kind: "linked", authority, all, last: record.last };
}

// [V-10]: oldest first; null if an entry is missing or another one than the links name.
function linkedChain(entries: ProvedEntry[], last: number | null): ProvedEntry[] | null {
  const chain = entries.filter(({ kind }) => isAuthorityKind(kind));
  let next = last;
  for (let at = chain.length - 1; at >= 0; at--) {
    const { index, previousAuthority } = chain[at]!;
    if (index !== next) return null;
    next = previousAuthority;
  }
  return chain.length > 0 && next === null ? chain : null;
}

// [V-11]
function replay(
  { authority: entries, all, last }: Extract<Chain, { kind: "linked" }>,
  open: OpenEnvelope,
  packageId: string,
  { worldBefore, vouched }: PackageTrust,
  time: number,
): History {
  const chain: ChainLink[] = [];
  const times = new Map(all.map((entry) => [entry.index, entry.time]));
  let state = UNCLAIMED;
  for (const entry of entries) {
    const signed = open(entry, vouched);
    if (!signed)
      return { kind: "incomplete", step: "V-11", message: "The evidence lacks the envelope of an authority entry." };
    if (signed.statement.kind !== entry.kind) {
      throw new CoreError("MALFORMED", "V-11", "An entry's kind is not that of its statement.");
    }
    state = applyStatement(state, packageId, signed, placeOf(entry, times), worldBefore(entry.index));
    chain.push({ entry, state });
  }
  const adoptions = entries.filter(({ kind }) => kind === "adopt" || kind === "adopt-final");
  const releases = all.filter((entry) => entry.kind === "release" && !isBare(entry, adoptions, open));
  const settled = endAdoption(settle(state, packageId, time, worldBefore(Infinity)), last);
  return { kind: "claimed", state: settled, chain, releases };
}

// [E-21]: what stands before an adoption is there for its time, and says nothing where its envelope isn't there as well.
function isBare(entry: ProvedEntry, adoptions: ProvedEntry[], open: OpenEnvelope): boolean {
  return adoptions.some(({ previous }) => previous === entry.index) && !open.holds(entry);
}

/** What the rules know of an entry: the time of the one before it is known where they ask for it [E-21]. `times` are those of the chain's entries, by index. */
export function placeOf({ index, time, bytes, previous }: ProvedEntry, times: ReadonlyMap<number, number>): EntryPlace {
  const before = previous === null ? undefined : times.get(previous);
  return {
    index,
    time,
    leafHash: leafHash(bytes),
    before: previous === null || before === undefined ? null : { index: previous, time: before },
  };
}
