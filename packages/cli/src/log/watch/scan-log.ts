import {
  CoreError,
  encodeHex,
  packageIdHash,
  parseEnvelope,
  parseUtf8,
  parseStatement,
  type Statement,
  verifyEnvelope,
} from "@touchmark/core";
import {
  type EntryKind,
  fetchEnvelope,
  fetchEvidence,
  followLeaves,
  type LogEndpoint,
  LogError,
  nodeCrypto,
  type PackageEntry,
  parseEvidence,
  parseLeaf,
  type Peaks,
  type SignedCheckpoint,
} from "@touchmark/log";
import { statedAuthority } from "../../statements/describe.ts";

/** A statement that a watcher has to know of. */
export interface WatchEvent {
  index: number;
  /** Log time, seconds. */
  time: number;
  kind: EntryKind;
  /** `about`: it is in a package's chain, or names one; `key`: it names or is signed by a key of theirs, elsewhere. */
  why: "about" | "key";
  /** What it names of the packages and keys that are watched. */
  names: string[];
  /** Hex SHA-256 of the payload; null if the envelope can't be had. */
  digest: string | null;
  /** Hex SHA-256 of the envelope. */
  envelope: string;
  /** Fingerprints of the keys whose signatures are good. */
  signers: string[];
  statement: Statement | null;
  /** What is wrong with it, if something is. */
  problem: string | null;
}

/** What is looked for. `keys` are records and fingerprints; those in the packages' own statements are added while reading. */
export interface Watched {
  packages: readonly string[];
  keys: Set<string>;
}

/** A batch of leaves was read: the tree after it, what was found, and the log time of the last leaf. */
export interface ScanStep {
  peaks: Peaks;
  events: WatchEvent[];
  time: number;
}

/** Entries of these kinds are in the chain of what they are about, and name no keys. */
const ONLY_IN_OWN_CHAIN: readonly EntryKind[] = ["release", "funding"];

/** Reads every leaf after `from`, each proved to be in the tree of `checkpoint`, so that the log can leave none out. Throws what the network throws. */
export async function* scanLog(
  log: LogEndpoint,
  from: Peaks,
  checkpoint: SignedCheckpoint,
  watched: Watched,
): AsyncGenerator<ScanStep> {
  const ownHashes = new Set(watched.packages.map((id) => encodeHex(packageIdHash(nodeCrypto, id))));
  for await (const { first, leaves, peaks } of followLeaves(log, from, checkpoint)) {
    const events: WatchEvent[] = [];
    let time = 0;
    let before: WatchEvent | null = null;
    for (const [i, bytes] of leaves.entries()) {
      const leaf = parseLeaf(bytes);
      time = leaf.time;
      if (leaf.kind === "epoch") continue;
      const own = ownHashes.has(encodeHex(leaf.packageHash));
      if (!own && ONLY_IN_OWN_CHAIN.includes(leaf.kind)) continue;
      const event = await lookAt(log, leaf, first + i, own, watched);
      // One statement about several packages has an entry for each [L-6].
      if (event === null || before?.envelope === event.envelope) continue;
      before = event;
      events.push(event);
    }
    yield { peaks, events, time };
  }
}

async function lookAt(
  log: LogEndpoint,
  entry: PackageEntry,
  index: number,
  own: boolean,
  watched: Watched,
): Promise<WatchEvent | null> {
  const { kind, time } = entry;
  const base = { index, time, kind, envelope: encodeHex(entry.envelopeHash) };
  const unread = { ...base, why: "about" as const, names: [], digest: null, signers: [], statement: null };
  let bytes: Uint8Array;
  try {
    bytes = await fetchEnvelope(log, entry.envelopeHash);
  } catch (error) {
    if (!(error instanceof LogError) || (error.code !== "NOT_FOUND" && error.code !== "WRONG_HASH")) throw error;
    // What the log keeps to itself may be about anybody.
    return { ...unread, problem: `The envelope cannot be had: ${error.message}` };
  }
  try {
    const { statement, digest, signers } = verifyEnvelope(nodeCrypto, bytes);
    const fingerprints = signers === "vouched" ? [] : signers.map(({ fingerprint }) => fingerprint);
    const text = parseUtf8(parseEnvelope(bytes).payload);
    const packages = watched.packages.filter((id) => text.includes(`"${id}"`) || text.includes(`"${id}@`));
    const about = own || packages.length > 0;
    if (own) for (const key of keysIn(statement)) watched.keys.add(key);
    const keys = [...watched.keys].filter((key) => text.includes(`"${key}"`) || fingerprints.includes(key));
    if (!about && keys.length === 0) return null;
    const names = [...packages, ...(about ? [] : keys)];
    return { ...base, why: about ? "about" : "key", names, digest, signers: fingerprints, statement, problem: null };
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    return { ...unread, digest: digestOf(bytes), problem: error.message };
  }
}

/** Key records and fingerprints that the packages' statements so far name, as the log tells it: a hint for the first reading, which finds them out by itself. */
export async function fetchKeys(log: LogEndpoint, packages: readonly string[]): Promise<string[]> {
  const bundle = parseEvidence(await fetchEvidence(log, Object.fromEntries(packages.map((id) => [id, []]))));
  return [...bundle.envelopes.values()].flatMap((envelope) =>
    keysIn(parseStatement(nodeCrypto, parseEnvelope(envelope).payload)),
  );
}

function keysIn(statement: Statement): string[] {
  const authority = statedAuthority(statement);
  const keys = authority ? [...authority.keys, ...(authority.recovery?.keys ?? [])] : [];
  return keys.flatMap(({ key, fingerprint }) => [key.record, fingerprint]);
}

function digestOf(envelope: Uint8Array): string | null {
  try {
    return encodeHex(nodeCrypto.sha256(parseEnvelope(envelope).payload));
  } catch {
    return null;
  }
}
