import {
  envelopesOf,
  type Evidence,
  type EpochLeaf,
  LogError,
  type LogErrorCode,
  mapRootFromBuckets,
  type NamedEntry,
  parseBucket,
  parseEpoch,
  parseNamedEntry,
  rootFromMultiProofOfData,
  type SignedCheckpoint,
  verifyCheckpoint,
  type VerifierKey,
} from "@touchmark/log";

/** An entry that was proved to be in the log. */
export interface ProvedEntry extends NamedEntry {
  index: number;
  /** The leaf itself. */
  bytes: Uint8Array;
}

/** A bundle of which every byte was proved to belong to a checkpoint that the log signed. What it says is still to be read. */
export interface OpenedEvidence {
  checkpoint: SignedCheckpoint;
  epoch: EpochLeaf;
  /** By hex package id hash, ascending by index. */
  readonly entries: ReadonlyMap<string, ProvedEntry[]>;
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
  expectNamed(bundle.envelopes, envelopesOf(bundle.entries.values()));
  // An entry at or behind the epoch leaf is refused with all others that do not ascend.
  const indices = [...bundle.entries.keys(), epochIndex];
  const leaves = [...bundle.entries.values(), bundle.epoch];
  const root = rootFromMultiProofOfData(checkpoint.size, indices, leaves, bundle.logProof);
  expectRoot(root, checkpoint.root, "BAD_PROOF", "The entries are not in the log's tree.");
  verifyBuckets(bundle, epoch.mapRoot);
  let entries: ReturnType<typeof entriesByPackage> | undefined;
  return {
    checkpoint,
    epoch,
    get entries() {
      return (entries ??= entriesByPackage(bundle.entries));
    },
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
function expectNamed(envelopes: ReadonlyMap<string, string>, named: ReadonlySet<string>): void {
  for (const digest of envelopes.keys()) {
    if (!named.has(digest)) throw new LogError("BAD_EVIDENCE", "The evidence holds an envelope that no entry names.");
  }
}

function entriesByPackage(leaves: Evidence["entries"]): Map<string, ProvedEntry[]> {
  const entries = new Map<string, ProvedEntry[]>();
  for (const [index, bytes] of leaves) {
    const entry = { ...parseNamedEntry(bytes), index, bytes };
    const others = entries.get(entry.package);
    if (others === undefined) entries.set(entry.package, [entry]);
    else others.push(entry);
  }
  return entries;
}

function expectRoot(found: Uint8Array, expected: Uint8Array, code: LogErrorCode, message: string): void {
  if (Buffer.compare(found, expected) !== 0) throw new LogError(code, message);
}
