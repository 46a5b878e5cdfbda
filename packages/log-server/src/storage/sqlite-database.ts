/** The database beside the tiles: everything that must change together with the signed checkpoint changes in one transaction with it. */
import { closeSync, fdatasync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { LogServerError } from "../error.ts";
import { namedIfFull } from "./full-disk.ts";

const flushFile = promisify(fdatasync);

// Leaves, statements and releases are only added to at the end. The keys that they are found by come in no order, so that a batch would change nearly as many
// pages of `digests`, `envelopes` and `names` as it has statements: these have what is below `indexed` and `named`, and are brought up to date in bulk.
// They hold the first eight bytes of a hash, which is enough to find a row, not to know that it is the one: that is for the row itself to say.
const SCHEMA = `
CREATE TABLE log (id INTEGER PRIMARY KEY CHECK (id = 1), format TEXT NOT NULL, key TEXT NOT NULL,
  size INTEGER NOT NULL, root BLOB NOT NULL, published TEXT NOT NULL, indexed INTEGER NOT NULL, named INTEGER NOT NULL) STRICT;
CREATE TABLE leaves (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE statements (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, digest BLOB NOT NULL, hash BLOB NOT NULL,
  at INTEGER NOT NULL, length INTEGER NOT NULL) STRICT;
CREATE TABLE releases (id INTEGER PRIMARY KEY, package BLOB NOT NULL, version TEXT NOT NULL, line INTEGER NOT NULL, sha512 BLOB NOT NULL, tar BLOB NOT NULL,
  position INTEGER NOT NULL) STRICT;
CREATE TABLE digests (key BLOB NOT NULL, first INTEGER NOT NULL, PRIMARY KEY (key, first)) STRICT, WITHOUT ROWID;
CREATE TABLE envelopes (key BLOB NOT NULL, first INTEGER NOT NULL, PRIMARY KEY (key, first)) STRICT, WITHOUT ROWID;
CREATE TABLE names (key BLOB NOT NULL, version TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (key, version, id)) STRICT, WITHOUT ROWID;
CREATE TABLE earlier (root BLOB PRIMARY KEY, list TEXT NOT NULL) STRICT;
`;

/**
 * A database open for this process alone. A commit is in the write-ahead log's file at once, but on the disk only after `flush`: SQLite's own way would stop
 * the whole process, readers too, for as long as the disk takes.
 */
export type Database = {
  readonly db: DatabaseSync;
  readonly flush: () => Promise<void>;
  readonly close: () => void;
};

/** Opens a database for this process alone; it is made if it is not there. Throws `STORE_LOCKED`, `STORE_DAMAGED`. */
export function openDatabase(path: string): Database {
  const db = new DatabaseSync(path);
  try {
    // Exclusive before WAL: the lock is held until the process ends, however it ends, and no second process gets past this.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    // Pages that many batches change go to the database once in 32 MiB of batches, not once in 4.
    db.exec("PRAGMA wal_autocheckpoint = 8000");
    // KiB: keys lie at random places of three trees, whose pages are to be at hand when the log is large.
    db.exec("PRAGMA cache_size = -32768");
    db.exec("BEGIN IMMEDIATE; COMMIT");
    const wal = openSync(`${path}-wal`, "r+");
    return {
      db,
      flush: () => flushFile(wal),
      close: () => {
        if (!db.isOpen) return;
        db.close();
        closeSync(wal);
      },
    };
  } catch (cause) {
    db.close();
    const locked = cause instanceof Error && /locked|busy/i.test(cause.message);
    throw locked
      ? new LogServerError("STORE_LOCKED", "Another process has this log open.", "One server at a time.", cause)
      : unreadable(cause);
  }
}

/** Runs `work` on a database that was just opened, and closes it if that throws. */
export function closingOnFailure<T>(database: Database, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    database.close();
    throw cause instanceof LogServerError ? cause : unreadable(cause);
  }
}

function unreadable(cause: unknown): LogServerError {
  return new LogServerError(
    "STORE_DAMAGED",
    "The log's database cannot be opened.",
    "Restore it from a backup.",
    cause,
  );
}

export function createTables(db: DatabaseSync): void {
  db.exec(SCHEMA);
}

export function hasTables(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log'").get() !== undefined;
}

/** What the one row of a log says of its tables, whichever version made them. */
export function readFormat(db: DatabaseSync): unknown {
  return db.prepare("SELECT format FROM log").get()?.["format"];
}

/** Runs `work` in a transaction, which is undone if it throws. Throws `STORE_FULL`, and what `work` throws. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw namedIfFull(error);
  }
}
