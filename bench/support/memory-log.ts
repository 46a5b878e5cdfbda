import { createPublicKey, type KeyObject } from "node:crypto";
import {
  encodeEnvelope,
  encodeHex,
  type Envelope,
  envelopeSignedBytes,
  packageIdHash,
  parseSignatures,
  parseStatement,
  statementChains,
} from "@touchmark/core";
import {
  createPackageMap,
  encodeEntry,
  encodeEpoch,
  isAuthorityKind,
  type LogEndpoint,
  nodeCrypto,
  noteSigner,
  parseTilePath,
  signCheckpoint,
  type SignedCheckpoint,
  TILE_WIDTH,
  tilePath,
  verifyCheckpoint,
} from "@touchmark/log";
import { appendLeaves, edgeTile, EMPTY_EDGE, rootOfEdge } from "../../packages/log-server/src/tree.ts";

/** A log's public files, held in memory: what an auditor reads without any network or disk in between. */
export interface MemoryLog {
  endpoint: LogEndpoint;
  checkpoint: SignedCheckpoint;
}

export const ORIGIN = "log.example/bench";

/** A log of these statements, with an epoch leaf after each `batch` of them. */
export function memoryLog(statements: readonly Envelope[], batch: number, time: number): MemoryLog {
  const signer = noteSigner(ORIGIN, new Uint8Array(32).fill(1));
  const map = createPackageMap();
  const files = new Map<string, Uint8Array>();
  const leaves: Uint8Array[] = [];
  let previousEpoch: number | null = null;
  const endEpoch = (): void => {
    const covers = leaves.length;
    leaves.push(encodeEpoch({ kind: "epoch", time, mapRoot: map.root(), covers, previousEpoch }));
    previousEpoch = covers;
  };
  endEpoch();
  for (const [i, envelope] of statements.entries()) {
    const bytes = encodeEnvelope(envelope);
    const envelopeHash = nodeCrypto.sha256(bytes);
    files.set(`envelope/${encodeHex(envelopeHash)}`, bytes);
    const statement = parseStatement(nodeCrypto, envelope.payload);
    const { kind } = statement;
    const draft = map.draft();
    for (const packageId of statementChains(statement)) {
      const packageHash = packageIdHash(nodeCrypto, packageId);
      const head = map.get(packageHash);
      const previousAuthority = head?.lastAuthority ?? null;
      const last = leaves.length;
      leaves.push(
        encodeEntry({ kind, time, packageHash, envelopeHash, previous: head?.last ?? null, previousAuthority }),
      );
      draft.set({ packageHash, last, lastAuthority: isAuthorityKind(kind) ? last : previousAuthority });
    }
    draft.commit();
    if ((i + 1) % batch === 0 || i + 1 === statements.length) endEpoch();
  }
  const { edge, full } = appendLeaves(EMPTY_EDGE, leaves);
  for (const { tile, bytes } of full) files.set(tilePath(tile), bytes);
  const fetch: LogEndpoint["fetch"] = async (url) => {
    const path = url.slice(ADDRESS.length);
    const tile = parseTilePath(path);
    const bytes = files.get(path) ?? (tile && tile.width < TILE_WIDTH ? edgeTile(edge, tile) : undefined);
    // What stands for an answer here costs nothing: making one is the network's work.
    const answer = bytes === undefined ? { status: 404, body: [] } : { status: 200, body: [bytes] };
    return answer as unknown as Response;
  };
  const note = signCheckpoint({ origin: ORIGIN, size: edge.size, root: rootOfEdge(edge) }, signer);
  return { endpoint: { url: ADDRESS, key: signer.key, fetch }, checkpoint: verifyCheckpoint(note, signer.key) };
}

const ADDRESS = "https://log.example/bench/";

/** A signature as `crypto.verify` wants it. */
export interface BareSignature {
  key: KeyObject;
  message: Uint8Array;
  signature: Uint8Array;
}

/** The P-256 signatures of envelopes, ready to be checked with the keys at hand. */
export function bareSignatures(statements: readonly Envelope[]): BareSignature[] {
  const keys = new Map<string, KeyObject>();
  return statements.flatMap((envelope) => {
    const tbs = envelopeSignedBytes(nodeCrypto, envelope.payload);
    return parseSignatures(nodeCrypto, envelope).map(({ key, flags, counter, signature }) => {
      const spki = Buffer.concat([P256_SPKI, key.publicKey]);
      const name = spki.toString("base64");
      const known = keys.get(name) ?? createPublicKey({ key: spki, format: "der", type: "spki" });
      keys.set(name, known);
      const tail = Buffer.from([flags, 0, 0, 0, 0]);
      tail.writeUInt32BE(counter, 1);
      const application = nodeCrypto.sha256(Buffer.from(key.application));
      return { key: known, message: Buffer.concat([application, tail, nodeCrypto.sha256(tbs)]), signature };
    });
  });
}

const P256_SPKI = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
