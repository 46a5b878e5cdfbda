/** A PostgreSQL of the test's own, on a free port of 127.0.0.1, from the machine's initdb and pg_ctl. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";

const run = promisify(execFile);
// Milliseconds for one of its programs, or for one query.
const PATIENCE = 60_000;

export type RunningPostgres = {
  /** The address of a new, empty database; `place` is an empty folder for its tables. */
  readonly makeDatabase: (place?: string) => Promise<string>;
  /** Ends the connections of everybody else, as a failing network does. */
  readonly cutConnections: (address: string) => Promise<void>;
  readonly sql: (address: string, text: string) => Promise<Record<string, unknown>[]>;
  /** Kills it, as a power failure does, and starts it again. */
  readonly crash: () => Promise<void>;
  /** Whether it is there, and has not ended by itself. */
  readonly running: () => boolean;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** `wal`: an empty folder for its write-ahead log, whose files then have 1 MiB instead of 16. */
export async function startPostgres({ wal }: { readonly wal?: string } = {}): Promise<RunningPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "touchmark-postgres-"));
  const bin = binaries();
  // It refuses to be run by root.
  const asOwner = process.getuid?.() === 0 ? ["runuser", "-u", "postgres", "--"] : [];
  const command = async (name: string, ...args: string[]): Promise<void> => {
    const [program, ...rest] = [...asOwner, join(bin, name), ...args];
    await run(program!, rest, { cwd: "/", timeout: PATIENCE });
  };
  const give = async (place: string): Promise<void> => {
    if (asOwner.length > 0) await run("chown", ["postgres", place]);
  };
  await give(folder);
  const data = join(folder, "data");
  const port = await freePort();
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=60${wal === undefined ? "" : " -c min_wal_size=2MB"}`;
  const start = (): Promise<void> =>
    command("pg_ctl", "-D", data, "-w", "-s", "-l", join(folder, "server.log"), "-o", settings, "start");
  const apart = wal === undefined ? [] : ["-X", join(wal, "wal"), "--wal-segsize=1"];
  if (wal !== undefined) await give(wal);
  await command(
    "initdb",
    "-D",
    data,
    ...apart,
    "-U",
    "touchmark",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--no-locale",
    "--no-sync",
  );
  await start();

  const addressOf = (name: string): string => `postgres://touchmark@127.0.0.1:${port}/${name}`;
  const sql = async (address: string, text: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({
      connectionString: address,
      connectionTimeoutMillis: PATIENCE,
      query_timeout: PATIENCE,
    });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  let databases = 0;
  return {
    makeDatabase: async (place) => {
      const name = `log${++databases}`;
      if (place !== undefined) {
        await give(place);
        await sql(addressOf("postgres"), `CREATE TABLESPACE ${name} LOCATION '${place}'`);
      }
      await sql(addressOf("postgres"), `CREATE DATABASE ${name} ${place === undefined ? "" : `TABLESPACE ${name}`}`);
      return addressOf(name);
    },
    cutConnections: async (address) => {
      const name = new URL(address).pathname.slice(1);
      await sql(
        addressOf("postgres"),
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
      );
    },
    sql,
    crash: async () => {
      await command("pg_ctl", "-D", data, "-s", "-m", "immediate", "stop");
      await start();
    },
    running: () => existsSync(join(data, "postmaster.pid")),
    start,
    stop: async () => {
      await command("pg_ctl", "-D", data, "-s", "-m", "immediate", "stop");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function binaries(): string {
  const debian = "/usr/lib/postgresql";
  const places = [
    ...(process.env["PATH"] ?? "").split(":"),
    ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []),
  ];
  const found = places.find((place) => existsSync(join(place, "initdb")) && existsSync(join(place, "pg_ctl")));
  if (found !== undefined) return found;
  throw new Error("There is no PostgreSQL here. On Debian: apt-get install postgresql");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
