/** The tables of a log in PostgreSQL, and what a batch adds to them. */
import type { MapRecord } from "@touchmark/log";
import type { Client } from "pg";
import type { LedgerBatch } from "./ledger.ts";

/** First key of the writer's advisory lock, the letters "tmlg"; the second is the number of the table `log`, so that logs in several schemas have several locks. */
export const LOCK_CLASS = 0x74_6d_6c_67;

export const SCHEMA = `
CREATE TABLE log (id smallint PRIMARY KEY CHECK (id = 1), format text NOT NULL, key text NOT NULL,
  size bigint NOT NULL, root bytea NOT NULL, published text NOT NULL,
  writer bigint NOT NULL, released boolean NOT NULL);
CREATE TABLE leaves (position bigint PRIMARY KEY, bytes bytea NOT NULL);
CREATE TABLE heads (package bytea PRIMARY KEY, last bigint NOT NULL, authority bigint);
CREATE TABLE statements (digest bytea PRIMARY KEY, first bigint NOT NULL, count integer NOT NULL);
CREATE TABLE releases (package bytea NOT NULL, version text COLLATE "C" NOT NULL, line bigint NOT NULL,
  sha512 bytea NOT NULL, tar bytea NOT NULL, position bigint NOT NULL, PRIMARY KEY (package, version, line));
`;

/** Inside a transaction that holds the log's row. */
export async function addBatch(client: Client, { from, leaves, statements }: LedgerBatch): Promise<void> {
  await client.query("INSERT INTO leaves SELECT * FROM unnest($1::bigint[], $2::bytea[])", [
    leaves.map((_, i) => from.size + i),
    leaves,
  ]);
  if (statements.length === 0) return;
  let next = from.size;
  const places = statements.map(({ entries }) => {
    const first = next;
    next += entries.length;
    return { first, count: entries.length };
  });
  await client.query("INSERT INTO statements SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::integer[])", [
    statements.map(({ digest }) => digest),
    places.map(({ first }) => first),
    places.map(({ count }) => count),
  ]);
  const heads = lastOfEach(statements.flatMap((statement) => statement.heads));
  await client.query(
    `INSERT INTO heads SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[])
     ON CONFLICT (package) DO UPDATE SET last = excluded.last, authority = excluded.authority`,
    [
      heads.map(({ packageHash }) => packageHash),
      heads.map(({ last }) => last),
      heads.map(({ lastAuthority }) => lastAuthority),
    ],
  );
  const releases = statements.flatMap((statement) => statement.releases);
  if (releases.length === 0) return;
  await client.query(
    `INSERT INTO releases
     SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bigint[])`,
    [
      releases.map(({ packageHash }) => packageHash),
      releases.map(({ version }) => version),
      releases.map(({ line }) => line),
      releases.map(({ sha512 }) => sha512),
      releases.map(({ tarSha512 }) => tarSha512),
      releases.map(({ position }) => position),
    ],
  );
}

function lastOfEach(heads: readonly MapRecord[]): MapRecord[] {
  return [...new Map(heads.map((head) => [Buffer.from(head.packageHash).toString("hex"), head])).values()];
}
