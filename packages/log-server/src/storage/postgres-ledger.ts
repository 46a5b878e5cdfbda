/**
 * The ledger in PostgreSQL: one writer, any number of readers. The writer holds a session's advisory lock for as long as its connection lives, and its number
 * stands in the log's row: a writer that was cut off finds another number there, under the row's lock, so that nothing more of it is stored, or signed [L-31].
 * Trust assumption: the server keeps what it committed; one that runs without fsync is refused.
 */
import { setTimeout } from "node:timers/promises";
import type { Client } from "pg";
import { LogServerError } from "../error.ts";
import type { Ledger, LedgerBatch, TreeHead } from "./ledger.ts";
import {
  codeOf,
  connectPostgres,
  inTransaction,
  isDiskFull,
  isRefusedByServer,
  wordsFor,
} from "./postgres-connection.ts";
import { bytesOf, postgresReads } from "./postgres-reads.ts";
import { addBatch, LOCK_CLASS, SCHEMA } from "./postgres-schema.ts";

export type PostgresOptions = {
  /** Milliseconds that a new writer waits if the last one did not say that it was done, so that what that one had under way is over: 15,000 if left out. */
  readonly takeover?: number;
};

type Writer = { readonly client: Client; readonly number: string; lost: boolean };

/** Throws `DRIVER_MISSING`, `STORE_UNREACHABLE`, `STORE_UNSAFE` if the server may forget what it committed. */
export async function postgresLedger(address: string, options: PostgresOptions = {}): Promise<Ledger> {
  const { takeover = 15_000 } = options;
  const { pool, connect } = await connectPostgres(address);
  let writer: Writer | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  /** The writer's session does one thing after another: what is published while a batch is appended is not to be part of its transaction. */
  const inTurn =
    <T>(work: (given: T) => Promise<void>) =>
    (given: T): Promise<void> => {
      const mine = turn.then(() => work(given));
      turn = mine.catch(() => undefined);
      return mine;
    };

  return {
    ...postgresReads(pool),
    create: async (row, leaf) => {
      const client = await connect();
      try {
        await inTransaction(client, async () => {
          await client.query(SCHEMA);
          await client.query("INSERT INTO leaves VALUES (0, $1)", [leaf]);
          await client.query("INSERT INTO log VALUES (1, $1, $2, $3, $4, $5, 0, true)", [
            row.format,
            row.key,
            row.size,
            row.root,
            row.published,
          ]);
        });
      } catch (error) {
        const exists = ["42P07", "23505"].includes(codeOf(error));
        throw exists ? new LogServerError("STORE_EXISTS", "There is a log in this database already.") : wordsFor(error);
      } finally {
        await client.end();
      }
    },
    takeWriting: async () => {
      const client = await connect();
      try {
        const taken = await takeLog(client);
        if (taken === undefined) {
          await client.end();
          return false;
        }
        const own: Writer = { client, number: taken.number, lost: false };
        client.on("error", () => (own.lost = true));
        client.on("end", () => (own.lost = true));
        writer = own;
        if (!taken.released) await setTimeout(takeover);
        return true;
      } catch (error) {
        await client.end().catch(() => undefined);
        throw wordsFor(error);
      }
    },
    append: inTurn(async (batch: LedgerBatch) => {
      if (writer === undefined || writer.lost) throw lost();
      const { client, number } = writer;
      let committing = false;
      try {
        await client.query("BEGIN");
        await requireUnchanged(client, number, batch.from);
        await addBatch(client, batch);
        await client.query("UPDATE log SET size = $1, root = $2", [batch.to.size, batch.to.root]);
        committing = true;
        await client.query("COMMIT");
      } catch (error) {
        // Until the commit was asked for nothing is stored, and after it only if the server did not refuse.
        const undone = (!committing || isRefusedByServer(error)) && (await rollBack(client));
        if (!undone || isLost(error)) writer.lost = true;
        if (writer.lost) throw lost(error);
        throw isDiskFull(error) ? wordsFor(error) : error;
      }
    }),
    setPublished: inTurn(async (note: string) => {
      if (writer === undefined || writer.lost) throw lost();
      const own = writer;
      const { rowCount } = await own.client
        .query("UPDATE log SET published = $1 WHERE writer = $2", [note, own.number])
        .catch(async (error: unknown) => {
          if (await rollBack(own.client)) throw wordsFor(error);
          own.lost = true; // nothing is to be undone, but nobody answers
          throw lost(error);
        });
      if (rowCount !== 1) {
        own.lost = true;
        throw lost();
      }
    }),
    texts: undefined,
    close: async () => {
      if (writer !== undefined && !writer.lost) {
        await writer.client
          .query("UPDATE log SET released = true WHERE writer = $1", [writer.number])
          .catch(() => undefined); // then the next writer waits
      }
      await writer?.client.end().catch(() => undefined);
      await pool.end();
    },
  };
}

/** The lock, and a new writer's number; `undefined` while another session has the lock. */
async function takeLog(client: Client): Promise<{ number: string; released: boolean } | undefined> {
  const { rows: tables } = await client.query<{ log: number | null }>("SELECT to_regclass('log')::oid::int AS log");
  const table = tables[0]?.log;
  if (table === null || table === undefined)
    throw new LogServerError("STORE_MISSING", "There is no log in this database.");
  const { rows } = await client.query<{ taken: boolean }>("SELECT pg_try_advisory_lock($1, $2) AS taken", [
    LOCK_CLASS,
    table,
  ]);
  if (rows[0]?.taken !== true) return undefined;
  return inTransaction(client, async () => {
    const before = await client.query<{ released: boolean }>("SELECT released FROM log FOR UPDATE");
    const after = await client.query<{ writer: string }>(
      "UPDATE log SET writer = writer + 1, released = false RETURNING writer",
    );
    if (after.rows[0] === undefined) throw new LogServerError("STORE_DAMAGED", "The log's database has lost its row.");
    return { number: after.rows[0].writer, released: before.rows[0]?.released === true };
  });
}

/** [L-17] [L-31] From here until the transaction ends nobody else can change the row. */
async function requireUnchanged(client: Client, number: string, from: TreeHead): Promise<void> {
  const { rows } = await client.query<{ size: string; root: Buffer; writer: string }>(
    "SELECT size, root, writer FROM log FOR UPDATE",
  );
  const [row] = rows;
  if (row?.writer !== number) throw lost();
  if (Number(row.size) !== from.size || Buffer.compare(bytesOf(row.root), from.root) !== 0)
    throw new LogServerError("STORE_CHANGED", "The log's state is not the expected one.");
}

async function rollBack(client: Client): Promise<boolean> {
  return client.query("ROLLBACK").then(
    () => true,
    () => false,
  );
}

function isLost(error: unknown): boolean {
  return error instanceof LogServerError && error.code === "STORE_LOST";
}

function lost(cause?: unknown): LogServerError {
  if (isDiskFull(cause))
    return new LogServerError(
      "STORE_LOST",
      "The log's database stopped, since its disk is full.",
      "Make room there, start it if it did not start by itself, and restart the log.",
      cause,
    );
  return new LogServerError(
    "STORE_LOST",
    "This process is no longer the log's writer.",
    "Restart it: it takes over again when nobody else has.",
    cause,
  );
}
