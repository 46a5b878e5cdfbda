/** The state that core's rules look at, rebuilt from a package's authority entries. */
import { applyStatement, encodeHex, type PackageState, type SignedStatement, UNCLAIMED } from "@touchmark/core";
import { leafHash, type PackageEntry, parseEntry } from "@touchmark/log";
import { createLru } from "./lru.ts";
import { readAdmittedEnvelope } from "./signatures.ts";
import type { Store } from "./store.ts";

const KEPT_STATEMENTS = 64;

/** A package's state after its authority entry `last`, or before any if that is `null`. */
export type PackageStates = (packageId: string, last: number | null) => PackageState;

/** Where authority entries are found; origin is the log's. */
export type StateSource = Pick<Store, "leaf" | "envelopeAt"> & {
  readonly checkpoint: () => { readonly origin: string };
};

/** States are kept, up to `limit` of them. */
export function packageStates(store: StateSource, limit: number): PackageStates {
  const kept = createLru<PackageState>(limit);
  const readStatement = statementReader(store);
  return (packageId, last) => {
    if (last === null) return UNCLAIMED;
    const known = kept.get(packageId);
    if (known?.last?.index === last) return known;
    const state = loadState(store, readStatement, packageId, last);
    kept.set(packageId, state);
    return state;
  };
}

/** The indices of a package's authority entries up to `last`, ascending [L-2]. */
export function authorityChain(store: Pick<Store, "leaf">, last: number | null): number[] {
  const chain: number[] = [];
  for (let at = last; at !== null; at = parseEntry(store.leaf(at)).previousAuthority) chain.push(at);
  return chain.toReversed();
}

/** A package's authority entries from the first on, applied again. */
function loadState(store: StateSource, readStatement: StatementReader, packageId: string, last: number): PackageState {
  const { origin } = store.checkpoint();
  let state = UNCLAIMED;
  for (const index of authorityChain(store, last)) {
    const bytes = store.leaf(index);
    const entry = parseEntry(bytes);
    const place = { index, time: entry.time, leafHash: leafHash(bytes) };
    state = applyStatement(state, packageId, readStatement(index, entry), place, origin);
  }
  return state;
}

type StatementReader = (index: number, entry: PackageEntry) => SignedStatement;

/** One claim may be that of a whole monorepo: it is read once for all of them. */
function statementReader(store: StateSource): StatementReader {
  const kept = createLru<SignedStatement>(KEPT_STATEMENTS);
  return (index, entry) => {
    const hash = encodeHex(entry.envelopeHash);
    const signed = kept.get(hash) ?? readAdmittedEnvelope(store.envelopeAt(index));
    kept.set(hash, signed);
    return signed;
  };
}
