/** A batch in the making: what its statements are judged by is read from the store at once, then each is judged by that and what the batch admitted before it. */
import {
  charteredCommittees,
  packageIdHash,
  type PackageState,
  parseReleaseId,
  type Statement,
  statementChains,
} from "@touchmark/core";
import { type Digest, digestFromBytes, type MapRecord, nodeCrypto, parseLeaf } from "@touchmark/log";
import { type Admission, type AdmittingLog, admitStatement, type Candidate, type PackageView } from "./admission.ts";
import { isAdoption } from "./package-states.ts";
import type { PackageAt, PackageStates } from "./stored-states.ts";
import type { AdmittedStatement, ReleaseName, ReleaseRow, StatementPlace } from "./storage/ledger.ts";
import type { AdmissionReads } from "./store-reads.ts";

export type Batch = {
  readonly statements: readonly AdmittedStatement[];
  /** [L-14] [L-15] Throws what `admitStatement` throws; a statement that is known already adds nothing. */
  readonly admit: (candidate: Candidate) => void;
  /** The entries of a candidate that `admit` took, by package id. */
  readonly entriesOf: (candidate: Candidate) => ReadonlyMap<string, number>;
};

/** Begins a batch of these candidates at log time `time`. Nothing may be appended to the store until it is done with. */
export async function beginBatch(
  store: AdmissionReads,
  packageStates: PackageStates,
  candidates: readonly Candidate[],
  time: number,
  chartered: AdmittingLog["chartered"],
): Promise<Batch> {
  const { origin, size } = store.checkpoint();
  const before = await readBefore(store, packageStates, candidates);
  const statements: AdmittedStatement[] = [];
  const states = new Map<string, PackageState>();
  const heads = new Map<Digest, Admission["statement"]["heads"][number]>();
  const releases = new Map<string, ReleaseRow[]>();
  const places = new Map<string, StatementPlace>();
  const lists = new Map<Digest, number>();
  let next = size;

  const view: PackageView = {
    head: (packageHash) => heads.get(digestFromBytes(packageHash)) ?? store.head(packageHash),
    state: (packageId) => states.get(packageId) ?? before.states.get(packageId),
    releases: (packageHash, version) => {
      const id = releaseKey({ packageHash, version });
      return [...(before.releases.get(id) ?? []), ...(releases.get(id) ?? [])];
    },
    time: (index) => before.times.get(index) ?? time,
    earlierSize: (root) => lists.get(digestFromBytes(root)) ?? before.lists.get(digestFromBytes(root)),
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
      const { statement, states: fresh } = admitStatement(view, candidate, next, time, { origin, chartered });
      places.set(digest, { first: next, count: statement.entries.length });
      next += statement.entries.length;
      statements.push(statement);
      for (const [packageId, state] of fresh) states.set(packageId, state);
      for (const head of statement.heads) heads.set(digestFromBytes(head.packageHash), head);
      for (const row of statement.releases) push(releases, releaseKey(row), row);
      for (const { root, list } of statement.earlier) lists.set(digestFromBytes(root), linesIn(list));
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
  readonly releases: ReadonlyMap<string, readonly ReleaseRow[]>;
  /** Log times of the entries whose age a rule may look at. */
  readonly times: ReadonlyMap<number, number>;
  /** By their roots, how many versions the lists have that are there already. */
  readonly lists: ReadonlyMap<Digest, number>;
};

async function readBefore(
  store: AdmissionReads,
  packageStates: PackageStates,
  candidates: readonly Candidate[],
): Promise<Before> {
  const places = await store.places(candidates.map(({ signed }) => Buffer.from(signed.digest, "hex")));
  const packages = new Map<string, PackageAt>();
  const names: ReleaseName[] = [];
  const roots = new Map<Digest, Uint8Array>();
  const aged = new Set<number>();
  const want = (packageId: string): MapRecord | undefined => {
    const head = store.head(packageIdHash(nodeCrypto, packageId));
    packages.set(packageId, { packageId, last: head?.lastAuthority ?? null });
    return head;
  };
  for (const { signed, earlier } of candidates) {
    if (places.has(signed.digest)) continue;
    const { statement } = signed;
    for (const packageId of statementChains(statement)) {
      const head = want(packageId);
      if (head && isAdoption(statement.kind)) aged.add(head.last);
    }
    for (const packageId of statementParties(statement)) want(packageId);
    for (const committeeId of namedByCharter(statement)) want(committeeId);
    names.push(...releaseNames(statement));
    if (statement.kind !== "claim") continue;
    for (const [packageId, claimed] of statement.packages) {
      if (claimed.earlier.size > 0 && !earlier.has(packageId))
        roots.set(digestFromBytes(claimed.earlier.root), claimed.earlier.root);
    }
  }
  const { origin } = store.checkpoint();
  want(`log:${origin}`);
  const [states, releases, lists] = await Promise.all([
    packageStates([...packages.values()]),
    store.releases(names),
    sizesOf(store, roots),
  ]);
  const committees = charteredCommittees(states.get(`log:${origin}`)!, null).filter((id) => !packages.has(id));
  const asked = committees.map((packageId) => ({
    packageId,
    last: store.head(packageIdHash(nodeCrypto, packageId))?.lastAuthority ?? null,
  }));
  for (const { position } of releases) aged.add(position);
  const [more, leaves] = await Promise.all([packageStates(asked), store.leavesAt([...aged])]);
  return {
    places,
    states: new Map([...states, ...more]),
    releases: Map.groupBy(releases, releaseKey),
    lists,
    times: new Map([...leaves].map(([index, bytes]) => [index, parseLeaf(bytes).time])),
  };
}

async function sizesOf(store: AdmissionReads, roots: ReadonlyMap<Digest, Uint8Array>): Promise<Map<Digest, number>> {
  const found = await Promise.all(
    [...roots].map(async ([id, root]) => {
      const list = await store.earlier(root);
      return list === undefined ? [] : [[id, linesIn(list)] as const];
    }),
  );
  return new Map(found.flat());
}

function linesIn(list: string): number {
  let lines = 0;
  for (let at = list.indexOf("\n"); at >= 0; at = list.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** Subjects, other than those whose chains it goes into, that the rules for a statement look at: people don't vote on themselves. */
function statementParties(statement: Statement): string[] {
  switch (statement.kind) {
    case "adopt":
      return statement.committees;
    case "endorse":
      return [...statement.claims.keys()];
    case "hold":
      return statement.releases.map((releaseId) => parseReleaseId(releaseId).packageId);
    case "review":
      return [...statement.reviews.values()].map(({ packageId }) => packageId);
    default:
      return [];
  }
}

/** The committees that a charter will name if this is admitted: what comes behind it in the same batch is judged by their word too. */
function namedByCharter(statement: Statement): readonly string[] {
  const details = statement.kind === "claim" || statement.kind === "change" ? statement.details : null;
  return details?.kind === "charter" ? details.committees : [];
}

/** The versions whose releases the rules for a statement look at [S-23], [A-18]. */
function releaseNames(statement: Statement): ReleaseName[] {
  const ids =
    statement.kind === "release" ? [...statement.releases.keys()] : statement.kind === "hold" ? statement.releases : [];
  return ids.map((releaseId) => {
    const { packageId, version } = parseReleaseId(releaseId);
    return { packageHash: packageIdHash(nodeCrypto, packageId), version };
  });
}

function push<T>(lists: Map<string, T[]>, id: string, item: T): void {
  const list = lists.get(id);
  if (list) list.push(item);
  else lists.set(id, [item]);
}

function releaseKey({ packageHash, version }: ReleaseName): string {
  return `${digestFromBytes(packageHash)}@${version}`;
}
