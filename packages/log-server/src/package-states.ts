/** The state that core's rules look at, rebuilt from a package's authority entries, one package at a time: for those who have them at hand. */
import { applyStatement, encodeHex, type PackageState, type SignedStatement, UNCLAIMED } from "@touchmark/core";
import { leafHash, type PackageEntry, parseEntry } from "@touchmark/log";
import { createLru } from "./lru.ts";
import { readAdmittedEnvelope } from "./signatures.ts";

const KEPT_STATEMENTS = 64;

/** A package's state after its authority entry `last`, or before any if that is `null`. */
export type PackageStates = (packageId: string, last: number | null) => PackageState;

/** Where authority entries and the envelopes that they name are found; `origin` is the log's. */
export type StateSource = {
  readonly origin: string;
  readonly leaf: (index: number) => Uint8Array;
  readonly envelopeAt: (index: number) => Uint8Array;
};

/** An authority entry: its index and its bytes. */
export type AuthorityEntry = { readonly index: number; readonly bytes: Uint8Array };

/** States are kept, up to `limit` of them. */
export function packageStates(source: StateSource, limit: number): PackageStates {
  const kept = createLru<PackageState>(limit);
  const statements = createLru<SignedStatement>(KEPT_STATEMENTS);
  // One claim may be that of a whole monorepo: it is read once for all of them.
  const statementOf = ({ envelopeHash }: PackageEntry, index: number): SignedStatement => {
    const hash = encodeHex(envelopeHash);
    const signed = statements.get(hash) ?? readAdmittedEnvelope(source.envelopeAt(index));
    statements.set(hash, signed);
    return signed;
  };
  return (packageId, last) => {
    if (last === null) return UNCLAIMED;
    const known = kept.get(packageId);
    if (known?.last?.index === last) return known;
    const state = stateAfter(source.origin, packageId, authorityChain(source.leaf, last), statementOf);
    kept.set(packageId, state);
    return state;
  };
}

/** A package's authority entries up to `last`, ascending [L-2]. */
export function authorityChain(leaf: (index: number) => Uint8Array, last: number | null): AuthorityEntry[] {
  const chain: AuthorityEntry[] = [];
  for (let at = last; at !== null; at = parseEntry(chain.at(-1)!.bytes).previousAuthority) {
    chain.push({ index: at, bytes: leaf(at) });
  }
  return chain.toReversed();
}

/** A package's authority entries from the first on, applied again. */
export function stateAfter(
  origin: string,
  packageId: string,
  chain: readonly AuthorityEntry[],
  statementOf: (entry: PackageEntry, index: number) => SignedStatement,
): PackageState {
  let state = UNCLAIMED;
  for (const { index, bytes } of chain) {
    const entry = parseEntry(bytes);
    const place = { index, time: entry.time, leafHash: leafHash(bytes) };
    state = applyStatement(state, packageId, statementOf(entry, index), place, origin);
  }
  return state;
}
