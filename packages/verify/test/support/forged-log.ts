import { hash } from "node:crypto";
import {
  encodeEarlierLeaf,
  encodeHex,
  type Envelope,
  encodeEnvelope,
  packageIdHash,
  parseUtf8,
  statementChains,
  parseStatement,
} from "@touchmark/core";
import {
  bucketOf,
  createPackageMap,
  digestToBytes,
  encodeEntry,
  encodeEpoch,
  type EntryKind,
  type Evidence,
  isAuthorityKind,
  leafDigest,
  leafHash,
  MAP_SIZE,
  multiProof,
  nodeCrypto,
  noteSigner,
  type NoteSigner,
  rootOfDigests,
  signCheckpoint,
} from "@touchmark/log";

/** A log in memory that admits whatever it is told to: honest tests and cheating operators are made of it. */
export interface ForgedLog {
  origin: string;
  signer: NoteSigner;
  /** Appends an entry for each package of the statement and an epoch leaf; the first entry's index. */
  append(envelope: Envelope, time: number, forge?: Forge): number;
  /** The reference of an entry [S-26]. */
  reference(index: number): Uint8Array;
  /** Appends an epoch leaf alone. */
  heartbeat(time: number): void;
  /** The bundle for these packages. Authority entries and releases of all versions are in it, save those that are left out. */
  evidence(packageIds: string[], earlier?: Record<string, EarlierList>, leftOut?: readonly number[]): Evidence;
}

export interface Forge {
  kind?: EntryKind;
  packageIds?: string[];
  previousAuthority?: number | null;
  /** Leaves the map as it was. */
  omitFromMap?: boolean;
}

/** `claimed`: the list under whose root it is shown; its own when left out. */
export type EarlierList = { all: [string, string][]; asked: string[]; claimed?: [string, string][] };

const SEED = Buffer.alloc(32, 7);

export function forgedLog(origin = "log.example/test"): ForgedLog {
  const signer = noteSigner(origin, SEED);
  const map = createPackageMap();
  const leaves: Uint8Array[] = [];
  const entries: { index: number; packageHash: string; bytes: Uint8Array }[] = [];
  const envelopes = new Map<number, string>();
  let previousEpoch: number | null = null;

  const heartbeat = (time: number): void => {
    const covers = leaves.length;
    leaves.push(encodeEpoch({ kind: "epoch", time, mapRoot: map.root(), covers, previousEpoch }));
    previousEpoch = covers;
  };
  const append: ForgedLog["append"] = (envelope, time, forge = {}) => {
    const bytes = encodeEnvelope(envelope);
    const statement = parseStatement(nodeCrypto, envelope.payload);
    const kind = forge.kind ?? statement.kind;
    const first = leaves.length;
    for (const packageId of forge.packageIds ?? statementChains(statement)) {
      const packageHash = packageIdHash(nodeCrypto, packageId);
      const record = map.get(packageHash);
      const index = leaves.length;
      const previousAuthority =
        forge.previousAuthority === undefined ? (record?.lastAuthority ?? null) : forge.previousAuthority;
      const entry = encodeEntry({
        kind,
        time,
        packageHash,
        envelopeHash: nodeCrypto.sha256(bytes),
        previous: record?.last ?? null,
        previousAuthority,
      });
      leaves.push(entry);
      entries.push({ index, packageHash: encodeHex(packageHash), bytes: entry });
      envelopes.set(index, parseUtf8(bytes));
      if (forge.omitFromMap) continue;
      const draft = map.draft();
      draft.set({
        packageHash,
        last: index,
        lastAuthority: isAuthorityKind(kind) ? index : (record?.lastAuthority ?? null),
      });
      draft.commit();
    }
    heartbeat(time);
    return first;
  };
  const evidence: ForgedLog["evidence"] = (packageIds, earlier = {}, leftOut = []) => {
    const hashes = packageIds.map((id) => packageIdHash(nodeCrypto, id));
    const wanted = new Set(hashes.map(encodeHex));
    const chosen = entries.filter(({ index, packageHash }) => wanted.has(packageHash) && !leftOut.includes(index));
    const digests = leaves.map(leafDigest);
    const indices = [...new Set([...chosen.map(({ index }) => index), leaves.length - 1])].toSorted((a, b) => a - b);
    const buckets = [...new Set(hashes.map(bucketOf))].toSorted((a, b) => a - b);
    const size = leaves.length;
    const root = digestToBytes(rootOfDigests(digests));
    return {
      checkpoint: signCheckpoint({ origin, size, root }, signer),
      epoch: leaves.at(-1)!,
      entries: new Map(chosen.map(({ index, bytes }) => [index, bytes])),
      logProof: multiProof(size, indices, ({ start, end }) => rootOfDigests(digests.slice(start, end))),
      buckets: new Map(buckets.map((bucket) => [bucket, map.bucket(bucket)])),
      mapProof: buckets.length === 0 ? new Uint8Array(0) : multiProof(MAP_SIZE, buckets, map.digestOf),
      envelopes: new Map(
        chosen.map(({ index }) => [hash("sha256", envelopes.get(index)!, "hex"), envelopes.get(index)!]),
      ),
      earlier: new Map(
        Object.entries(earlier).map(([id, list]) => {
          const name = encodeHex(earlierCommitment(list.claimed ?? list.all).root);
          return [id, new Map([[name, earlierEvidence(list)]])];
        }),
      ),
    };
  };
  heartbeat(0);
  return { origin, signer, append, reference: (index) => leafHash(leaves[index]!), heartbeat, evidence };
}

/** The commitment of a claim to a list of earlier versions [S-15]. */
export function earlierCommitment(all: [string, string][]): { size: number; root: Uint8Array } {
  return {
    size: all.length,
    root: digestToBytes(rootOfDigests(all.map(([version, sha512]) => leafDigest(encodeEarlierLeaf(version, sha512))))),
  };
}

function earlierEvidence({ all, asked }: EarlierList): { versions: Map<number, [string, string]>; proof: Uint8Array } {
  const digests = all.map(([version, sha512]) => leafDigest(encodeEarlierLeaf(version, sha512)));
  const indices = all.flatMap(([version], index) => (asked.includes(version) ? [index] : []));
  return {
    versions: new Map(indices.map((index) => [index, all[index]!])),
    proof: multiProof(all.length, indices, ({ start, end }) => rootOfDigests(digests.slice(start, end))),
  };
}
