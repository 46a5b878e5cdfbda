/** A batch in the making: what its statements are judged by is read from the store at once, then each is judged by that and what the batch admitted before it. */
import { encodeHex, packageIdHash, type PackageState, releasesOf, statementChains } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { type Admission, admitStatement, type Candidate, type PackageView } from "./admission.ts";
import type { PackageAt, PackageStates } from "./stored-states.ts";
import type { AdmittedStatement, ReleaseName, ReleaseRow, StatementPlace } from "./storage/ledger.ts";
import type { StoreReads } from "./store-reads.ts";

export type Batch = {
  readonly statements: readonly AdmittedStatement[];
  /** [L-14] [L-15] Throws what `admitStatement` throws; a statement that is known already adds nothing. */
  readonly admit: (candidate: Candidate) => void;
  /** The entries of a candidate that `admit` took, by package id. */
  readonly entriesOf: (candidate: Candidate) => ReadonlyMap<string, number>;
};

/** Begins a batch of these candidates at log time `time`. Nothing may be appended to the store until it is done with. */
export async function beginBatch(
  store: StoreReads,
  packageStates: PackageStates,
  candidates: readonly Candidate[],
  time: number,
): Promise<Batch> {
  const { origin, size } = store.checkpoint();
  const before = await readBefore(store, packageStates, candidates);
  const statements: AdmittedStatement[] = [];
  const states = new Map<string, PackageState>();
  const heads = new Map<string, Admission["statement"]["heads"][number]>();
  const releases = new Map<string, ReleaseRow>();
  const places = new Map<string, StatementPlace>();
  const lists = new Set<string>();
  let next = size;

  const view: PackageView = {
    head: (packageHash) => heads.get(encodeHex(packageHash)) ?? store.head(packageHash),
    state: (packageId) => states.get(packageId) ?? before.states.get(packageId)!,
    release: (packageHash, version) => {
      const id = releaseKey({ packageHash, version });
      return releases.get(id) ?? before.releases.get(id);
    },
    hasEarlier: (root) => lists.has(encodeHex(root)) || before.lists.has(encodeHex(root)),
  };
  return {
    statements,
    admit: (candidate) => {
      const { digest } = candidate.signed;
      const known = places.get(digest) ?? before.places.get(digest);
      if (known !== undefined) {
        places.set(digest, known); // [L-15]
        return;
      }
      const { statement, states: fresh } = admitStatement(view, candidate, next, time, origin);
      places.set(digest, { first: next, count: statement.entries.length });
      next += statement.entries.length;
      statements.push(statement);
      for (const [packageId, state] of fresh) states.set(packageId, state);
      for (const head of statement.heads) heads.set(encodeHex(head.packageHash), head);
      for (const row of statement.releases) releases.set(releaseKey(row), row);
      for (const { root } of statement.earlier) lists.add(encodeHex(root));
    },
    entriesOf: ({ signed: { digest, statement } }) => {
      const place = places.get(digest);
      return place === undefined ? new Map() : entriesAt(place, statementChains(statement));
    },
  };
}

/** [L-6] A statement's entries are in the order of its package ids. */
export function entriesAt(place: StatementPlace, packages: readonly string[]): Map<string, number> {
  return new Map(packages.map((packageId, i) => [packageId, place.first + i]));
}

type Before = {
  readonly places: ReadonlyMap<string, StatementPlace>;
  readonly states: ReadonlyMap<string, PackageState>;
  readonly releases: ReadonlyMap<string, ReleaseRow>;
  /** Roots of the lists of earlier versions that are there already. */
  readonly lists: ReadonlySet<string>;
};

async function readBefore(
  store: StoreReads,
  packageStates: PackageStates,
  candidates: readonly Candidate[],
): Promise<Before> {
  const places = await store.places(candidates.map(({ signed }) => Buffer.from(signed.digest, "hex")));
  const packages = new Map<string, PackageAt>();
  const names: ReleaseName[] = [];
  const roots = new Map<string, Uint8Array>();
  for (const { signed, earlier } of candidates) {
    if (places.has(signed.digest)) continue;
    const { statement } = signed;
    for (const packageId of statementChains(statement)) {
      const packageHash = packageIdHash(nodeCrypto, packageId);
      packages.set(packageId, { packageId, last: store.head(packageHash)?.lastAuthority ?? null });
      if (statement.kind !== "release") continue;
      for (const { version } of releasesOf(statement, packageId)) names.push({ packageHash, version });
    }
    if (statement.kind !== "claim") continue;
    for (const [packageId, claimed] of statement.packages) {
      if (!earlier.has(packageId)) roots.set(encodeHex(claimed.earlier.root), claimed.earlier.root);
    }
  }
  const [states, releases, lists] = await Promise.all([
    packageStates([...packages.values()]),
    store.releases(names),
    presentOf(store, roots),
  ]);
  return { places, states, releases: new Map(releases.map((row) => [releaseKey(row), row])), lists };
}

async function presentOf(store: StoreReads, roots: ReadonlyMap<string, Uint8Array>): Promise<Set<string>> {
  const found = await Promise.all(
    [...roots].map(async ([id, root]) => ((await store.earlier(root)) === undefined ? [] : [id])),
  );
  return new Set(found.flat());
}

function releaseKey({ packageHash, version }: ReleaseName): string {
  return `${encodeHex(packageHash)}@${version}`;
}
