import { isIP } from "node:net";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { encodeVerifierKey, overlapSentence, quorumOverlap, type TlogPolicy, type VerifierKey } from "@touchmark/log";
import type { Cosigning, LogServer, Store } from "@touchmark/log-server";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { aborted, addressOf, readPort } from "../log/listening.ts";
import { openLog, openLogToRead } from "../log/open-log.ts";
import { readOutsideChecks } from "../log/outside-checks.ts";
import { readQuorumFile } from "../log/quorum-file.ts";
import { loadLogServer, type LogServerModule } from "../log/server-module.ts";
import { readEventForm, showEvent } from "../log/show-event.ts";
import { table } from "../ui.ts";

// Milliseconds.
const TAKE_OVER_EACH = 2000;

export const logServe: Command = defineCommand({
  name: "log serve",
  usage:
    "--dir DIR --origin ORIGIN [--quorum FILE] [--registry NAME=URL …] [--charter DIGEST] [--host 127.0.0.1] [--port 8321] [--url URL]",
  examples: [
    "touchmark log serve --dir /var/lib/touchmark --origin log.example/main --url https://log.example/main/",
    "touchmark log serve --dir /var/lib/touchmark --quorum witnesses.policy",
    "touchmark log serve --dir /var/lib/touchmark --storage postgres://log@db.example/log --tiles s3://bucket/log",
  ],
  about: [
    "Runs a log with its storage in DIR, until Ctrl-C or SIGTERM. The key is made at the first start: DIR/log.key, readable by its owner only.",
    "The address and the verifier key for policies are printed once the log is ready; with --json as one line.",
    "With --storage and --tiles several processes can serve one log: one writes, others started the same way stand by, and those with --read-only only answer. Passwords come from PGPASSWORD or PGPASSFILE, S3 keys from AWS_… or a credentials file.",
    "With --quorum nothing is published before the witnesses that the file names have cosigned it: a C2SP tlog-policy with their addresses.",
  ],
  flags: {
    dir: { value: "DIR", help: "the log's folder; made if it is missing" },
    origin: { value: "ORIGIN", help: "the log's name, for good; needed at the first start" },
    quorum: { value: "FILE", help: "a policy of witnesses: who has to cosign, and where they are" },
    registry: {
      value: "NAME=URL",
      many: true,
      help: "a registry that proofs of first claims are looked up in; without it they are refused",
    },
    charter: { value: "DIGEST", help: "the authority (sha256:…) that may claim log:ORIGIN and name committees" },
    host: { value: "HOST", help: "where to listen; 127.0.0.1 when left out" },
    port: { value: "PORT", help: "8321 when left out; 0 takes a free one" },
    url: { value: "URL", help: "the address that clients use, where a proxy stands in front" },
    storage: { value: "URL", help: "postgres://HOST/DATABASE for entries and heads; in DIR when left out" },
    tiles: { value: "URL", help: "s3://BUCKET/PREFIX?endpoint=… for tiles and envelopes; in DIR when left out" },
    "read-only": { help: "answers questions about a log with --storage that another process writes" },
    key: { value: "VKEY", help: "the log's verifier key, for --read-only where DIR holds no log.key" },
    proxy: { value: "ADDRESS", help: "the proxy in front, whose X-Forwarded-For says who asks" },
    log: { value: "FORM", help: "json: each event as one line of JSON on standard error" },
    verbose: { help: "a line on standard error for each request" },
  },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { io, ui } = context;
    const interrupted = aborted(io.signal); // asked for now: a start waits for storage and witnesses, and is ended in order too
    if (values.dir === undefined) throw usageError("log serve", "--dir is missing.");
    let port = readPort(values.port ?? "8321", "log serve");
    const host = values.host ?? "127.0.0.1";
    const quorum = values.quorum === undefined ? null : readQuorumFile(resolve(io.cwd, values.quorum));
    const checks = readOutsideChecks(values, "log serve", io);
    const form = readEventForm(values.log, "log serve");
    const proxy = readProxy(values.proxy);
    const addresses = { dir: resolve(io.cwd, values.dir), ledger: values.storage, blobs: values.tiles };
    const logServer = await loadLogServer();
    let opened = values["read-only"]
      ? await openLogToRead(logServer, addresses, values.key)
      : await openLog(logServer, addresses, values.origin, io.now());
    let announced = false;
    for (;;) {
      const { key, store, takeOver } = opened;
      const stopped = Promise.withResolvers<"stopped">();
      const startServer = async (): Promise<LogServer> => {
        const cosigning =
          quorum && "append" in store ? makeCosigning(logServer, quorum, { store, key }, context) : undefined;
        return logServer.startLogServer({
          store,
          ...(cosigning && { cosigning }),
          clock: () => io.now(),
          ...checks,
          host,
          port,
          proxy,
          onEvent: (event) => {
            if (event.event === "stopped") stopped.resolve("stopped");
            showEvent(event, "log", values.verbose, context, form);
          },
        });
      };
      const server = await startServer().catch(async (error: unknown) => {
        await store.close();
        throw error;
      });
      ({ port } = server); // a free one stays the same when a standby takes over
      if (!announced) announce(key, values.url ?? addressOf(host, server.port), server.port, context);
      announced = true;
      if (takeOver !== null) ui.progress("another process writes this log: standing by");
      const waiting = new AbortController();
      const ended = await Promise.race([
        interrupted,
        stopped.promise,
        ...(takeOver === null ? [] : [untilWriter(takeOver, waiting.signal)]),
      ]);
      waiting.abort();
      if (ended === undefined) ui.progress("closing the log");
      await server.close();
      if (ended === undefined) return 0;
      if (ended === "stopped")
        throw new logServer.LogServerError(
          "STORE_LOST",
          "The log's storage is out of reach, or another process writes the log now.",
          "Start it again: it takes over when nobody else has.",
        );
      ui.progress("this process writes the log now");
      opened = { key, store: ended, takeOver: null };
    }
  },
});

