/** The ledger in one SQLite file, open for one process alone, and the envelopes in a file beside it. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { equalBytes } from "@touchmark/core";
import { type Digest, digestFromBytes } from "@touchmark/log";
import { LogServerError } from "../error.ts";
import { openEnvelopeFile } from "./envelope-file.ts";
import { namedIfFull } from "./full-disk.ts";
import { type AdmittedStatement, type Ledger, type LedgerBatch, requireFormat, type StatementPlace } from "./ledger.ts";
import {
  closingOnFailure,
  createTables,
  hasTables,
  inTransaction,
  openDatabase,
  readFormat,
} from "./sqlite-database.ts";
import { createFreshKeys, type FreshKeys, type FreshStatement } from "./sqlite-fresh.ts";
import { type Extent, prepareQueries, type Queries } from "./sqlite-queries.ts";

// Statements and releases that are found by memory alone, at most: as many as are read again at a start.
const FRESH = 2048;

/** Opens the file, or makes it with no log in it. Throws `STORE_LOCKED`, `STORE_FORMAT`, `STORE_DAMAGED`. */
export function sqliteLedger(path: string): Ledger {
  mkdirSync(dirname(path), { recursive: true });
  const database = openDatabase(path);
  const { db } = database;
  const fresh = createFreshKeys();
  let prepared = closingOnFailure(database, () => readyQueries(db, fresh));
  let end = endOf(prepared?.lastExtent());
  let written: readonly AdmittedStatement[] | undefined;
  const envelopes = closingOnFailure(database, () => openEnvelopeFile(`${path}-envelopes`, end));

  /** Digests that are not in the tree of digests, which changes only when it is brought up to date: each statement is looked for twice before it is taken in. */
  const absent = new Set<Digest>();
  const indexedPlace = (digest: Uint8Array): StatementPlace | undefined => {
    const key = digestFromBytes(digest);
    if (absent.has(key)) return undefined;
    const place = queries().place(digest);
    if (absent.size >= FRESH) absent.clear();
    if (place === undefined) absent.add(key);
    return place;
  };
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
      if (row === undefined) throw rowLost();
      return row;
    },
    create: async (row, leaf) => {
      if (prepared !== undefined) throw new LogServerError("STORE_EXISTS", "There is a log in this folder already.");
      prepared = inTransaction(db, () => {
        createTables(db);
        const made = prepareQueries(db);
        made.addLeaf(0, leaf);
        made.createLog(row);
        return made;
      });
      await database.flush();
    },
    takeWriting: async () => true, // the file is locked
    append: async (batch) => {
      const statements = placedStatements(batch);
      if (batch.statements !== written)
        throw new LogServerError("INTERNAL", "The envelopes of the batch are not stored.");
      const indexes = fresh.size() >= FRESH;
      end = inTransaction(db, () => {
        const row = queries().log();
        if (row?.size !== batch.from.size || !equalBytes(row.root, batch.from.root))
          throw new LogServerError("STORE_CHANGED", "The log's state is not the expected one."); // [L-17]
        fresh.refuseKnown(statements);
        if (indexes) queries().index();
        queries().moveLog(batch.to);
        return writeBatch(queries(), batch, statements, end);
      });
      written = undefined;
      if (indexes) {
        fresh.clear();
        absent.clear();
      }
      fresh.add(
        statements,
        batch.statements.flatMap(({ releases }) => releases),
      );
      await database.flush().catch((error: unknown) => {
        throw new LogServerError("STORE_LOST", "It is not known what reached the disk.", "Restart the log.", error);
      });
    },
    setPublished: async (note) => inTransaction(db, () => queries().setPublished(note)),
    leafCount: async () => {
      const last = queries().lastLeaf();
      return last === undefined ? undefined : last + 1;
    },
    leaves: async (from, to) => queries().leaves(from, to),
    leavesAt: async (positions) => {
      const found = positions.map((position) => [position, queries().leaf(position)] as const);
      return new Map(found.filter((pair): pair is readonly [number, Uint8Array] => pair[1] !== undefined));
    },
    heads: undefined, // a batch would change a page for nearly each of its packages
    places: async (digests) => {
      const places = new Map<string, StatementPlace>();
      for (const digest of digests) {
        const place = fresh.place(digest) ?? indexedPlace(digest);
        if (place !== undefined) places.set(Buffer.from(digest).toString("hex"), place);
      }
      return places;
    },
    releases: async (wanted) =>
      wanted.flatMap(({ packageHash, version }) => [
        ...queries().releases(packageHash, version),
        ...fresh.releases(packageHash, version),
      ]),
    texts: {
      write: async (statements) => {
        const bytes = statements.map(({ envelope }) => envelope);
        await envelopes.write(bytes, end).catch((error: unknown) => {
          throw namedIfFull(error);
        });
        written = statements;
      },
      envelope: async (hash) => {
        const first = fresh.firstOf(hash) ?? queries().firstOf(hash);
        const extent = first === undefined ? undefined : queries().extent(first);
        if (first === undefined || extent === undefined) return undefined;
        return { first, bytes: await envelopes.read(extent.at, extent.length) };
      },
      earlier: async (root) => queries().earlier(root),
    },
    close: async () => {
      if (!db.isOpen) return;
      database.close();
      await envelopes.close();
    },
  };
}

function endOf(extent: Extent | undefined): number {
  return extent === undefined ? 0 : extent.at + extent.length;
}

/** Of a log that is there already; what is not indexed yet becomes `fresh`. */
function readyQueries(db: DatabaseSync, fresh: FreshKeys): Queries | undefined {
  if (!hasTables(db)) return undefined;
  const format = readFormat(db);
  if (format === undefined) throw rowLost();
  requireFormat(format);
  const queries = prepareQueries(db);
  fresh.add(queries.freshStatements(), queries.freshReleases());
  return queries;
}

function rowLost(): LogServerError {
  return new LogServerError("STORE_DAMAGED", "The log's database has lost its only row.");
}

function placedStatements({ from, statements }: LedgerBatch): FreshStatement[] {
  let next = from.size;
  return statements.map(({ entries, digest, envelopeHash }) => {
    const first = next;
    next += entries.length;
    return { first, count: entries.length, digest, envelopeHash };
  });
}

/** Where the envelopes end that begin at `begin`. */
function writeBatch(
  queries: Queries,
  { from, leaves, statements }: LedgerBatch,
  placed: readonly FreshStatement[],
  begin: number,
): number {
  let end = begin;
  for (const [i, leaf] of leaves.entries()) queries.addLeaf(from.size + i, leaf);
  for (const [i, { envelope, releases, earlier }] of statements.entries()) {
    queries.addStatement(placed[i]!, { at: end, length: envelope.length });
    end += envelope.length;
    for (const release of releases) queries.addRelease(release);
    for (const { root, list } of earlier) queries.addEarlier(root, list);
  }
  return end;
}
