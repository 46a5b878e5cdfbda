/** Checks a whole log at rest: all is computed again from its leaves and envelopes, by the rules that everybody applies. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { equalBytes } from "@touchmark/core";
import { type SignedCheckpoint, type VerifierKey } from "@touchmark/log";
import { openDatabase } from "./database.ts";
import { LogServerError } from "./error.ts";
import { prepareQueries, type Queries } from "./queries.ts";
import { readSigned } from "./recover.ts";
import { createReplay } from "./replay.ts";
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
  const replay = createReplay(queries, signed.origin);
  let edge = EMPTY_EDGE;
  while (edge.size < signed.size) {
    const leaves = queries.leaves(edge.size, Math.min(signed.size, edge.size + CHUNK));
    if (leaves.length === 0) {
      yield `Leaf ${edge.size} is missing.`;
      return;
    }
    for (const leaf of leaves) yield* replay.next(leaf);
    const next = appendLeaves(edge, leaves);
    for (const { tile, bytes } of next.full) {
      const file = readTileFile(dir, tile);
      if (file === undefined) yield `Tile ${tile.level}/${tile.index} is missing.`;
      else if (!equalBytes(file, bytes)) yield `Tile ${tile.level}/${tile.index} is not what the leaves give.`;
    }
    edge = next.edge;
  }
  if (!equalBytes(rootOfEdge(edge), signed.root)) yield "The leaves are not those of the signed checkpoint.";
  yield* replay.end();
}
