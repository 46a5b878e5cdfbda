import { encodeVerifierKey, type NoteSigner, parseVerifierKey, type VerifierKey } from "@touchmark/log";
import type { FollowedStore, StorageAddresses, Store } from "@touchmark/log-server";
import { usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { makeLogKey, readLogKey } from "./log-key.ts";
import type { LogServerModule } from "./server-module.ts";

/** A log that is open: to write, or to follow the process that writes it. */
export interface OpenLog {
  readonly key: VerifierKey;
  readonly store: Store | FollowedStore;
  /** Tries to become the writer; null while another process is. Only where the log is followed as a standby. */
  readonly takeOver: (() => Promise<Store | null>) | null;
}

/** Opens the log, or makes it where there is neither key nor storage. Where another process writes a shared log, it is followed until that one is gone. */
export async function openLog(
  logServer: LogServerModule,
  addresses: StorageAddresses,
  origin: string | undefined,
  now: number,
): Promise<OpenLog> {
  const { createStore, openStorage } = logServer;
  const signer = readLogKey(addresses.dir);
  if (signer === null) {
    if (origin === undefined) throw usageError("log serve", "--origin is missing, and there is no log yet.");
    const made = await makeLogKey(addresses.dir, origin);
    return { key: made.key, store: await createStore(await openStorage(addresses, true), made, now), takeOver: null };
  }
  if (origin !== undefined && origin !== signer.key.name)
    throw new CliError(
      "LOG_KEY_BAD",
      `The log in this folder is ${signer.key.name}, not ${origin}.`,
      "Choose another --dir.",
    );
  const { key } = signer;
  const takeOver = (): Promise<Store | null> => openAsWriter(logServer, addresses, signer, true);
  const store = await openAsWriter(logServer, addresses, signer, false);
  if (store !== null) return { key, store, takeOver: null };
  return { key, store: await logServer.followStore(await openStorage(addresses, false), key), takeOver };
}

/** Opens the log to read it, by its verifier key alone or that in its folder. */
export async function openLogToRead(
  { followStore, openStorage }: LogServerModule,
  addresses: StorageAddresses,
  vkey: string | undefined,
): Promise<OpenLog> {
  const key = vkey === undefined ? readLogKey(addresses.dir)?.key : parseVerifierKey(vkey);
  if (key === undefined) throw usageError("log serve", "--read-only needs --key, where there is no log.key.");
  return { key, store: await followStore(await openStorage(addresses, false), key), takeOver: null };
}

async function openAsWriter(
  { openStorage, openStore, LogServerError }: LogServerModule,
  addresses: StorageAddresses,
  signer: NoteSigner,
  standby: boolean,
): Promise<Store | null> {
  try {
    return await openStore(await openStorage(addresses, false), signer);
  } catch (error) {
    if (!(error instanceof LogServerError)) throw error;
    if (error.code === "STORE_LOCKED" && addresses.ledger !== undefined) return null;
    if (standby && (error.code === "STORE_UNREACHABLE" || error.code === "STORE_FULL")) return null;
    if (error.code !== "STORE_MISSING") throw error;
    // A second history under the same key would be a fork [L-17].
    throw new CliError(
      "LOG_KEY_BAD",
      "The log's key is there, but its storage is gone.",
      `Restore it from a backup. Only if this log (${encodeVerifierKey(signer.key)}) never served anybody, remove log.key and begin anew.`,
      error,
    );
  }
}
