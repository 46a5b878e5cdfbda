/** The state that core's rules look at, rebuilt from a package's authority entries. */
import { applyStatement, encodeHex, type PackageState, type SignedStatement, UNCLAIMED } from "@touchmark/core";
import { leafHash, type PackageEntry, parseEntry } from "@touchmark/log";
import { createLru } from "./lru.ts";
import { readAdmittedEnvelope } from "./signatures.ts";
import type { Store } from "./store.ts";

const KEPT_STATEMENTS = 64;

/** A package's state at the published checkpoint. */
export type PackageStates = (packageId: string, packageHash: Uint8Array) => PackageState;

/** States are kept, up to `limit` of them; one counts only while its last authority entry is the package's. */
export function packageStates(store: Store, limit: number): PackageStates {
  const kept = createLru<PackageState>(limit);
  const readStatement = statementReader(store);
  return (packageId, packageHash) => {
    const last = store.head(packageHash)?.lastAuthority ?? null;
    const known = kept.get(packageId);
    if (known !== undefined && (known.last?.index ?? null) === last) return known;
    const state = loadState(store, readStatement, packageId, packageHash);
    if (last !== null) kept.set(packageId, state);
    return state;
  };
}

/** The indices of a package's authority entries, ascending [L-2]. */
export function authorityChain(store: Store, packageHash: Uint8Array): number[] {
  const chain: number[] = [];
  let at = store.head(packageHash)?.lastAuthority ?? null;
  while (at !== null) {
    chain.push(at);
    at = parseEntry(store.leaf(at)).previousAuthority;
  }
  return chain.toReversed();
}

/** A package's authority entries from the first on, applied again. */
function loadState(
  store: Store,
  readStatement: (index: number, entry: PackageEntry) => SignedStatement,
  packageId: string,
  packageHash: Uint8Array,
): PackageState {
  const { origin } = store.checkpoint();
  let state = UNCLAIMED;
  for (const index of authorityChain(store, packageHash)) {
    const bytes = store.leaf(index);
    const entry = parseEntry(bytes);
    const place = { index, time: entry.time, leafHash: leafHash(bytes) };
    state = applyStatement(state, packageId, readStatement(index, entry), place, origin);
  }
  return state;
}

/** One claim may be that of a whole monorepo: it is read once for all of them. */
function statementReader(store: Store): (index: number, entry: PackageEntry) => SignedStatement {
  const kept = createLru<SignedStatement>(KEPT_STATEMENTS);
  return (index, entry) => {
    const hash = encodeHex(entry.envelopeHash);
    const signed = kept.get(hash) ?? readAdmittedEnvelope(store.envelopeAt(index));
    kept.set(hash, signed);
    return signed;
  };
}
