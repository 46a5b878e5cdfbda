/** What is read of a log in PostgreSQL, by its writer and by those who only read. */
import type { MapRecord } from "@touchmark/log";
import type { Pool, QueryResultRow } from "pg";
import { LogServerError } from "../error.ts";
import type { Ledger, LedgerRow } from "./ledger.ts";
import { wordsFor } from "./postgres-connection.ts";

type Reads = Pick<Ledger, "row" | "leafCount" | "leaves" | "leavesAt" | "heads" | "places" | "releases">;

const HEADS_AT_ONCE = 20_000;

export function postgresReads(pool: Pool): Reads {
  const ask = async <Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> => {
    try {
      return (await pool.query<Row>(sql, values)).rows;
    } catch (error) {
      throw wordsFor(error);
    }
  };

  return {
    row: async () => {
      const [table] = await ask<{ log: string | null }>("SELECT to_regclass('log') AS log");
      if (table?.log === null) return undefined;
      const [row] = await ask<{ [key in keyof LedgerRow]: unknown }>(
        "SELECT format, key, size, root, published FROM log",
      );
      if (row === undefined) throw new LogServerError("STORE_DAMAGED", "The log's database has lost its only row.");
      const { format, key, size, root, published } = row;
      return {
        format: String(format),
        key: String(key),
        size: numberOf(size),
        root: bytesOf(root),
        published: String(published),
      };
    },
    leafCount: async () => {
      const [row] = await ask<{ last: unknown }>("SELECT max(position) AS last FROM leaves");
      return row?.last === null || row === undefined ? undefined : numberOf(row.last) + 1;
    },
    leaves: async (from, to) => {
      const rows = await ask<{ bytes: unknown }>(
        "SELECT bytes FROM leaves WHERE position >= $1 AND position < $2 ORDER BY position",
        [from, to],
      );
      return rows.map(({ bytes }) => bytesOf(bytes));
    },
    leavesAt: async (positions) => {
      if (positions.length === 0) return new Map();
      const rows = await ask<{ position: unknown; bytes: unknown }>(
        "SELECT position, bytes FROM leaves WHERE position = ANY($1::bigint[])",
        [positions],
      );
      return new Map(rows.map(({ position, bytes }) => [numberOf(position), bytesOf(bytes)]));
    },
    heads: async function* () {
      let after: Uint8Array = new Uint8Array(0);
      for (;;) {
        const rows: { package: unknown; last: unknown; authority: unknown }[] = await ask(
          "SELECT package, last, authority FROM heads WHERE package > $1 ORDER BY package LIMIT $2",
          [after, HEADS_AT_ONCE],
        );
        const heads = rows.map(({ package: packageHash, last, authority }): MapRecord => ({
          packageHash: bytesOf(packageHash),
          last: numberOf(last),
          lastAuthority: authority === null ? null : numberOf(authority),
        }));
        yield heads;
        if (heads.length < HEADS_AT_ONCE) return;
        after = heads.at(-1)!.packageHash;
      }
    },
    places: async (digests) => {
      if (digests.length === 0) return new Map();
      const rows = await ask<{ digest: unknown; first: unknown; count: unknown }>(
        "SELECT digest, first, count FROM statements WHERE digest = ANY($1::bytea[])",
        [digests],
      );
      return new Map(
        rows.map(({ digest, first, count }) => [
          Buffer.from(bytesOf(digest)).toString("hex"),
          { first: numberOf(first), count: numberOf(count) },
        ]),
      );
    },
    releases: async (wanted) => {
      if (wanted.length === 0) return [];
      const rows = await ask<{ [key in "package" | "version" | "line" | "sha512" | "tar" | "position"]: unknown }>(
        `SELECT package, version, line, sha512, tar, position FROM releases
         WHERE (package, version) IN (SELECT * FROM unnest($1::bytea[], $2::text[]))`,
        [wanted.map(({ packageHash }) => packageHash), wanted.map(({ version }) => version)],
      );
      return rows.map((row) => ({
        packageHash: bytesOf(row.package),
        version: String(row.version),
        line: numberOf(row.line),
        sha512: bytesOf(row.sha512),
        tarSha512: bytesOf(row.tar),
        position: numberOf(row.position),
      }));
    },
  };
}

/** The driver gives bytea as a Buffer. */
export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new LogServerError("STORE_DAMAGED", "The log's database holds a value of a wrong type.");
}

/** The driver gives bigint as text. */
function numberOf(value: unknown): number {
  const number = Number(value);
  if (value !== null && Number.isSafeInteger(number)) return number;
  throw new LogServerError("STORE_DAMAGED", "The log's database holds a value of a wrong type.");
}
