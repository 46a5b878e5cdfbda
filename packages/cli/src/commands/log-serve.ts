import { resolve } from "node:path";
import { encodeVerifierKey, type NoteSigner } from "@touchmark/log";
import type { LogEvent, Store } from "@touchmark/log-server";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { aborted, addressOf, readPort } from "../log/listening.ts";
import { makeLogKey, readLogKey } from "../log/log-key.ts";
import { loadLogServer, type LogServerModule } from "../log/server-module.ts";
import { table } from "../ui.ts";

export const logServe: Command = defineCommand({
  name: "log serve",
  usage: "--dir DIR --origin ORIGIN [--host 127.0.0.1] [--port 8321] [--url URL]",
  examples: ["touchmark log serve --dir /var/lib/touchmark --origin log.example/main --url https://log.example/main/"],
  about: [
    "Runs a log with its storage in DIR, until Ctrl-C or SIGTERM. The key is made at the first start: DIR/log.key, readable by its owner only.",
    "The address and the verifier key for policies are printed once the log is ready; with --json as one line.",
  ],
  flags: {
    dir: { value: "DIR", help: "the log's folder; made if it is missing" },
    origin: { value: "ORIGIN", help: "the log's name, for good; needed at the first start" },
    host: { value: "HOST", help: "where to listen; 127.0.0.1 when left out" },
    port: { value: "PORT", help: "8321 when left out; 0 takes a free one" },
    url: { value: "URL", help: "the address that clients use, where a proxy stands in front" },
    verbose: { help: "a line on standard error for each request" },
  },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { io, ui } = context;
    if (values.dir === undefined) throw usageError("log serve", "--dir is missing.");
    const port = readPort(values.port ?? "8321", "log serve");
    const host = values.host ?? "127.0.0.1";
    const logServer = await loadLogServer();
    const { signer, store } = await openLog(logServer, resolve(io.cwd, values.dir), values.origin, io.now());
    const server = await logServer
      .startLogServer({
        store,
        clock: () => io.now(),
        host,
        port,
        onEvent: (event) => {
          showEvent(event, values.verbose, context);
        },
      })
      .catch(async (error: unknown) => {
        await store.close();
        throw error;
      });
    const url = values.url ?? addressOf(host, server.port);
    const origin = signer.key.name;
    const key = encodeVerifierKey(signer.key);
    ui.announce(
      { ok: true, origin, url, key, port: server.port },
      table([
        ["log", origin],
        ["address", url],
        ["key", key],
      ]),
    );
    await aborted(io.signal);
    ui.progress("closing the log");
    await server.close();
    return 0;
  },
});

/** Opens the log in a folder, or makes it where there is neither key nor storage. */
async function openLog(
  { createStore, openFolder, openStore, LogServerError }: LogServerModule,
  directory: string,
  origin: string | undefined,
  now: number,
): Promise<{ signer: NoteSigner; store: Store }> {
  const signer = readLogKey(directory);
  if (signer === null) {
    if (origin === undefined) throw usageError("log serve", "--origin is missing, and there is no log yet.");
    const made = await makeLogKey(directory, origin);
    return { signer: made, store: await createStore(await openFolder(directory, true), made, now) };
  }
  if (origin !== undefined && origin !== signer.key.name)
    throw new CliError(
      "LOG_KEY_BAD",
      `The log in this folder is ${signer.key.name}, not ${origin}.`,
      "Choose another --dir.",
    );
  try {
    return { signer, store: await openStore(await openFolder(directory), signer) };
  } catch (error) {
    if (!(error instanceof LogServerError) || error.code !== "STORE_MISSING") throw error;
    // A second history under the same key would be a fork [L-17].
    throw new CliError(
      "LOG_KEY_BAD",
      "The log's key is there, but its storage is gone.",
      "Restore it from a backup. Only if this log never served anybody, remove log.key and begin anew.",
      error,
    );
  }
}

function showEvent(event: LogEvent, verbose: boolean, { ui }: Context): void {
  if (event.event === "failure") ui.warn(`the log failed: ${event.message}`);
  else if (verbose) ui.progress(`${event.method} ${event.path} ${event.status} ${event.ms} ms`);
}
