/** The ledger in one SQLite file, open for one process alone. Envelopes lie in it too, so that a batch is one write to the disk. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { equalBytes } from "@touchmark/core";
import { LogServerError } from "../error.ts";
import type { Ledger, LedgerBatch, StatementPlace } from "./ledger.ts";
import { createTables, hasTables, inTransaction, openDatabase } from "./sqlite-database.ts";
import { prepareQueries, type Queries } from "./sqlite-queries.ts";

const HEADS_AT_ONCE = 10_000;

/** Opens the file, or makes it with no log in it. Throws `STORE_LOCKED`, `STORE_DAMAGED`. */
export function sqliteLedger(path: string): Ledger {
  mkdirSync(dirname(path), { recursive: true });
  const database = openDatabase(path);
  const { db } = database;
  let prepared: Queries | undefined = hasTables(db) ? prepareQueries(db) : undefined;

  const queries = (): Queries => {
    if (prepared !== undefined) return prepared;
    throw new LogServerError("STORE_MISSING", "There is no log in this folder.", "A log is made once, by createStore.");
  };

  return {
    row: async () => {
      if (prepared === undefined) return undefined;
      // What was committed when the last process was killed may not be on the disk, and is published next.
      await database.flush();
      const row = prepared.log();
      if (row === undefined) throw new LogServerError("STORE_DAMAGED", "The log's database has lost its only row.");
      return row;
    },
    create: async (row, leaf) => {
      if (prepared !== undefined) throw new LogServerError("STORE_EXISTS", "There is a log in this folder already.");
      prepared = inTransaction(db, () => {
        createTables(db);
        const fresh = prepareQueries(db);
        fresh.addLeaf(0, leaf);
        fresh.createLog(row);
        return fresh;
      });
      await database.flush();
    },
    takeWriting: async () => true, // the file is locked
    append: async (batch) => {
      inTransaction(db, () => {
        const row = queries().log();
        if (row?.size !== batch.from.size || !equalBytes(row.root, batch.from.root))
          throw new LogServerError("STORE_CHANGED", "The log's state is not the expected one."); // [L-17]
        writeBatch(queries(), batch);
        queries().moveLog(batch.to);
      });
      await database.flush().catch((error: unknown) => {
        throw new LogServerError("STORE_LOST", "It is not known what reached the disk.", "Restart the log.", error);
      });
    },
    setPublished: async (note) => queries().setPublished(note),
    leafCount: async () => {
      const last = queries().lastLeaf();
      return last === undefined ? undefined : last + 1;
    },
    leaves: async (from, to) => queries().leaves(from, to),
    leavesAt: async (positions) => {
      const found = positions.map((position) => [position, queries().leaf(position)] as const);
      return new Map(found.filter((pair): pair is readonly [number, Uint8Array] => pair[1] !== undefined));
    },
    heads: async function* () {
      yield* inPieces(queries().heads());
    },
    places: async (digests) => {
      const found = digests.map((digest) => [Buffer.from(digest).toString("hex"), queries().place(digest)] as const);
      return new Map(found.filter((pair): pair is readonly [string, StatementPlace] => pair[1] !== undefined));
    },
    releases: async (wanted) => wanted.flatMap(({ packageHash, version }) => queries().releases(packageHash, version)),
    texts: {
      envelope: async (hash) => queries().envelopeByHash(hash),
      earlier: async (root) => queries().earlier(root),
    },
    close: async () => database.close(),
  };
}

function writeBatch(queries: Queries, { from, leaves, statements }: LedgerBatch): void {
  for (const [i, leaf] of leaves.entries()) queries.addLeaf(from.size + i, leaf);
  let first = from.size;
  for (const statement of statements) {
    const count = statement.entries.length;
    queries.addStatement({ first, count }, statement.digest, statement.envelopeHash, statement.envelope);
    for (const head of statement.heads) queries.setHead(head);
    for (const release of statement.releases) queries.addRelease(release);
    for (const { root, list } of statement.earlier) queries.addEarlier(root, list);
    first += count;
  }
}

function* inPieces<T>(items: Iterable<T>): Generator<T[]> {
  let piece: T[] = [];
  for (const item of items) {
    piece.push(item);
    if (piece.length < HEADS_AT_ONCE) continue;
    yield piece;
    piece = [];
  }
  yield piece;
}
