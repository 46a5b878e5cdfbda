/** The state that core's rules look at, rebuilt from what is stored of the packages' authority entries. */
import {
  charteredCommittees,
  encodeHex,
  packageIdHash,
  type PackageState,
  type SignedStatement,
  UNCLAIMED,
} from "@touchmark/core";
import { isAuthorityKind, nodeCrypto, type PackageEntry, parseEntry } from "@touchmark/log";
import { LogServerError } from "./error.ts";
import { createLru, type Lru } from "./lru.ts";
import {
  authorityChain,
  type AuthorityEntry,
  isAdoption,
  stateAfter,
  weightOf,
  type WorldBefore,
} from "./package-states.ts";
import { readAdmittedEnvelope } from "./signatures/open-envelope.ts";
import type { AdmissionReads } from "./store-reads.ts";
import { admittedWorld } from "./world.ts";

const KEPT_STATEMENTS = 64;

/** A package, and its last authority entry. */
export type PackageAt = { readonly packageId: string; readonly last: number | null };

/** The packages' states after their authority entries `last`, or before any where that is `null`. By package id. */
export type PackageStates = (wanted: readonly PackageAt[]) => Promise<ReadonlyMap<string, PackageState>>;

/** States are kept, up to `limit` of them, fewer if they are large. */
export function packageStates(store: AdmissionReads, limit: number): PackageStates {
  const kept = createLru(limit, weightOf);
  const readStatements = statementReader(store);
  const readGovernance = governanceReader(store, readStatements);
  return async (wanted) => {
    const known = new Map(wanted.map(({ packageId, last }) => [packageId, stateKept(kept, packageId, last)]));
    const unknown = wanted.filter(({ packageId }) => known.get(packageId) === undefined);
    if (unknown.length === 0) return known as Map<string, PackageState>;
    const chainTo = await authorityChains(
      store,
      unknown.map(({ last }) => last),
    );
    const statements = await readStatements(unknown.flatMap(({ last }) => chainTo(last)));
    const worldBefore = await readGovernance();
    for (const { packageId, last } of unknown) {
      const state = stateAfter(packageId, chainTo(last), statements, worldBefore);
      kept.set(packageId, state);
      known.set(packageId, state);
    }
    return known as Map<string, PackageState>;
  };
}

/** What a subject became with each of its authority entries, the newest last. */
type History = {
  readonly last: number;
  readonly steps: readonly { readonly index: number; readonly state: PackageState }[];
};

/**
 * Reads what the log's own authority and the committees that its charter names were before any entry: the rules for other subjects look at nothing else.
 * A history is read again only after it has grown.
 */
function governanceReader(store: AdmissionReads, readStatements: StatementReader): () => Promise<WorldBefore> {
  const histories = new Map<string, History>();
  const refresh = async (subjectId: string, worldBefore: WorldBefore): Promise<History | undefined> => {
    const last = store.head(packageIdHash(nodeCrypto, subjectId))?.lastAuthority ?? null;
    const known = histories.get(subjectId);
    if (last === null || known?.last === last) return known;
    const chain = (await authorityChains(store, [last]))(last);
    const statements = await readStatements(chain);
    const steps: History["steps"][number][] = [];
    for (const [i, { index }] of chain.entries()) {
      steps.push({
        index,
        state: stateAfter(subjectId, chain.slice(i, i + 1), statements, worldBefore, steps.at(-1)?.state),
      });
    }
    const history = { last, steps };
    histories.set(subjectId, history);
    return history;
  };
  return async () => {
    const { origin } = store.checkpoint();
    const worldBefore: WorldBefore = (index, time) =>
      admittedWorld(
        origin,
        time,
        (subjectId) => histories.get(subjectId)?.steps.findLast((step) => step.index < index)?.state,
      );
    const own = await refresh(`log:${origin}`, worldBefore);
    const named = new Set(own?.steps.flatMap(({ state }) => charteredCommittees(state, null)));
    for (const committeeId of named) await refresh(committeeId, worldBefore);
    return worldBefore;
  };
}

/** The authority entries of packages up to each of these last ones, ascending [L-2]. */
export async function authorityChains(
  store: AdmissionReads,
  lasts: readonly (number | null)[],
): Promise<(last: number | null) => AuthorityEntry[]> {
  const leaves = new Map<number, Uint8Array>();
  // All chains at once, one entry deeper each time, so that it costs one question to the storage for each depth.
  for (let wanted = numbersOf(lasts); wanted.length > 0;) {
    const found = await store.leavesAt(wanted);
    for (const [index, bytes] of found) leaves.set(index, bytes);
    const before = [...found.values()].map(parseEntry).flatMap(({ kind, previous, previousAuthority }) => {
      if (!isAuthorityKind(kind)) return []; // it is only there for its time
      return isAdoption(kind) ? [previous, previousAuthority] : [previousAuthority];
    });
    wanted = numbersOf(before).filter((index) => !leaves.has(index));
  }
  return (last) => authorityChain((index) => leaves.get(index)!, last);
}

function stateKept(kept: Lru<PackageState>, packageId: string, last: number | null): PackageState | undefined {
  if (last === null) return UNCLAIMED;
  const known = kept.get(packageId);
  return known?.last?.index === last ? known : undefined;
}

function numbersOf(indices: readonly (number | null)[]): number[] {
  return [...new Set(indices.filter((index) => index !== null))];
}

type StatementReader = (entries: readonly AuthorityEntry[]) => Promise<(entry: PackageEntry) => SignedStatement>;

/** One claim may be that of a whole monorepo: it is read once for all of them. */
function statementReader(store: AdmissionReads): StatementReader {
  const kept = createLru<SignedStatement>(KEPT_STATEMENTS);
  return async (entries) => {
    const hashes = new Map(
      entries.map(({ bytes }) => {
        const { envelopeHash } = parseEntry(bytes);
        return [encodeHex(envelopeHash), envelopeHash];
      }),
    );
    const found = new Map<string, SignedStatement>();
    await Promise.all(
      [...hashes].map(async ([id, hash]) => {
        const signed = kept.get(id) ?? readAdmittedEnvelope(await requireEnvelope(store, hash));
        kept.set(id, signed);
        found.set(id, signed);
      }),
    );
    return ({ envelopeHash }) => found.get(encodeHex(envelopeHash))!;
  };
}

/** The envelope that an entry of the published tree names. Throws `STORE_DAMAGED` if it is gone. */
export async function requireEnvelope(store: AdmissionReads, hash: Uint8Array): Promise<Uint8Array> {
  const bytes = await store.envelope(hash);
  if (bytes !== undefined) return bytes;
  throw new LogServerError("STORE_DAMAGED", "The envelope of an entry is missing.");
}
