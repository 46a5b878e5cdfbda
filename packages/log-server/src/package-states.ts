/** The state that core's rules look at, rebuilt from a package's authority entries, one package at a time: for those who have them at hand. */
import {
  applyStatement,
  encodeHex,
  packageIdHash,
  type PackageState,
  type SignedStatement,
  UNCLAIMED,
  type World,
} from "@touchmark/core";
import { type EntryKind, leafHash, type MapRecord, nodeCrypto, type PackageEntry, parseEntry } from "@touchmark/log";
import { createLru } from "./lru.ts";
import { readAdmittedEnvelope } from "./signatures/open-envelope.ts";
import { admittedWorld } from "./world.ts";

const KEPT_STATEMENTS = 64;

export type PackageStates = {
  /** A package's state after its authority entry `last`, or before any if that is `null`. */
  readonly at: (packageId: string, last: number | null) => PackageState;
  /** Takes the state after an authority entry from whoever has applied that entry just now. */
  readonly keep: (packageId: string, state: PackageState) => void;
};

/** Where entries and the envelopes that they name are found, and the heads after all of them; `origin` is the log's. */
export type StateSource = {
  readonly origin: string;
  readonly head: (packageHash: Uint8Array) => MapRecord | undefined;
  readonly leaf: (index: number) => Uint8Array;
  readonly envelopeAt: (index: number) => Uint8Array;
};

/** An authority entry: its index and its bytes, and the entry of any kind before it where a rule looks at that. */
export type AuthorityEntry = {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly before: { readonly index: number; readonly time: number } | null;
};

/** How much a state takes of what is kept: one for itself, and one for each eight names of versions or packages that it holds. */
export function weightOf({ lines }: PackageState): number {
  const names = lines.reduce(
    (sum, { holds, endorsements }) =>
      holds.reduce((held, { releases }) => held + releases.length, sum + endorsements.length),
    0,
  );
  return 1 + Math.floor(names / 8);
}

/** States are kept, up to `limit` of them, fewer if they are large. */
export function packageStates(source: StateSource, limit: number): PackageStates {
  const kept = createLru(limit, weightOf);
  const statements = createLru<SignedStatement>(KEPT_STATEMENTS);
  // One claim may be that of a whole monorepo: it is read once for all of them.
  const statementOf = ({ envelopeHash }: PackageEntry, index: number): SignedStatement => {
    const hash = encodeHex(envelopeHash);
    const signed = statements.get(hash) ?? readAdmittedEnvelope(source.envelopeAt(index));
    statements.set(hash, signed);
    return signed;
  };
  const stateOf: PackageStates["at"] = (packageId, last) => {
    if (last === null) return UNCLAIMED;
    const known = kept.get(packageId);
    if (known?.last?.index === last) return known;
    const state = stateAfter(packageId, authorityChain(source.leaf, last), statementOf, worldBefore);
    kept.set(packageId, state);
    return state;
  };
  const worldBefore: WorldBefore = (index, time) =>
    admittedWorld(source.origin, time, (subjectId) => {
      let last = source.head(packageIdHash(nodeCrypto, subjectId))?.lastAuthority ?? null;
      while (last !== null && last >= index) last = parseEntry(source.leaf(last)).previousAuthority;
      return stateOf(subjectId, last);
    });
  return { at: stateOf, keep: kept.set };
}

/** A package's authority entries up to `last`, ascending [L-2]. */
export function authorityChain(leaf: (index: number) => Uint8Array, last: number | null): AuthorityEntry[] {
  const chain: AuthorityEntry[] = [];
  for (let at = last; at !== null;) {
    const bytes = leaf(at);
    const { kind, previous, previousAuthority } = parseEntry(bytes);
    const before =
      previous === null || !isAdoption(kind) ? null : { index: previous, time: parseEntry(leaf(previous)).time };
    chain.push({ index: at, bytes, before });
    at = previousAuthority;
  }
  return chain.toReversed();
}

/** Whether the rules for this kind look at the entry before it, [A-23]. */
export function isAdoption(kind: EntryKind): boolean {
  return kind === "adopt" || kind === "adopt-final";
}

/** What the rules look at beside a subject's own state, for the entry at an index and log time. */
export type WorldBefore = (index: number, time: number) => World;

/** A package's authority entries from the first on, applied again, each in the world before it. */
export function stateAfter(
  packageId: string,
  chain: readonly AuthorityEntry[],
  statementOf: (entry: PackageEntry, index: number) => SignedStatement,
  worldBefore: WorldBefore,
  from: PackageState = UNCLAIMED,
): PackageState {
  let state = from;
  for (const { index, bytes, before } of chain) {
    const entry = parseEntry(bytes);
    const place = { index, time: entry.time, leafHash: leafHash(bytes), before };
    state = applyStatement(state, packageId, statementOf(entry, index), place, worldBefore(index, entry.time));
  }
  return state;
}
