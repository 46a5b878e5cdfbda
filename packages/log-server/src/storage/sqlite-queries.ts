/** The statements of the store, prepared once, as functions with types. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { LogServerError } from "../error.ts";
import type { LedgerRow, ReleaseRow, StatementPlace, TreeHead } from "./ledger.ts";
import type { FreshStatement } from "./sqlite-fresh.ts";

const FRESH = "first >= (SELECT indexed FROM log)";
const FRESH_RELEASES = "id >= (SELECT named FROM log)";

/** Bytes of a file. */
export type Extent = { readonly at: number; readonly length: number };

export type Queries = {
  readonly log: () => LedgerRow | undefined;
  readonly createLog: (row: LedgerRow) => void;
  readonly moveLog: (to: TreeHead) => void;
  readonly setPublished: (note: string) => void;
  readonly leaf: (position: number) => Uint8Array | undefined;
  readonly leaves: (from: number, to: number) => Uint8Array[];
  readonly lastLeaf: () => number | undefined;
  readonly addLeaf: (position: number, bytes: Uint8Array) => void;
  /** By the SHA-256 of the payload; what is indexed. */
  readonly place: (digest: Uint8Array) => StatementPlace | undefined;
  /** The first entry of the statement with this envelope; what is indexed. */
  readonly firstOf: (envelopeHash: Uint8Array) => number | undefined;
  /** Where the envelope is that is of the statement with this first entry. */
  readonly extent: (first: number) => Extent | undefined;
  readonly lastExtent: () => Extent | undefined;
  readonly addStatement: (statement: FreshStatement, extent: Extent) => void;
  /** What is indexed. */
  readonly releases: (packageHash: Uint8Array, version: string) => ReleaseRow[];
  readonly addRelease: (row: ReleaseRow) => void;
  /** What is not indexed yet. */
  readonly freshStatements: () => FreshStatement[];
  readonly freshReleases: () => ReleaseRow[];
  /** Puts all that is not indexed yet where it is found by its keys. */
  readonly index: () => void;
  readonly earlier: (root: Uint8Array) => string | undefined;
  readonly addEarlier: (root: Uint8Array, list: string) => void;
};

