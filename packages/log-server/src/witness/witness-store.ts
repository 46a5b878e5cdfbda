/**
 * What a witness remembers: for each log the last checkpoint that it cosigned. A second memory under the same key could cosign a second history, so the
 * file is open for one process alone, and one that is missing is never taken for an empty one.
 * Trust assumption: this machine's disk keeps what fsync says it keeps, and nobody puts an old copy of the file back.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LogServerError } from "../error.ts";

/** `note` is the whole note with the log's signature and the witness's cosignatures. `root` is 32 bytes. */
export type Remembered = { readonly size: number; readonly root: Uint8Array; readonly note: string };

export type WitnessStore = {
  readonly last: (origin: string) => Remembered | undefined;
  /** On the disk when this returns. */
  readonly keep: (origin: string, checkpoint: Remembered) => void;
  readonly close: () => void;
};

/** Name of the file in a witness's folder. */
export const WITNESS_DATABASE = "witness.sqlite";
const SCHEMA =
  "CREATE TABLE checkpoints (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL) STRICT";

/** Makes the memory of a new witness. Throws `STORE_EXISTS`, `STORE_LOCKED`. */
export function createWitnessStore(dir: string): WitnessStore {
  mkdirSync(dir, { recursive: true });
  const db = connect(dir);
  if (isMade(db)) {
    db.close();
    throw new LogServerError("STORE_EXISTS", "There is a witness in this folder already.");
  }
  db.exec(SCHEMA);
  return storeOver(db);
}

/** Opens a witness's memory for this process alone. Throws `STORE_MISSING`, `STORE_LOCKED`, `STORE_DAMAGED`. */
export function openWitnessStore(dir: string): WitnessStore {
  mkdirSync(dir, { recursive: true });
  const db = connect(dir);
  if (isMade(db)) return storeOver(db);
  db.close();
  throw new LogServerError("STORE_MISSING", "There is no witness's memory in this folder.");
}

function storeOver(db: DatabaseSync): WitnessStore {
  const select = db.prepare("SELECT size, root, note FROM checkpoints WHERE origin = ?");
  const replace = db.prepare("INSERT OR REPLACE INTO checkpoints (origin, size, root, note) VALUES (?, ?, ?, ?)");
  return {
    last: (origin) => select.get(origin) as Remembered | undefined,
    keep: (origin, { size, root, note }) => void replace.run(origin, size, root, note),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

function connect(dir: string): DatabaseSync {
  const db = new DatabaseSync(join(dir, WITNESS_DATABASE));
  try {
    // Exclusive: the lock is held until the process ends, however it ends. FULL: a commit returns when it is on the disk.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    db.exec("BEGIN IMMEDIATE; COMMIT");
    return db;
  } catch (cause) {
    db.close();
    const locked = cause instanceof Error && /locked|busy/i.test(cause.message);
    throw locked
      ? new LogServerError("STORE_LOCKED", "Another process has this witness open.", "One witness at a time.", cause)
      : new LogServerError("STORE_DAMAGED", "The witness's memory cannot be opened.", "", cause);
  }
}

function isMade(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'checkpoints'").get() !== undefined;
}
