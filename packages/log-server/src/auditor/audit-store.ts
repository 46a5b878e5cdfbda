/**
 * What an auditor remembers, in one SQLite file: enough to go on from the last epoch leaf that it replayed, however it was ended.
 * Trust assumption: this machine's disk. At start tree and map are compared with what the log signed and the epoch leaf says [M-9].
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { equalBytes } from "@touchmark/core";
import {
  concatDigests,
  createPackageMap,
  digestsFromBytes,
  encodeVerifierKey,
  isAuthorityKind,
  NO_PEAKS,
  type PackageMap,
  parseEntry,
  parseEpoch,
  type Peaks,
  rootOfPeaks,
  type SignedCheckpoint,
  verifyCheckpoint,
  type VerifierKey,
} from "@touchmark/log";
import { LogServerError } from "../error.ts";
import { packageStates } from "../package-states.ts";
import type { KeptRelease, Problem, ReplayMemory } from "../replay.ts";
import { inTransaction } from "../storage/sqlite-database.ts";

/** What stops an auditor until its operator has looked at it [M-10]: a broken rule, or a second history. `note` is the checkpoint that it was found under. */
export type Halt = { readonly problem: Problem; readonly note: string };

/** How far the log was replayed. `seen` is this machine's time, in seconds, when `checkpoint` was first seen; it is of a size that `peaks` may not have reached. */
export type AuditState = {
  readonly peaks: Peaks;
  /** The last leaf, an epoch leaf; none before anything was replayed. */
  readonly epoch: Uint8Array | undefined;
  readonly checkpoint: SignedCheckpoint | undefined;
  readonly seen: number;
};

export type AuditStore = {
  readonly key: VerifierKey;
  readonly state: () => AuditState;
  readonly halt: () => Halt | undefined;
  /** The map as it was last kept. A replay changes it; what isn't kept is undone by `reopen`. */
  readonly map: () => PackageMap;
  readonly memory: ReplayMemory;
  /** Gives the envelopes of the entries to come, by their hash. */
  readonly lend: (envelopeOf: (envelopeHash: Uint8Array) => Uint8Array) => void;
  readonly begin: () => void;
  /** Makes everything since `begin` durable, together with where the replay is. */
  readonly keep: (state: AuditState) => void;
  /** Forgets everything since `begin`. */
  readonly reopen: () => void;
  readonly setHalt: (halt: Halt | undefined) => void;
  readonly close: () => void;
};

const DATABASE = "audit.sqlite";
const FORMAT = "touchmark-audit/1";
const KEPT_STATES = 20_000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY CHECK (id = 1), format TEXT NOT NULL, key TEXT NOT NULL,
  size INTEGER NOT NULL, peaks BLOB NOT NULL, epoch BLOB, note TEXT, seen INTEGER NOT NULL, halt TEXT) STRICT;
