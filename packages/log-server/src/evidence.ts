/** Evidence for packages and versions at the newest published checkpoint, as chapter 05 has it. */
import { setImmediate } from "node:timers/promises";
import { encodeHex, encodeUtf8, packageIdHash } from "@touchmark/core";
import {
  bucketOf,
  concatDigests,
  type Digest,
  type EarlierEvidence,
  encodeEvidence,
  leafDigest,
  MAP_SIZE,
  MAX_EVIDENCE_BYTES,
  multiProof,
  multiProofRanges,
  nodeCrypto,
  parseEntry,
  type Range,
  rootOfDigests,
} from "@touchmark/log";
import { LogServerError } from "./error.ts";
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
  const earlier = new Map<string, EarlierEvidence>();
  for (const slice of slicesOf(asked)) {
    const chainTo = await authorityChains(
      store,
      slice.map(({ last }) => last),
    );
    const names = slice.flatMap(({ packageHash, versions, last }) =>
      last === null ? [] : versions.map((version) => ({ packageHash, version })),
    );
    for (const { index } of slice.flatMap(({ last }) => chainTo(last))) indices.add(index);
    for (const { position } of await store.releases(names)) if (position < size) indices.add(position);
    const after = await states(slice);
    for (const { packageId, versions } of slice) {
      const [line] = after.get(packageId)!.lines;
      const listed = line && (await earlierOf(store, line.claimed.earlier.root, versions));
      if (listed) earlier.set(packageId, listed);
    }
    await setImmediate();
  }
  const entries = new Map<number, Uint8Array>();
  const envelopes = envelopeCollector(store);
  for (const slice of slicesOf(sorted(indices))) {
    const leaves = await store.leavesAt(slice);
    for (const index of slice) entries.set(index, leaves.get(index)!);
    await envelopes.add([...leaves.values()]);
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

/** [E-5] The asked versions that the authority in force lists as published before it. */
async function earlierOf(
  store: StoreReads,
  root: Uint8Array,
  versions: readonly string[],
): Promise<EarlierEvidence | undefined> {
  const list = versions.length === 0 ? undefined : await store.earlier(root);
  if (list === undefined) return undefined;
  const lines = list.trimEnd().split("\n");
  const wanted = new Set(versions);
  const found = new Map<number, readonly [string, string]>();
  for (const [place, line] of lines.entries()) {
    const [version, sha512] = line.split(" ");
    if (version !== undefined && sha512 !== undefined && wanted.has(version)) found.set(place, [version, sha512]);
  }
  if (found.size === 0) return undefined;
  const leaves = lines.map((line) => leafDigest(encodeUtf8(line)));
  const digestOf = ({ start, end }: Range): Digest => rootOfDigests(leaves.slice(start, end));
  return { versions: found, proof: multiProof(lines.length, [...found.keys()], digestOf) };
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