/** The address after `--proxy`. Throws `USAGE`. */
function readProxy(address: string | undefined): string | undefined {
  if (address === undefined || isIP(address) !== 0) return address;
  throw usageError("log serve", "--proxy is not an IP address.");
}

function announce(key: VerifierKey, url: string, port: number, { ui }: Context): void {
  const vkey = encodeVerifierKey(key);
  ui.announce(
    { ok: true, origin: key.name, url, key: vkey, port },
    table([
      ["log", key.name],
      ["address", url],
      ["key", vkey],
    ]),
  );
}

/** The store as its writer, once nobody else is. */
async function untilWriter(takeOver: () => Promise<Store | null>, signal: AbortSignal): Promise<Store> {
  for (;;) {
    await setTimeout(TAKE_OVER_EACH, undefined, { signal });
    const store = await takeOver();
    if (store !== null && !signal.aborted) return store;
    await store?.close();
  }
}

/** The log's witnesses, by the policy file; a policy that names other logs and not this one is somebody else's. */
function makeCosigning(
  { createCosigning }: LogServerModule,
  policy: TlogPolicy,
  { store, key }: { store: Store; key: VerifierKey },
  { io, ui }: Context,
): Cosigning {
  const vkey = encodeVerifierKey(key);
  if (policy.logs.length > 0 && !policy.logs.some((log) => encodeVerifierKey(log.key) === vkey)) {
    throw new CliError("QUORUM_MALFORMED", "The policy of witnesses names other logs, and not this one.", vkey);
  }
  const cosigning = createCosigning({
    policy,
    published: store.checkpoint().size,
    clock: () => io.now(),
    onTrouble: (message) => ui.warn(message),
  });
  ui.progress(overlapSentence(quorumOverlap(policy)));
  return cosigning;
}
