import { resolve } from "node:path";
import {
  encodeVerifierKey,
  type NoteSigner,
  overlapSentence,
  quorumOverlap,
  type TlogPolicy,
  type VerifierKey,
} from "@touchmark/log";
import type { Cosigning, LogServer, Store } from "@touchmark/log-server";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { aborted, addressOf, readPort } from "../log/listening.ts";
import { makeLogKey, readLogKey } from "../log/log-key.ts";
import { readQuorumFile } from "../log/quorum-file.ts";
import { loadLogServer, type LogServerModule } from "../log/server-module.ts";
import { showEvent } from "../log/show-event.ts";
import { proofChecker, readRegistries } from "../registry/claim-proof.ts";
import { table } from "../ui.ts";

export const logServe: Command = defineCommand({
  name: "log serve",
  usage:
    "--dir DIR --origin ORIGIN [--quorum FILE] [--registry NAME=URL …] [--charter DIGEST] [--host 127.0.0.1] [--port 8321] [--url URL]",
  examples: [
    "touchmark log serve --dir /var/lib/touchmark --origin log.example/main --url https://log.example/main/",
    "touchmark log serve --dir /var/lib/touchmark --quorum witnesses.policy",
  ],
  about: [
    "Runs a log with its storage in DIR, until Ctrl-C or SIGTERM. The key is made at the first start: DIR/log.key, readable by its owner only.",
    "The address and the verifier key for policies are printed once the log is ready; with --json as one line.",
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
    verbose: { help: "a line on standard error for each request" },
  },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { io, ui } = context;
    if (values.dir === undefined) throw usageError("log serve", "--dir is missing.");
    const port = readPort(values.port ?? "8321", "log serve");
    const host = values.host ?? "127.0.0.1";
    const quorum = values.quorum === undefined ? null : readQuorumFile(resolve(io.cwd, values.quorum));
    const registries = readRegistries(values.registry, "log serve");
    const logServer = await loadLogServer();
    const { signer, store } = await openLog(logServer, resolve(io.cwd, values.dir), values.origin, io.now());
    const startServer = async (): Promise<LogServer> => {
      const cosigning = quorum && makeCosigning(logServer, quorum, { store, key: signer.key }, context);
      return logServer.startLogServer({
        store,
        ...(cosigning && { cosigning }),
        clock: () => io.now(),
        charter: readCharter(values.charter),
        proofs: proofChecker(registries, io) ?? undefined,
        host,
        port,
        onEvent: (event) => showEvent(event, "log", values.verbose, context),
      });
    };
    const server = await startServer().catch(async (error: unknown) => {
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

function readCharter(digest: string | undefined): string | undefined {
  if (digest === undefined || /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw usageError("log serve", "--charter is not an authority's digest: sha256: and 64 hex digits.");
}

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
    fetch: (url, init) => io.fetch(url, init),
    onTrouble: (message) => ui.warn(message),
  });
  ui.progress(overlapSentence(quorumOverlap(policy)));
  return cosigning;
}
