/** A log in a temporary folder, and a server over it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LogEndpoint, noteSigner, submitEnvelope, type SubmitAnswer } from "@touchmark/log";
import {
  createStore,
  type LogServer,
  type LogServerOptions,
  openFolder,
  openStore,
  startLogServer,
} from "../../src/index.ts";
import { type Earlier, ORIGIN } from "./statements.ts";

export const signer = noteSigner(ORIGIN, new Uint8Array(32).fill(1));
export const START = 1_800_000_000;

export function temporaryFolder(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), "touchmark-log-"));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

export type RunningLog = {
  readonly dir: string;
  readonly server: LogServer;
  readonly log: LogEndpoint;
  readonly url: string;
  /** Seconds; may be set. */
  readonly clock: { now: number };
  readonly submit: (envelope: Uint8Array, earlier?: Record<string, Earlier>) => Promise<SubmitAnswer>;
  /** Stops the server and opens the same folder again. */
  readonly restart: () => Promise<RunningLog>;
  readonly end: () => Promise<void>;
};

export async function runLog(options: Partial<LogServerOptions> = {}): Promise<RunningLog> {
  const { dir, remove } = temporaryFolder();
  const clock = { now: START };
  await (await createStore(await openFolder(dir, true), signer, clock.now)).close();
  return serveFolder(dir, clock, remove, options);
}

async function serveFolder(
  dir: string,
  clock: { now: number },
  remove: () => void,
  options: Partial<LogServerOptions>,
): Promise<RunningLog> {
  const store = await openStore(await openFolder(dir), signer);
  const server = await startLogServer({ store, clock: () => clock.now, ...options });
  const url = `http://127.0.0.1:${server.port}/`;
  const log: LogEndpoint = { url, key: signer.key, fetch };
  return {
    dir,
    server,
    log,
    url,
    clock,
    submit: (envelope, earlier) => submitEnvelope(log, earlier === undefined ? { envelope } : { envelope, earlier }),
    restart: async () => {
      await server.close();
      return serveFolder(dir, clock, remove, options);
    },
    end: async () => {
      await server.close();
      remove();
    },
  };
}
