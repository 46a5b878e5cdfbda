/** A log's storage: its two halves, each of which has two implementations. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LogServerError } from "../error.ts";
import type { Blobs } from "./blobs.ts";
import { folderBlobs } from "./folder-blobs.ts";
import type { Ledger } from "./ledger.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";

export type Storage = {
  readonly ledger: Ledger;
  readonly blobs: Blobs;
  /** A file on this machine that may keep what can be made again from the rest; none if there is no place for it. */
  readonly cache: string | undefined;
};

/** Name of the database file in the log's folder. */
export const DATABASE = "log.sqlite";
/** Name of the file in the log's folder that keeps the map. */
export const MAP_CACHE = "map.cache";

/** Both halves in one folder, for this process alone. Rejects with `STORE_LOCKED`, `STORE_DAMAGED`, and with `STORE_MISSING` unless it may `make` a folder. */
export async function openFolder(dir: string, make = false): Promise<Storage> {
  if (!make && !existsSync(join(dir, DATABASE)))
    throw new LogServerError("STORE_MISSING", "There is no log in this folder.", "A log is made at its first start.");
  return { ledger: sqliteLedger(join(dir, DATABASE)), blobs: folderBlobs(dir), cache: join(dir, MAP_CACHE) };
}

export async function closeStorage({ ledger, blobs }: Storage): Promise<void> {
  await ledger.close();
  await blobs.close();
}