CREATE TABLE IF NOT EXISTS heads (package BLOB PRIMARY KEY, last INTEGER NOT NULL, authority INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (position INTEGER PRIMARY KEY, leaf BLOB NOT NULL, envelope BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS envelopes (hash BLOB PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS releases (package BLOB NOT NULL, version TEXT NOT NULL, line INTEGER NOT NULL,
  position INTEGER NOT NULL, PRIMARY KEY (package, version, line)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS statements (digest BLOB PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Opens an auditor's folder, which is made if it is missing, for this process alone. Throws `STORE_LOCKED`, `STORE_FOREIGN`, `STORE_DAMAGED`. */
export function openAuditStore(dir: string, key: VerifierKey): AuditStore {
  mkdirSync(dir, { recursive: true });
  const db = connect(join(dir, DATABASE));
  try {
    return storeOver(db, key);
  } catch (error) {
    db.close();
    throw error;
  }
}

function storeOver(db: DatabaseSync, key: VerifierKey): AuditStore {
  db.prepare("INSERT OR IGNORE INTO audit VALUES (1, ?, ?, 0, x'', NULL, NULL, 0, NULL)").run(
    FORMAT,
    encodeVerifierKey(key),
  );
  const row = db.prepare("SELECT * FROM audit");
  const update = db.prepare("UPDATE audit SET size = ?, peaks = ?, epoch = ?, note = ?, seen = ?");
  const updateHalt = db.prepare("UPDATE audit SET halt = ?");
  const setHead = db.prepare("INSERT OR REPLACE INTO heads VALUES (?, ?, ?)");
  const addEntry = db.prepare("INSERT INTO entries VALUES (?, ?, ?)");
  const entryAt = db.prepare("SELECT leaf, envelope FROM entries WHERE position = ?");
  const addEnvelope = db.prepare("INSERT OR IGNORE INTO envelopes VALUES (?, ?)");
  const envelopeOf = db.prepare("SELECT bytes FROM envelopes WHERE hash = ?");
  const releases = db.prepare('SELECT position AS "index", line FROM releases WHERE package = ? AND version = ?');
  const addRelease = db.prepare("INSERT OR IGNORE INTO releases VALUES (?, ?, ?, ?)");
  const stated = db.prepare("SELECT position FROM statements WHERE digest = ?");
  const addStatement = db.prepare("INSERT OR IGNORE INTO statements VALUES (?, ?)");
  const changed = new Map<string, { packageHash: Uint8Array; last: number; authority: number | null }>();
  let lent: ((envelopeHash: Uint8Array) => Uint8Array) | undefined;

  const releasesOf = (packageHash: Uint8Array, version: string): KeptRelease[] =>
    releases.all(packageHash, version) as KeptRelease[];
  const entry = (index: number): { leaf: Uint8Array; envelope: Uint8Array } => {
    const found = entryAt.get(index) as { leaf: Uint8Array; envelope: Uint8Array } | undefined;
    if (found === undefined) throw damaged("An entry that the auditor must have is missing.");
    return found;
  };
  const makeStates = (): ReturnType<typeof packageStates> =>
    packageStates(
      {
        origin: key.name,
        head: (packageHash) => {
          const fresh = changed.get(latin1(packageHash));
          return fresh ? { packageHash, last: fresh.last, lastAuthority: fresh.authority } : map.get(packageHash);
        },
        leaf: (index) => entry(index).leaf,
        envelopeAt: (index) => (envelopeOf.get(entry(index).envelope) as { bytes: Uint8Array }).bytes,
      },
      KEPT_STATES,
    );
  const load = (): AuditState => {
    const stored = row.get() as Row;
    if (stored.format !== FORMAT || stored.key !== encodeVerifierKey(key)) {
      throw new LogServerError("STORE_FOREIGN", "This folder is of an auditor of another log.", "Give another --dir.");
    }
    return readState(stored, key);
  };
  let state = load();
  let map = loadMap(db, state);
  let states = makeStates();

  return {
    key,
    state: () => state,
    halt: () => {
      const { halt } = row.get() as Row;
      return halt === null ? undefined : (JSON.parse(halt) as Halt);
    },
    map: () => map,
    memory: {
      state: (packageId, last) => states.at(packageId, last),
      keepEntry: ({
        index,
        leaf,
        packageId,
        state: after,
        entry: { kind, packageHash, envelopeHash, previousAuthority },
      }) => {
        const authority = isAuthorityKind(kind) ? index : previousAuthority;
        changed.set(latin1(packageHash), { packageHash, last: index, authority });
        addEntry.run(index, leaf, envelopeHash);
        if (authority !== index) return;
        addEnvelope.run(envelopeHash, lent!(envelopeHash));
        states.keep(packageId, after);
      },
      time: (index) => {
        const found = entryAt.get(index) as { leaf: Uint8Array } | undefined;
        return found && parseEntry(found.leaf).time;
      },
      releases: releasesOf,
      keepRelease: (packageHash, version, { index, line }) => {
        if (addRelease.run(packageHash, version, line, index).changes === 1) return undefined;
        return releasesOf(packageHash, version).find((kept) => kept.line === line)?.index;
      },
      keepStatement: (digest, index) => {
        const bytes = Buffer.from(digest, "hex");
        return addStatement.run(bytes, index).changes === 1 ? undefined : positionIn(stated.get(bytes));
      },
    },
    lend: (of) => {
      lent = of;
    },
    begin: () => {
      db.exec("BEGIN IMMEDIATE");
    },
    keep: (next) => {
      for (const { packageHash, last, authority } of changed.values()) setHead.run(packageHash, last, authority);
      changed.clear();
      const { peaks, epoch, checkpoint, seen } = next;
      update.run(peaks.size, concatDigests(peaks.digests), epoch ?? null, checkpoint?.note ?? null, seen);
      db.exec("COMMIT");
      state = next;
    },
    reopen: () => {
      if (!db.isTransaction) return;
      db.exec("ROLLBACK");
      changed.clear();
      state = load();
      map = loadMap(db, state);
      states = makeStates();
    },
    setHalt: (halt) => {
      inTransaction(db, () => updateHalt.run(halt === undefined ? null : JSON.stringify(halt)));
    },
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

type Row = {
  format: string;
  key: string;
  size: number;
  peaks: Uint8Array;
  epoch: Uint8Array | null;
  note: string | null;
  seen: number;
  halt: string | null;
};

function readState({ size, peaks, epoch, note, seen }: Row, key: VerifierKey): AuditState {
  if (note === null) return { peaks: NO_PEAKS, epoch: undefined, checkpoint: undefined, seen };
  const tree = { size, digests: digestsFromBytes(peaks) };
  const checkpoint = verifyCheckpoint(note, key);
  // Half-way to a checkpoint there is nothing that was signed to compare with; the next batch's proof does it.
  if (size === checkpoint.size && !equalBytes(rootOfPeaks(tree), checkpoint.root)) {
    throw damaged("The auditor's tree is not that of the checkpoint that it replayed.");
  }
  return { peaks: tree, epoch: epoch ?? undefined, checkpoint, seen };
}

function loadMap(db: DatabaseSync, { epoch }: AuditState): PackageMap {
  const map = createPackageMap();
  const draft = map.draft();
  for (const row of db.prepare("SELECT * FROM heads").iterate()) {
    const {
      package: packageHash,
      last,
      authority,
    } = row as {
      package: Uint8Array;
      last: number;
      authority: number | null;
    };
    draft.set({ packageHash, last, lastAuthority: authority });
  }
  draft.commit();
  if (epoch && !equalBytes(map.root(), parseEpoch(epoch).mapRoot)) {
    throw damaged("The auditor's packages are not those of the last epoch leaf that it replayed.");
  }
  return map;
}

function connect(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    db.exec("PRAGMA wal_autocheckpoint = 8000");
    inTransaction(db, () => db.exec(SCHEMA));
    return db;
  } catch (cause) {
    db.close();
    const locked = cause instanceof Error && /locked|busy/i.test(cause.message);
    throw locked
      ? new LogServerError("STORE_LOCKED", "Another process has this folder open.", "One auditor at a time.", cause)
      : damaged("The auditor's database cannot be opened.", cause);
  }
}

function positionIn(row: Record<string, unknown> | undefined): number | undefined {
  return row === undefined ? undefined : (row["position"] as number);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function damaged(message: string, cause?: unknown): LogServerError {
  return new LogServerError("STORE_DAMAGED", message, "Remove the folder; the auditor then begins anew.", cause);
}
