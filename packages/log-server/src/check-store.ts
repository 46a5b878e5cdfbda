/** Checks a whole log at rest: all is computed again from its leaves and envelopes, by the rules that everybody applies. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { encodeHex, encodeUtf8, equalBytes, verifyEnvelope } from "@touchmark/core";
import {
  createPackageMap,
  leafHash,
  nodeCrypto,
  rootOfLeaves,
  type SignedCheckpoint,
  type VerifierKey,
} from "@touchmark/log";
import { openDatabase } from "./database.ts";
import { LogServerError } from "./error.ts";
import { prepareQueries, type Queries } from "./queries.ts";
import { readSigned } from "./recover.ts";
import { createReplay, type Problem, type ReplayMaterial } from "./replay.ts";
import { memoryInMaps } from "./replay-memory.ts";
import { DATABASE } from "./store.ts";
import { readTileFile } from "./tile-files.ts";
import { appendLeaves, EMPTY_EDGE, rootOfEdge } from "./tree.ts";

/** `problems` is empty for a log that is whole; each is a sentence. At most 100 are gathered. */
export type StoreReport = { readonly size: number; readonly problems: readonly string[] };

const CHUNK = 4096;
const MAX_PROBLEMS = 100;

/** Reads the log in `dir`, which nobody has open, and changes nothing. Throws `STORE_MISSING`, `STORE_LOCKED`, and what makes reading on senseless. */
export function checkStore(dir: string, key: VerifierKey): StoreReport {
  if (!existsSync(join(dir, DATABASE))) throw new LogServerError("STORE_MISSING", "There is no log in this folder.");
  const database = openDatabase(join(dir, DATABASE));
  try {
    const queries = prepareQueries(database.db);
    const { signed } = readSigned(dir, queries, key);
    return { size: signed.size, problems: [...findProblems(dir, queries, signed)].slice(0, MAX_PROBLEMS) };
  } finally {
    database.close();
  }
}

function* findProblems(dir: string, queries: Queries, signed: SignedCheckpoint): Generator<string> {
  const map = createPackageMap();
  const replay = createReplay({ origin: signed.origin, start: { size: 0, time: 0, map }, memory: memoryInMaps() });
  const material = storedMaterial(queries);
  let edge = EMPTY_EDGE;
  while (edge.size < signed.size) {
    const leaves = queries.leaves(edge.size, Math.min(signed.size, edge.size + CHUNK));
    if (leaves.length === 0) {
      yield `Leaf ${edge.size} is missing.`;
      return;
    }
    for (const leaf of leaves) yield* sentences(replay.next(leaf, material));
    const next = appendLeaves(edge, leaves);
    for (const { tile, bytes } of next.full) {
      const file = readTileFile(dir, tile);
      if (file === undefined) yield `Tile ${tile.level}/${tile.index} is missing.`;
      else if (!equalBytes(file, bytes)) yield `Tile ${tile.level}/${tile.index} is not what the leaves give.`;
    }
    edge = next.edge;
  }
  if (!equalBytes(rootOfEdge(edge), signed.root)) yield "The leaves are not those of the signed checkpoint.";
  const unended = replay.end();
  if (unended) yield sentence(unended);
  let count = 0;
  for (const head of queries.heads()) {
    count++;
    const known = map.get(head.packageHash);
    if (known?.last !== head.last || known.lastAuthority !== head.lastAuthority) {
      yield `The head of package ${encodeHex(head.packageHash)} is not its last entry.`;
    }
  }
  const packages = map.size();
  if (count !== packages) yield `The database knows ${count} packages, the log ${packages}.`;
}

function storedMaterial(queries: Queries): ReplayMaterial {
  return {
    statement: (hash) => {
      const envelope = queries.envelopeByHash(hash)?.envelope;
      return envelope !== undefined && equalBytes(nodeCrypto.sha256(envelope), hash)
        ? verifyEnvelope(nodeCrypto, envelope)
        : undefined;
    },
    earlierSize: (root) => {
      const lines = queries.earlier(root)?.split("\n").slice(0, -1);
      const found = lines && rootOfLeaves(lines.map((line) => leafHash(encodeUtf8(line))));
      return found && equalBytes(found, root) ? lines.length : undefined;
    },
  };
}

function* sentences(problems: Iterable<Problem>): Generator<string> {
  for (const problem of problems) yield sentence(problem);
}

function sentence({ message, rule }: Problem): string {
  return `${message} [${rule}]`;
}
