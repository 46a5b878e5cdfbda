/** The state that core's rules look at, rebuilt from a package's authority entries. */
import {
  applyStatement,
  encodeHex,
  packageIdHash,
  type PackageState,
  type SignedStatement,
  UNCLAIMED,
  type World,
} from "@touchmark/core";
import { leafHash, nodeCrypto, type PackageEntry, parseEntry } from "@touchmark/log";
import { createLru } from "./lru.ts";
import { readAdmittedEnvelope } from "./signatures.ts";
import type { Store } from "./store.ts";
import { logWorld } from "./world.ts";

const KEPT_STATEMENTS = 64;

/** A package's state after its authority entry `last`, or before any if that is `null`. */
export type PackageStates = (packageId: string, last: number | null) => PackageState;

/** Where entries are found; origin is the log's. */
export type StateSource = Pick<Store, "head" | "leaf" | "envelopeAt"> & {
  readonly checkpoint: () => { readonly origin: string };
};

/** States are kept, up to `limit` of them. */
export function packageStates(store: StateSource, limit: number): PackageStates {
  const kept = createLru<PackageState>(limit);
  const readStatement = statementReader(store);
  const stateOf = (packageId: string, last: number | null): PackageState => {
    if (last === null) return UNCLAIMED;
    const known = kept.get(packageId);
    if (known?.last?.index === last) return known;
    const state = loadState(packageId, last);
    kept.set(packageId, state);
    return state;
  };
  /** A subject's authority entries from the first on, applied again: what was admitted once needs no other word for it. */
  const loadState = (packageId: string, last: number): PackageState => {
    let state = UNCLAIMED;
    for (const index of authorityChain(store, last)) {
      const bytes = store.leaf(index);
      const entry = parseEntry(bytes);
      const { previous, time } = entry;
      const before = previous === null ? null : { index: previous, time: parseEntry(store.leaf(previous)).time };
      const place = { index, time, leafHash: leafHash(bytes), before };
      state = applyStatement(state, packageId, readStatement(index, entry), place, worldBefore(index));
    }
    return state;
  };
  const worldBefore = (index: number): World =>
    logWorld({
      origin: store.checkpoint().origin,
      chartered: () => true,
      releaseTime: () => undefined,
      state: (subjectId) => {
        let last = store.head(packageIdHash(nodeCrypto, subjectId))?.lastAuthority ?? null;
        while (last !== null && last >= index) last = parseEntry(store.leaf(last)).previousAuthority;
        return stateOf(subjectId, last);
      },
    });
  return stateOf;
}

/** The indices of a package's authority entries up to `last`, ascending [L-2]. */
export function authorityChain(store: Pick<Store, "leaf">, last: number | null): number[] {
  const chain: number[] = [];
  for (let at = last; at !== null; at = parseEntry(store.leaf(at)).previousAuthority) chain.push(at);
  return chain.toReversed();
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
