/**
 * Reading all leaves of a log in order, for whoever trusts nobody's choice of them. Trust assumption: the signed checkpoint says which tree is meant;
 * leaves are handed out only after they were shown to be that tree's.
 */
import { equalBytes } from "@touchmark/core";
import { fetchTile, type LogEndpoint } from "./client.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type Digest, digestToBytes, leafDigest } from "./digest.ts";
import { LogError } from "./error.ts";
import { consistencyRanges, inclusionRanges, leafHash, verifyConsistency, verifyInclusion } from "./merkle.ts";
import { appendDigests, appendToPeaks, peakRanges, type Peaks, rootOfPeaks } from "./peaks.ts";
import { parseEntryBundle, TILE_WIDTH, tileWidth } from "./tile.ts";
import { fetchRangeDigests } from "./tile-reader.ts";

/** Leaves one after another, the first at index `first`, and their hashes; `peaks` is the tree after them. */
export type LeafBatch = {
  readonly first: number;
  readonly leaves: readonly Uint8Array[];
  readonly digests: readonly Digest[];
  readonly peaks: Peaks;
};

/** Bundles in one batch: 16,384 leaves, about 1.5 MB. */
const BATCH = 64;
const AT_ONCE = 8;

/**
 * The leaves of the tree of `checkpoint` after those of `from`, batch by batch, each batch proved to belong to it. `checkpoint` was verified by the log's key,
 * and is at least as large as `from`. Throws `BAD_TILE` if entries or tiles are not of that tree, and what the network throws.
 */
export async function* followLeaves(log: LogEndpoint, from: Peaks, checkpoint: Checkpoint): AsyncGenerator<LeafBatch> {
  let peaks = from;
  while (peaks.size < checkpoint.size) {
    const first = peaks.size;
    const end = Math.min(checkpoint.size, (Math.floor(first / TILE_WIDTH) + BATCH) * TILE_WIDTH);
    const leaves = await fetchLeaves(log, first, end, checkpoint.size);
    const digests = leaves.map(leafDigest);
    peaks = appendDigests(peaks, digests);
    await requirePrefix(log, peaks, checkpoint);
    yield { first, leaves, digests, peaks };
  }
}

/** The peaks of the first `size` leaves of the tree of `checkpoint`, proved to be that. Throws `BAD_TILE` and what the network throws. */
export async function fetchPeaks(log: LogEndpoint, size: number, checkpoint: Checkpoint): Promise<Peaks> {
  const peaks = { size, digests: await fetchDigests(log, peakRanges(size), checkpoint) };
  await requirePrefix(log, peaks, checkpoint);
  return peaks;
}

/** A leaf, and the hashes that prove it to be at `index` of the tree of `checkpoint`, its sibling first. Throws `BAD_TILE` and what the network throws. */
export async function fetchProvedLeaf(
  log: LogEndpoint,
  index: number,
  checkpoint: Checkpoint,
): Promise<{ leaf: Uint8Array; proof: Uint8Array[] }> {
  const [leaf] = await fetchLeaves(log, index, index + 1, checkpoint.size);
  const proof = (await fetchDigests(log, inclusionRanges(index, checkpoint.size), checkpoint)).map(digestToBytes);
  try {
    verifyInclusion(leafHash(leaf!), index, checkpoint.size, proof, checkpoint.root);
  } catch (cause) {
    throw foreign(cause);
  }
  return { leaf: leaf!, proof };
}

/** `count` leaves from index `first` on, proved to be there in the tree of `checkpoint`, which is at least that large. Throws `BAD_TILE` and what the network throws. */
export async function fetchProvedLeaves(
  log: LogEndpoint,
  first: number,
  count: number,
  checkpoint: Checkpoint,
): Promise<Uint8Array[]> {
  const leaves = await fetchLeaves(log, first, first + count, checkpoint.size);
  const before = { size: first, digests: await fetchDigests(log, peakRanges(first), checkpoint) };
  await requirePrefix(log, appendToPeaks(before, leaves), checkpoint); // which binds what is before them as well
  return leaves;
}

/** Leaves as the log serves them, **not verified**. */
async function fetchLeaves(log: LogEndpoint, first: number, end: number, size: number): Promise<Uint8Array[]> {
  const bundles: number[] = [];
  for (let bundle = Math.floor(first / TILE_WIDTH); bundle * TILE_WIDTH < end; bundle++) bundles.push(bundle);
  const leaves: Uint8Array[][] = [];
  for (let at = 0; at < bundles.length; at += AT_ONCE) {
    const some = bundles.slice(at, at + AT_ONCE);
    leaves.push(...(await Promise.all(some.map((bundle) => fetchBundle(log, bundle, size)))));
  }
  const start = bundles[0]! * TILE_WIDTH;
  return leaves.flat().slice(first - start, end - start);
}

async function fetchBundle(log: LogEndpoint, index: number, size: number): Promise<Uint8Array[]> {
  const width = tileWidth(size, "entries", index);
  try {
    return parseEntryBundle(await fetchTile(log, { level: "entries", index, width }), width);
  } catch (error) {
    // A partial bundle may be gone once the full one is there.
    if (!(error instanceof LogError && error.code === "NOT_FOUND") || width === TILE_WIDTH) throw error;
    const full = await fetchTile(log, { level: "entries", index, width: TILE_WIDTH });
    return parseEntryBundle(full, TILE_WIDTH).slice(0, width);
  }
}

async function requirePrefix(log: LogEndpoint, peaks: Peaks, checkpoint: Checkpoint): Promise<void> {
  const root = rootOfPeaks(peaks);
  if (peaks.size === 0 || peaks.size === checkpoint.size) {
    if (peaks.size === 0 || equalBytes(root, checkpoint.root)) return;
    throw foreign();
  }
  const proof = await fetchDigests(log, consistencyRanges(peaks.size, checkpoint.size), checkpoint);
  try {
    verifyConsistency(peaks.size, checkpoint.size, proof.map(digestToBytes), root, checkpoint.root);
  } catch (cause) {
    throw foreign(cause);
  }
}

function fetchDigests(
  log: LogEndpoint,
  ranges: ReturnType<typeof peakRanges>,
  checkpoint: Checkpoint,
): Promise<Digest[]> {
  return fetchRangeDigests(checkpoint.size, ranges, (tile) => fetchTile(log, tile));
}

function foreign(cause?: unknown): LogError {
  return new LogError("BAD_TILE", "The log's entries do not belong to its checkpoint.", { cause });
}
