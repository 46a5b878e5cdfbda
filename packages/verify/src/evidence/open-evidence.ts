import { encodeHex } from "@touchmark/core";
import {
  type Evidence,
  type EpochLeaf,
  LogError,
  type LogErrorCode,
  mapRootFromBuckets,
  type PackageEntry,
  parseBucket,
  parseEntry,
  parseEpoch,
  rootFromMultiProofOfData,
  type SignedCheckpoint,
  verifyCheckpoint,
  type VerifierKey,
} from "@touchmark/log";

/** An entry that was proved to be in the log. */
export interface ProvedEntry extends PackageEntry {
  index: number;
  /** The leaf itself. */
  bytes: Uint8Array;
  /** Hex of `envelopeHash`. */
  envelope: string;
}

/** A bundle of which every byte was proved to belong to a checkpoint that the log signed. What it says is still to be read. */
export interface OpenedEvidence {
  checkpoint: SignedCheckpoint;
  epoch: EpochLeaf;
  /** By hex package id hash, ascending by index. */
  entries: Map<string, ProvedEntry[]>;
  /** By bucket number. */
  buckets: ReadonlyMap<number, Uint8Array>;
  /** By hex SHA-256. */
  envelopes: ReadonlyMap<string, string>;
  /** By package id, then by the hex of the list's root. */
  earlier: Evidence["earlier"];
}

/** Verifies a bundle as a whole [V-2] to [V-4]. Throws `LogError`: whatever is wrong, nothing in the bundle counts. */
export function openEvidence(bundle: Evidence, key: VerifierKey): OpenedEvidence {
  const checkpoint = verifyCheckpoint(bundle.checkpoint, key); // [V-2]
  const epochIndex = checkpoint.size - 1;
  const epoch = parseEpoch(bundle.epoch);
  if (epoch.covers !== epochIndex)
    throw new LogError("BAD_PROOF", "The epoch leaf is not the last leaf of the checkpoint."); // [V-3] [L-8]
  const proved = [...bundle.entries].map(([index, bytes]) => {
    const entry = parseEntry(bytes);
    return { ...entry, index, bytes, envelope: encodeHex(entry.envelopeHash) };
  });
  if (proved.some(({ index }) => index >= epochIndex)) {
    throw new LogError("BAD_PROOF", "An entry stands behind the epoch leaf.");
  }
  const leaves = new Map([...bundle.entries, [epochIndex, bundle.epoch]]);
  const root = rootFromMultiProofOfData(checkpoint.size, leaves, bundle.logProof);
  expectRoot(root, checkpoint.root, "BAD_PROOF", "The entries are not in the log's tree.");
  verifyBuckets(bundle, epoch.mapRoot);
  expectNamed(bundle.envelopes, proved);
  return {
    checkpoint,
    epoch,
    entries: Map.groupBy(proved, (entry) => encodeHex(entry.packageHash)),
    buckets: bundle.buckets,
    envelopes: bundle.envelopes,
    earlier: bundle.earlier,
  };
}

// [V-4]
function verifyBuckets(bundle: Evidence, mapRoot: Uint8Array): void {
  if (bundle.buckets.size === 0) {
    if (bundle.mapProof.length > 0) throw new LogError("BAD_PROOF", "The map proof proves nothing."); // [E-7]
    return;
  }
  for (const [number, bytes] of bundle.buckets) parseBucket(bytes, number);
  expectRoot(
    mapRootFromBuckets(bundle.buckets, bundle.mapProof),
    mapRoot,
    "BAD_RECORD",
    "The packages' buckets are not in the log's map.",
  );
}

// [E-6]: an envelope that no entry names was never logged.
function expectNamed(envelopes: ReadonlyMap<string, string>, entries: ProvedEntry[]): void {
  const named = new Set(entries.map(({ envelope }) => envelope));
  for (const digest of envelopes.keys()) {
    if (!named.has(digest)) throw new LogError("BAD_EVIDENCE", "The evidence holds an envelope that no entry names.");
  }
}

function expectRoot(found: Uint8Array, expected: Uint8Array, code: LogErrorCode, message: string): void {
  if (Buffer.compare(found, expected) !== 0) throw new LogError(code, message);
}
