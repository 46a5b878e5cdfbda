/** The statements of the store, prepared once, as functions with types. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { MapRecord } from "@touchmark/log";
import { LogServerError } from "../error.ts";
import type { LedgerRow, ReleaseRow, StatementPlace, TreeHead } from "./ledger.ts";

export type Queries = {
  readonly log: () => LedgerRow | undefined;
  readonly createLog: (row: LedgerRow) => void;
  readonly moveLog: (to: TreeHead) => void;
  readonly setPublished: (note: string) => void;
  readonly leaf: (position: number) => Uint8Array | undefined;
  readonly leaves: (from: number, to: number) => Uint8Array[];
  readonly lastLeaf: () => number | undefined;
  readonly addLeaf: (position: number, bytes: Uint8Array) => void;
  readonly heads: () => Generator<MapRecord>;
  readonly setHead: (record: MapRecord) => void;
  /** By the SHA-256 of the payload. */
  readonly place: (digest: Uint8Array) => StatementPlace | undefined;
  readonly envelopeByHash: (hash: Uint8Array) => { readonly first: number; readonly bytes: Uint8Array } | undefined;
  readonly addStatement: (
    place: StatementPlace,
    digest: Uint8Array,
    envelopeHash: Uint8Array,
    envelope: Uint8Array,
  ) => void;
  readonly releases: (packageHash: Uint8Array, version: string) => ReleaseRow[];
  readonly addRelease: (row: ReleaseRow) => void;
  readonly earlier: (root: Uint8Array) => string | undefined;
  readonly addEarlier: (root: Uint8Array, list: string) => void;
};

export function prepareQueries(db: DatabaseSync): Queries {
  const log = db.prepare("SELECT format, key, size, root, published FROM log");
  const createLog = db.prepare("INSERT INTO log VALUES (1, ?, ?, ?, ?, ?)");
  const setPublished = db.prepare("UPDATE log SET published = ?");
  const moveLog = db.prepare("UPDATE log SET size = ?, root = ?");
  const leaf = db.prepare("SELECT bytes FROM leaves WHERE position = ?");
  const leaves = db.prepare("SELECT bytes FROM leaves WHERE position >= ? AND position < ? ORDER BY position");
  const lastLeaf = db.prepare("SELECT max(position) AS last FROM leaves");
  const addLeaf = db.prepare("INSERT INTO leaves VALUES (?, ?)");
  const heads = db.prepare("SELECT package, last, authority FROM heads");
  const setHead = db.prepare(
    "INSERT INTO heads VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last = excluded.last, authority = excluded.authority",
  );
  const place = db.prepare(
    "SELECT s.first, s.count FROM digests d JOIN statements s ON s.first = d.first WHERE d.digest = ?",
  );
  const envelopeByHash = db.prepare(
    "SELECT s.first, s.envelope FROM envelopes e JOIN statements s ON s.first = e.first WHERE e.hash = ?",
  );
  const addStatement = db.prepare("INSERT INTO statements VALUES (?, ?, ?)");
  const addDigest = db.prepare("INSERT INTO digests VALUES (?, ?)");
  const addEnvelope = db.prepare("INSERT INTO envelopes VALUES (?, ?)");
  const releases = db.prepare("SELECT line, sha512, tar, position FROM releases WHERE package = ? AND version = ?");
  const addRelease = db.prepare("INSERT INTO releases VALUES (?, ?, ?, ?, ?, ?)");
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
    heads: function* () {
      for (const row of heads.iterate()) {
        const { authority } = row;
        yield {
          packageHash: bytes(row["package"]),
          last: number(row["last"]),
          lastAuthority: authority === null ? null : number(authority),
        };
      }
    },
    setHead: (record) => {
      setHead.run(record.packageHash, record.last, record.lastAuthority);
    },
    place: (digest) => {
      const row = place.get(digest);
      return row && { first: number(row["first"]), count: number(row["count"]) };
    },
    envelopeByHash: (hash) => {
      const row = envelopeByHash.get(hash);
      return row && { first: number(row["first"]), bytes: bytes(row["envelope"]) };
    },
    addStatement: (where, digest, envelopeHash, envelope) => {
      addStatement.run(where.first, where.count, envelope);
      addDigest.run(digest, where.first);
      addEnvelope.run(envelopeHash, where.first);
    },
    releases: (packageHash, version) =>
      releases.all(packageHash, version).map((row) => ({
        packageHash,
        version,
        line: number(row["line"]),
        sha512: bytes(row["sha512"]),
        tarSha512: bytes(row["tar"]),
        position: number(row["position"]),
      })),
    addRelease: (row) => {
      addRelease.run(row.packageHash, row.version, row.line, row.sha512, row.tarSha512, row.position);
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
