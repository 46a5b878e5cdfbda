/** Evidence for packages and versions at the newest published checkpoint, as chapter 05 has it. */
import { setImmediate } from "node:timers/promises";
import { encodeHex, isCommitteeId, packageIdHash, type PackageState } from "@touchmark/core";
import {
  bucketOf,
  concatDigests,
  encodeEvidence,
  MAP_SIZE,
  MAX_EVIDENCE_BYTES,
  multiProof,
  multiProofRanges,
  nodeCrypto,
  parseEntry,
} from "@touchmark/log";
import { type ListQuestion, proveEarlier } from "./earlier-proofs.ts";
import { LogServerError } from "./error.ts";
import type { AuthorityEntry } from "./package-states.ts";
import { readAdmittedEnvelope } from "./signatures/open-envelope.ts";
import type { ReleaseRow } from "./storage/ledger.ts";
import { authorityChains, type PackageStates, requireEnvelope } from "./stored-states.ts";
import type { StoreReads } from "./store-reads.ts";

const SLICE = 200;

/**
 * The bundle for these packages (id to versions) [E-4], at the checkpoint that is published when this is called. Others are served in between.
 * Throws `TOO_LARGE` if it would be larger than a bundle may be.
 */
export async function buildEvidence(
  store: StoreReads,
  states: PackageStates,
  packages: ReadonlyMap<string, readonly string[]>,
): Promise<string> {
  const { checkpoint, digests } = store.snapshot();
  const { size } = checkpoint;
  const asked = [...packages].map(([packageId, versions]) => {
    const packageHash = packageIdHash(nodeCrypto, packageId);
    return { packageId, packageHash, versions, last: store.head(packageHash)?.lastAuthority ?? null };
  });
  const numbers = sorted(new Set(asked.map(({ packageHash }) => bucketOf(packageHash))));
  const buckets = new Map(numbers.map((number) => [number, store.bucket(number)]));
  const mapProof = numbers.length === 0 ? new Uint8Array(0) : multiProof(MAP_SIZE, numbers, store.mapDigest); // [E-7]

  // From here on the map may go on without us: what else is read never changes.
  const indices = new Set<number>();
  const bare = new Set<number>();
  const questions: ListQuestion[] = [];
  for (const slice of slicesOf(asked)) {
    const chainTo = await authorityChains(
      store,
      slice.map(({ last }) => last),
    );
    const names = slice.flatMap(({ packageHash, versions, last }) =>
      last === null ? [] : versions.map((version) => ({ packageHash, version })),
    );
    for (const { index, before } of slice.flatMap(({ last }) => chainTo(last))) {
      indices.add(index);
      if (before !== null) bare.add(before.index); // [E-21]
    }
    const committees = slice.filter(({ packageId }) => isCommitteeId(packageId));
    const found = (await store.releases(names)).filter(({ position }) => position < size);
    for (const position of wantedOf(found, committees)) indices.add(position);
    const after = await states(slice);
    for (const { packageId, versions, last } of slice) {
      if (versions.length === 0) continue;
      const roots = await rootsOf(store, packageId, chainTo(last), after.get(packageId)!);
      questions.push(...roots.map((root) => ({ packageId, root, versions })));
    }
    await setImmediate();
  }
  const lists = await proveEarlier(store, questions);
  const earlier = new Map([...packages.keys()].flatMap((id) => (lists.has(id) ? [[id, lists.get(id)!] as const] : [])));
  const entries = new Map<number, Uint8Array>();
  const envelopes = envelopeCollector(store);
  for (const slice of slicesOf(sorted(new Set([...indices, ...bare])))) {
    const leaves = await store.leavesAt(slice);
    for (const index of slice) entries.set(index, leaves.get(index)!);
    await envelopes.add(slice.filter((index) => indices.has(index)).map((index) => leaves.get(index)!));
    await setImmediate();
  }
  const shown = [...entries.keys(), size - 1];
  const logProof = concatDigests(await digests(multiProofRanges(size, shown))); // [E-3]
  const epoch = await store.leaf(size - 1);
  const found = { entries, logProof, buckets, mapProof, envelopes: envelopes.all, earlier };
  const text = encodeEvidence({ checkpoint: checkpoint.note, epoch, ...found });
  if (text.length > MAX_EVIDENCE_BYTES) throw tooLarge();
  return text;
}

/** The entries of all releases; of a committee's reviews of one version the newest alone [E-20]. */
function wantedOf(found: readonly ReleaseRow[], committees: readonly { packageHash: Uint8Array }[]): number[] {
  if (committees.length === 0) return found.map(({ position }) => position);
  const reviewers = new Set(committees.map(({ packageHash }) => encodeHex(packageHash)));
  const newest = new Map<string, number>();
  const wanted: number[] = [];
  for (const { packageHash, version, position } of found) {
    const by = encodeHex(packageHash);
    if (!reviewers.has(by)) wanted.push(position);
    else newest.set(`${by} ${version}`, Math.max(position, newest.get(`${by} ${version}`) ?? 0));
  }
  return [...wanted, ...newest.values()];
}

/** The roots of the lists that a package's claims commit to: whichever of them counts for whoever asks, it has a list of its own [E-5]. */
async function rootsOf(
  store: StoreReads,
  packageId: string,
  chain: readonly AuthorityEntry[],
  { lines }: PackageState,
): Promise<Uint8Array[]> {
  const claims = chain.map(({ bytes }) => parseEntry(bytes)).filter(({ kind }) => kind === "claim");
  if (claims.length <= 1) return lines.map(({ claimed }) => claimed.earlier.root);
  const roots = await Promise.all(
    claims.map(async ({ envelopeHash }) => {
      const { statement } = readAdmittedEnvelope(await requireEnvelope(store, envelopeHash));
      return statement.kind === "claim" ? statement.packages.get(packageId)!.earlier.root : undefined;
    }),
  );
  return roots.filter((root) => root !== undefined);
}

/** Each envelope once, though a statement about many packages has an entry for each. */
function envelopeCollector(store: StoreReads): {
  readonly all: Map<string, string>;
  readonly add: (entries: readonly Uint8Array[]) => Promise<void>;
} {
  const all = new Map<string, string>();
  let length = 0;
  const add = async (entries: readonly Uint8Array[]): Promise<void> => {
    const fresh = new Map<string, Uint8Array>();
    for (const { envelopeHash } of entries.map(parseEntry)) {
      const hash = encodeHex(envelopeHash);
      if (!all.has(hash)) fresh.set(hash, envelopeHash);
    }
    await Promise.all(
      [...fresh].map(async ([hash, envelopeHash]) => {
        const bytes = await requireEnvelope(store, envelopeHash);
        length += bytes.length;
        if (length > MAX_EVIDENCE_BYTES) throw tooLarge();
        all.set(hash, Buffer.from(bytes).toString("utf8"));
      }),
    );
  };
  return { all, add };
}

function slicesOf<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / SLICE) }, (_, i) => items.slice(i * SLICE, (i + 1) * SLICE));
}

function sorted(numbers: ReadonlySet<number>): number[] {
  return [...numbers].toSorted((a, b) => a - b);
}

function tooLarge(): LogServerError {
  return new LogServerError("TOO_LARGE", "The evidence would be too large.", "Ask for fewer packages at once.");
}