export function prepareQueries(db: DatabaseSync): Queries {
  const log = db.prepare("SELECT format, key, size, root, published FROM log");
  const createLog = db.prepare("INSERT INTO log VALUES (1, ?, ?, ?, ?, ?, 0, 0)");
  const setPublished = db.prepare("UPDATE log SET published = ?");
  const moveLog = db.prepare("UPDATE log SET size = ?, root = ?");
  const leaf = db.prepare("SELECT bytes FROM leaves WHERE position = ?");
  const leaves = db.prepare("SELECT bytes FROM leaves WHERE position >= ? AND position < ? ORDER BY position");
  const lastLeaf = db.prepare("SELECT max(position) AS last FROM leaves");
  const addLeaf = db.prepare("INSERT INTO leaves VALUES (?, ?)");
  const place = db.prepare(
    "SELECT s.first, s.count FROM digests d JOIN statements s ON s.first = d.first WHERE d.key = substr(?1, 1, 8) AND s.digest = ?1",
  );
  const firstOf = db.prepare(
    "SELECT s.first FROM envelopes e JOIN statements s ON s.first = e.first WHERE e.key = substr(?1, 1, 8) AND s.hash = ?1",
  );
  const extent = db.prepare("SELECT at, length FROM statements WHERE first = ?");
  const lastExtent = db.prepare("SELECT at, length FROM statements ORDER BY first DESC LIMIT 1");
  const addStatement = db.prepare("INSERT INTO statements VALUES (?, ?, ?, ?, ?, ?)");
  const releases = db.prepare(
    "SELECT r.* FROM names n JOIN releases r ON r.id = n.id WHERE n.key = substr(?1, 1, 8) AND n.version = ?2 AND r.package = ?1",
  );
  const addRelease = db.prepare("INSERT INTO releases VALUES (NULL, ?, ?, ?, ?, ?, ?)");
  const freshStatements = db.prepare(`SELECT first, count, digest, hash FROM statements WHERE ${FRESH}`);
  const freshReleases = db.prepare(`SELECT * FROM releases WHERE ${FRESH_RELEASES}`);
  // In the order of the keys, so that each page is changed once.
  const indexing = [
    `INSERT INTO digests SELECT substr(digest, 1, 8), first FROM statements WHERE ${FRESH} ORDER BY 1, 2`,
    `INSERT INTO envelopes SELECT substr(hash, 1, 8), first FROM statements WHERE ${FRESH} ORDER BY 1, 2`,
    `INSERT INTO names SELECT substr(package, 1, 8), version, id FROM releases WHERE ${FRESH_RELEASES} ORDER BY 1, 2, 3`,
    "UPDATE log SET indexed = size, named = (SELECT ifnull(max(id), 0) + 1 FROM releases)",
  ].map((sql) => db.prepare(sql));
  const earlier = db.prepare("SELECT list FROM earlier WHERE root = ?");
  const addEarlier = db.prepare("INSERT OR IGNORE INTO earlier VALUES (?, ?)");

  return {
    log: () => {
      const row = log.get();
      return (
        row && {
          format: text(row["format"]),
          key: text(row["key"]),
          size: number(row["size"]),
          root: bytes(row["root"]),
          published: text(row["published"]),
        }
      );
    },
    createLog: (row) => {
      createLog.run(row.format, row.key, row.size, row.root, row.published);
    },
    moveLog: ({ size, root }) => {
      moveLog.run(size, root);
    },
    setPublished: (note) => {
      setPublished.run(note);
    },
    leaf: (position) => {
      const row = leaf.get(position);
      return row && bytes(row["bytes"]);
    },
    leaves: (from, to) => leaves.all(from, to).map((row) => bytes(row["bytes"])),
    lastLeaf: () => {
      const last = lastLeaf.get()?.["last"];
      return typeof last === "number" ? last : undefined;
    },
    addLeaf: (position, leafBytes) => {
      addLeaf.run(position, leafBytes);
    },
    place: (digest) => {
      const row = place.get(digest);
      return row && { first: number(row["first"]), count: number(row["count"]) };
    },
    firstOf: (envelopeHash) => {
      const row = firstOf.get(envelopeHash);
      return row && number(row["first"]);
    },
    extent: (first) => extentOf(extent.get(first)),
    lastExtent: () => extentOf(lastExtent.get()),
    addStatement: ({ first, count, digest, envelopeHash }, { at, length }) => {
      addStatement.run(first, count, digest, envelopeHash, at, length);
    },
    releases: (packageHash, version) => releases.all(packageHash, version).map(releaseOf),
    addRelease: (row) => {
      addRelease.run(row.packageHash, row.version, row.line, row.sha512, row.tarSha512, row.position);
    },
    freshStatements: () =>
      freshStatements.all().map((row) => ({
        first: number(row["first"]),
        count: number(row["count"]),
        digest: bytes(row["digest"]),
        envelopeHash: bytes(row["hash"]),
      })),
    freshReleases: () => freshReleases.all().map(releaseOf),
    index: () => {
      for (const step of indexing) step.run();
    },
    earlier: (root) => {
      const row = earlier.get(root);
      return row && text(row["list"]);
    },
    addEarlier: (root, list) => {
      addEarlier.run(root, list);
    },
  };
}

function extentOf(row: Record<string, SQLOutputValue> | undefined): Extent | undefined {
  return row && { at: number(row["at"]), length: number(row["length"]) };
}

function releaseOf(row: Record<string, SQLOutputValue>): ReleaseRow {
  return {
    packageHash: bytes(row["package"]),
    version: text(row["version"]),
    line: number(row["line"]),
    sha512: bytes(row["sha512"]),
    tarSha512: bytes(row["tar"]),
    position: number(row["position"]),
  };
}

function bytes(value: SQLOutputValue | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw damaged();
  return value;
}

function number(value: SQLOutputValue | undefined): number {
  if (typeof value !== "number") throw damaged();
  return value;
}

function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== "string") throw damaged();
  return value;
}

function damaged(): LogServerError {
  return new LogServerError("STORE_DAMAGED", "The log's database holds a value of a wrong type.");
}
