/** Evidence for packages and versions at the newest published checkpoint, as chapter 05 has it. */
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

/** The bundle for these packages (id to versions) [E-4]. Throws `TOO_LARGE` if it would be larger than a bundle may be. */
export function buildEvidence(
  store: Store,
  states: PackageStates,
  packages: ReadonlyMap<string, readonly string[]>,
): string {
  const { note, size } = store.checkpoint();
  const buckets = new Set<number>();
  const indices = new Set<number>();
  const earlier = new Map<string, EarlierEvidence>();
  for (const [packageId, versions] of packages) {
    const packageHash = packageIdHash(nodeCrypto, packageId);
    buckets.add(bucketOf(packageHash));
    const chain = authorityChain(store, packageHash);
    if (chain.length === 0) continue;
    for (const index of chain) indices.add(index);
    for (const version of versions) {
      const release = store.release(packageHash, version);
      if (release !== undefined && release.position < size) indices.add(release.position);
    }
    const { claim } = states(packageId, packageHash);
    const listed = claim && earlierOf(store, claim.claimed.earlier.root, versions);
    if (listed) earlier.set(packageId, listed);
  }
  const ascending = sorted(indices);
  const numbers = sorted(buckets);
  const entries = new Map(ascending.map((index) => [index, store.leaf(index)]));
  const text = encodeEvidence({
    checkpoint: note,
    epoch: store.leaf(size - 1),
    entries,
    logProof: multiProof(size, [...ascending, size - 1], store.treeDigest), // [E-3]
    buckets: new Map(numbers.map((number) => [number, store.bucket(number)])),
    mapProof: numbers.length === 0 ? new Uint8Array(0) : multiProof(MAP_SIZE, numbers, store.mapDigest), // [E-7]
    envelopes: envelopesOf(store, entries),
    earlier,
  });
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
function envelopesOf(store: Store, entries: ReadonlyMap<number, Uint8Array>): Map<string, string> {
  const envelopes = new Map<string, string>();
  let length = 0;
  for (const [index, entry] of entries) {
    const hash = encodeHex(parseEntry(entry).envelopeHash);
    if (envelopes.has(hash)) continue;
    const bytes = store.envelopeAt(index);
    length += bytes.length;
    if (length > MAX_EVIDENCE_BYTES) throw tooLarge();
    envelopes.set(hash, Buffer.from(bytes).toString("utf8"));
  }
  return envelopes;
}

function sorted(numbers: ReadonlySet<number>): number[] {
  return [...numbers].toSorted((a, b) => a - b);
}

function tooLarge(): LogServerError {
  return new LogServerError("TOO_LARGE", "The evidence would be too large.", "Ask for fewer packages at once.");
}
