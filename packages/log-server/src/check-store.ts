/** Checks a whole log at rest: all is computed again from its leaves and envelopes, by the rules that everybody applies. */
import { encodeHex, encodeUtf8, equalBytes, type SignedStatement, verifyEnvelope } from "@touchmark/core";
import {
  createPackageMap,
  leafHash,
  LogError,
  nodeCrypto,
  rootOfLeaves,
  type Checkpoint,
  tilePath,
  type VerifierKey,
} from "@touchmark/log";
import { readState } from "./recover.ts";
import { createReplay, type Problem, readLeaf, type ReadLeaf, type ReplayMaterial } from "./replay.ts";
import { memoryInMaps } from "./replay-memory.ts";
import { closeStorage, type Storage } from "./storage/storage.ts";
import { readEarlier, readEnvelope } from "./texts.ts";
import { appendLeaves, EMPTY_EDGE, rootOfEdge } from "./tree.ts";

/** `problems` is empty for a log that is whole; each is a sentence, with the rule that is broken where there is one. At most 100 are gathered. */
export type StoreReport = { readonly size: number; readonly problems: readonly string[] };

const CHUNK = 4096;
const MAX_PROBLEMS = 100;

/** Reads a log that nobody appends to, changes nothing, and closes the storage. Throws `STORE_MISSING`, and what makes reading on senseless. */
export async function checkStore(storage: Storage, key: VerifierKey): Promise<StoreReport> {
  try {
    const { stored } = await readState(storage, key);
    const problems: string[] = [];
    for await (const problem of findProblems(storage, stored)) {
      problems.push(problem);
      if (problems.length === MAX_PROBLEMS) break;
    }
    return { size: stored.size, problems };
  } finally {
    await closeStorage(storage);
  }
}

async function* findProblems(storage: Storage, tree: Checkpoint): AsyncGenerator<string> {
  const { ledger, blobs } = storage;
  const map = createPackageMap();
  const replay = createReplay({ origin: tree.origin, start: { size: 0, time: 0, map }, memory: memoryInMaps() });
  let edge = EMPTY_EDGE;
  while (edge.size < tree.size) {
    const leaves = await ledger.leaves(edge.size, Math.min(tree.size, edge.size + CHUNK));
    if (leaves.length === 0) {
      yield `Leaf ${edge.size} is missing.`;
      return;
    }
    const read = leaves.map(readLeaf);
    const material = await storedMaterial(storage, read, tree.size);
    for (const leaf of read) for (const problem of replay.next(leaf, material)) yield sentence(problem);
    const next = appendLeaves(edge, leaves);
    for (const { tile, bytes } of next.full) {
      const stored = await blobs.read(tilePath(tile));
      if (stored === undefined) yield `Tile ${tile.level}/${tile.index} is missing.`;
      else if (!equalBytes(stored, bytes)) yield `Tile ${tile.level}/${tile.index} is not what the leaves give.`;
    }
    edge = next.edge;
  }
  if (!equalBytes(rootOfEdge(edge), tree.root)) yield "The leaves are not those of the stored checkpoint.";
  const unended = replay.end();
  if (unended) yield sentence(unended);
  if (ledger.heads === undefined) return;
  let count = 0;
  for await (const heads of ledger.heads()) {
    for (const head of heads) {
      count++;
      const known = map.get(head.packageHash);
      if (known?.last !== head.last || known.lastAuthority !== head.lastAuthority) {
        yield `The head of package ${encodeHex(head.packageHash)} is not its last entry.`;
      }
    }
  }
  const packages = map.size();
  if (count !== packages) yield `The database knows ${count} packages, the log ${packages}.`;
}

/** What lies beside these leaves, read before they are looked at. */
async function storedMaterial(storage: Storage, leaves: readonly ReadLeaf[], size: number): Promise<ReplayMaterial> {
  const envelopes = new Map<string, Uint8Array>();
  const lists = new Map<string, number>();
  const opened = new Map<string, SignedStatement>();
  for (const hash of leaves.flatMap(envelopeHashOf)) {
    const id = encodeHex(hash);
    if (envelopes.has(id)) continue;
    const envelope = await readEnvelope(storage, hash, size);
    if (envelope === undefined || !equalBytes(nodeCrypto.sha256(envelope), hash)) continue;
    envelopes.set(id, envelope);
    for (const root of listRoots(opened, id, envelope)) {
      const lines = (await readEarlier(storage, root))?.split("\n").slice(0, -1);
      const found = lines && rootOfLeaves(lines.map((line) => leafHash(encodeUtf8(line))));
      if (found && equalBytes(found, root)) lists.set(encodeHex(root), lines.length);
    }
  }
  return {
    statement: (hash) => {
      const id = encodeHex(hash);
      const envelope = envelopes.get(id);
      // What could not be opened above is opened again, for the error that it gives.
      return opened.get(id) ?? (envelope && verifyEnvelope(nodeCrypto, envelope));
    },
    earlierSize: (root) => lists.get(encodeHex(root)),
  };
}

/** The roots of the lists that a claim names. */
function listRoots(opened: Map<string, SignedStatement>, id: string, envelope: Uint8Array): Uint8Array[] {
  try {
    const signed = verifyEnvelope(nodeCrypto, envelope);
    opened.set(id, signed);
    const { statement } = signed;
    if (statement.kind !== "claim") return [];
    return [...statement.packages.values()].flatMap(({ earlier }) => (earlier.size === 0 ? [] : [earlier.root]));
  } catch {
    return [];
  }
}

/** What is no readable entry is the replay's to report. */
function envelopeHashOf({ leaf }: ReadLeaf): Uint8Array[] {
  return leaf instanceof LogError || leaf.kind === "epoch" ? [] : [leaf.envelopeHash];
}

function sentence({ message, rule }: Problem): string {
  return `${message} [${rule}]`;
}
