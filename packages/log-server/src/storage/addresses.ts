/** Where a log's storage is: `postgres://…` and `s3://…`, or a folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LogServerError } from "../error.ts";
import type { Blobs } from "./blobs.ts";
import { folderBlobs } from "./folder-blobs.ts";
import type { Ledger } from "./ledger.ts";
import { postgresLedger, type PostgresOptions } from "./postgres-ledger.ts";
import { s3Blobs, type S3Address } from "./s3-blobs.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";
import { DATABASE, MAP_CACHE, openFolder, type Storage } from "./storage.ts";

/** What is left out lies in `dir`. */
export type StorageAddresses = {
  readonly dir: string;
  readonly ledger?: string | undefined;
  readonly blobs?: string | undefined;
};

/** Opens both halves. Throws `BAD_ADDRESS`, `DRIVER_MISSING`, `STORE_UNREACHABLE`, and what the halves throw. `make` is whether a folder may be made. */
export async function openStorage(
  { dir, ledger, blobs }: StorageAddresses,
  make: boolean,
  options: PostgresOptions = {},
): Promise<Storage> {
  if (ledger === undefined && blobs === undefined) return openFolder(dir, make);
  const shelf: Blobs = blobs === undefined ? folderBlobs(dir) : await s3Blobs(parseS3Address(blobs));
  try {
    const cache = existsSync(dir) ? join(dir, MAP_CACHE) : undefined;
    return { ledger: await openLedger(dir, ledger, options), blobs: shelf, cache };
  } catch (error) {
    await shelf.close();
    throw error;
  }
}

async function openLedger(dir: string, address: string | undefined, options: PostgresOptions): Promise<Ledger> {
  if (address === undefined) return sqliteLedger(join(dir, DATABASE));
  return postgresLedger(parsePostgresAddress(address), options);
}

/** The address as it was, if it is one that may stand in a command line. Throws `BAD_ADDRESS`. */
export function parsePostgresAddress(text: string): string {
  const url = URL.parse(text);
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol))
    throw badAddress("The address of the database is not postgres://HOST/DATABASE.");
  // Everybody on the machine sees a command line.
  if (url.password !== "" || url.searchParams.has("password"))
    throw badAddress(
      "The address of the database has a password in it.",
      "Leave it out: set PGPASSWORD, or put it into a file that PGPASSFILE names.",
    );
  return text;
}

/** `s3://BUCKET/PREFIX?endpoint=https://…&region=…`. Throws `BAD_ADDRESS`. */
export function parseS3Address(text: string): S3Address {
  const url = URL.parse(text);
  if (url?.protocol !== "s3:" || url.hostname === "")
    throw badAddress("The address of the tiles is not s3://BUCKET/PREFIX.");
  if (url.username !== "" || url.password !== "")
    throw badAddress(
      "The address of the tiles has a key in it.",
      "Leave it out: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a credentials file.",
    );
  const unknown = [...url.searchParams.keys()].find((name) => !["endpoint", "region"].includes(name));
  if (unknown !== undefined)
    throw badAddress("The address of the tiles has a setting that is not known.", "There are endpoint and region.");
  const endpoint = url.searchParams.get("endpoint") ?? undefined;
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ""))
    throw badAddress("The endpoint of the tiles is no http(s) address.");
  const path = decodeURIComponent(url.pathname.slice(1));
  return {
    bucket: url.hostname,
    prefix: path === "" || path.endsWith("/") ? path : `${path}/`,
    endpoint,
    region: url.searchParams.get("region") ?? undefined,
  };
}

function badAddress(message: string, hint = ""): LogServerError {
  return new LogServerError("BAD_ADDRESS", message, hint);
}
