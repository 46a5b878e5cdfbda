/** Connections to PostgreSQL by the `pg` driver, which only operators with that storage install. */
import type { Client, Pool } from "pg";
import { LogServerError } from "../error.ts";

const CONNECTIONS = 8;
// Milliseconds.
const CONNECT_TIMEOUT = 10_000;
const QUERY_TIMEOUT = 60_000;

// A writer whose machine is gone is noticed by the server in half a minute, so that its lock becomes free.
const SESSION =
  "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4; SET idle_in_transaction_session_timeout = '60s'";

export type Postgres = { readonly pool: Pool; readonly connect: () => Promise<Client> };

/** Throws `DRIVER_MISSING`, `STORE_UNREACHABLE`, `STORE_UNSAFE`. The password, if there is one, comes from PGPASSWORD or a password file. */
export async function connectPostgres(address: string): Promise<Postgres> {
  const { Client: PgClient, Pool: PgPool } = await loadDriver();
  const config = {
    connectionString: address,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: QUERY_TIMEOUT,
    application_name: "touchmark-log",
    keepAlive: true,
  };
  const connect = async (): Promise<Client> => {
    const client = new PgClient(config);
    try {
      await client.connect();
      await client.query(SESSION);
      await requireDurable(client);
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw wordsFor(error);
    }
  };
  await (await connect()).end();
  const pool = new PgPool({ ...config, max: CONNECTIONS });
  pool.on("error", () => undefined); // of an idle connection; the next query says what is wrong
  return { pool, connect };
}

/** Runs `work` in a transaction, which is undone if it throws. */
export async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** Whether the server itself refused the query, so that the transaction is known to be undone. */
export function isRefusedByServer(error: unknown): boolean {
  const code = codeOf(error);
  // Class 08 is a lost connection, 57 an operator's stop.
  return /^[0-9A-Z]{5}$/.test(code) && !/^(?:08|57|E)/.test(code);
}

/** Whether the server could not write for want of room: it refused the query, or stopped if that was its write-ahead log. */
export function isDiskFull(error: unknown): boolean {
  return codeOf(error) === "53100";
}

/** What the server calls an error, five characters, or what the system calls it. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** An error of the driver as one of this package; it never names the address. */
export function wordsFor(error: unknown): LogServerError {
  if (error instanceof LogServerError) return error;
  if (isDiskFull(error))
    return new LogServerError("STORE_FULL", "The disk of the log's database is full.", "Make room there.", error);
  // Class 53: it has too little of something just now, connections for example.
  return isRefusedByServer(error) && !codeOf(error).startsWith("53")
    ? new LogServerError("STORE_DAMAGED", "The database refuses what the log asks of it.", "", error)
    : new LogServerError("STORE_UNREACHABLE", "The log's database cannot be reached.", "", error);
}

async function loadDriver(): Promise<{ Client: typeof Client; Pool: typeof Pool }> {
  try {
    return (await import("pg")).default;
  } catch (cause) {
    throw new LogServerError(
      "DRIVER_MISSING",
      "The driver for PostgreSQL is not installed.",
      "Install it: npm install pg",
      cause,
    );
  }
}

async function requireDurable(client: Client): Promise<void> {
  const { rows } = await client.query<{ fsync: string; commit: string }>(
    "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit",
  );
  if (rows[0]?.fsync !== "on")
    throw new LogServerError("STORE_UNSAFE", "The database runs without fsync, and may forget what it committed.");
  if (rows[0].commit === "off") await client.query("SET synchronous_commit = on");
}
