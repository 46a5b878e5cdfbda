/** Evidence for packages and versions at the newest published checkpoint, as chapter 05 has it. */
import { setImmediate } from "node:timers/promises";
import { encodeHex, encodeUtf8, packageIdHash } from "@touchmark/core";
import {
  bucketOf,
  type Digest,
  type EarlierEvidence,
  encodeEvidence,
  leafDigest,
  MAP_SIZE,
  MAX_EVIDENCE_BYTES,
  multiProof,
  nodeCrypto,
  parseEntry,
  type Range,
  rootOfDigests,
} from "@touchmark/log";
import { LogServerError } from "./error.ts";
import { authorityChain, type PackageStates } from "./package-states.ts";
import type { Store } from "./store.ts";

const SLICE = 200;

/**
 * The bundle for these packages (id to versions) [E-4], at the checkpoint that is published when this is called. Others are served in between.
 * Throws `TOO_LARGE` if it would be larger than a bundle may be.
 */
export async function buildEvidence(
  store: Store,
  states: PackageStates,
  packages: ReadonlyMap<string, readonly string[]>,
): Promise<string> {
  const { checkpoint, treeDigest } = store.snapshot();
  const { size } = checkpoint;
  const asked = [...packages].map(([packageId, versions]) => {
    const packageHash = packageIdHash(nodeCrypto, packageId);
    return { packageId, packageHash, versions, last: store.head(packageHash)?.lastAuthority ?? null };
  });
  const numbers = sorted(new Set(asked.map(({ packageHash }) => bucketOf(packageHash))));
  const buckets = new Map(numbers.map((number) => [number, store.bucket(number)]));
  const mapProof = numbers.length === 0 ? new Uint8Array(0) : multiProof(MAP_SIZE, numbers, store.mapDigest); // [E-7]

  // From here on the map may go on without us: what else is read never changes.
  const breathe = everySo(SLICE);
  const indices = new Set<number>();
  const earlier = new Map<string, EarlierEvidence>();
  for (const { packageId, packageHash, versions, last } of asked) {
    await breathe();
    if (last === null) continue;
    for (const index of authorityChain(store, last)) indices.add(index);
    for (const version of versions) {
      await breathe();
      const release = store.release(packageHash, version);
      if (release !== undefined && release.position < size) indices.add(release.position);
    }
    const [line] = states(packageId, last).lines;
    const listed = line && earlierOf(store, line.claimed.earlier.root, versions);
    if (listed) earlier.set(packageId, listed);
  }
  const entries = new Map<number, Uint8Array>();
  const envelopes = envelopeCollector(store);
  for (const index of sorted(indices)) {
    await breathe();
    const entry = store.leaf(index);
    entries.set(index, entry);
    envelopes.add(index, entry);
    treeDigest({ start: index, end: index + 1 }); // has its tile read, so that the proof below is look-ups
  }
  const logProof = multiProof(size, [...entries.keys(), size - 1], treeDigest); // [E-3]
  const epoch = store.leaf(size - 1);
  const found = { entries, logProof, buckets, mapProof, envelopes: envelopes.all, earlier };
  const text = encodeEvidence({ checkpoint: checkpoint.note, epoch, ...found });
  if (text.length > MAX_EVIDENCE_BYTES) throw tooLarge();
  return text;
}

/** [E-5] The asked versions that the authority in force lists as published before it. */
function earlierOf(store: Store, root: Uint8Array, versions: readonly string[]): EarlierEvidence | undefined {
  const list = versions.length === 0 ? undefined : store.earlier(root);
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
function envelopeCollector(store: Store): {
  readonly all: Map<string, string>;
  readonly add: (index: number, entry: Uint8Array) => void;
} {
  const all = new Map<string, string>();
  let length = 0;
  const add = (index: number, entry: Uint8Array): void => {
    const hash = encodeHex(parseEntry(entry).envelopeHash);
    if (all.has(hash)) return;
    const bytes = store.envelopeAt(index);
    length += bytes.length;
    if (length > MAX_EVIDENCE_BYTES) throw tooLarge();
    all.set(hash, Buffer.from(bytes).toString("utf8"));
  };
  return { all, add };
}

/** Lets others have their turn at each `count`th call. */
function everySo(count: number): () => Promise<void> | undefined {
  let calls = 0;
  return () => (++calls % count === 0 ? setImmediate() : undefined);
}

function sorted(numbers: ReadonlySet<number>): number[] {
  return [...numbers].toSorted((a, b) => a - b);
}

function tooLarge(): LogServerError {
  return new LogServerError("TOO_LARGE", "The evidence would be too large.", "Ask for fewer packages at once.");
}
