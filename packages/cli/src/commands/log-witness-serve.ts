import { resolve } from "node:path";
import { encodeVerifierKey, parseVerifierKey, type VerifierKey } from "@touchmark/log";
import { type Command, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { aborted, addressOf, readPort } from "../log/listening.ts";
import { openCosigners } from "../log/open-cosigners.ts";
import { loadLogServer } from "../log/server-module.ts";
import { showEvent } from "../log/show-event.ts";
import { table } from "../ui.ts";

const NAME = "log witness serve";

export const logWitnessServe: Command = defineCommand({
  name: NAME,
  usage: "--dir DIR --name NAME --log VKEY … [--host 127.0.0.1] [--port 8322] [--url URL]",
  examples: [
    'touchmark log witness serve --dir /var/lib/witness --name w1.example --log "log.example/main+1a2b3c4d+AbCd…" --url https://w1.example/',
  ],
  about: [
    "Runs a witness (C2SP tlog-witness), until Ctrl-C or SIGTERM: it cosigns a log's checkpoint only if that extends the last one it cosigned.",
    "Its keys are made at the first start, DIR/cosigner.key, readable by its owner only; what it remembers lies in DIR/witness.sqlite.",
    "Never run two witnesses with one key, and never put an old copy of the folder back: two memories could cosign two histories.",
  ],
  flags: {
    dir: { value: "DIR", help: "the witness's folder; made if it is missing" },
    name: { value: "NAME", help: "the witness's name, for good, as w1.example; needed at the first start" },
    log: { value: "VKEY", many: true, help: "a log that is witnessed, by its verifier key" },
    host: { value: "HOST", help: "where to listen; 127.0.0.1 when left out" },
    port: { value: "PORT", help: "8322 when left out; 0 takes a free one" },
    url: { value: "URL", help: "the address that logs use, where a proxy stands in front" },
    verbose: { help: "a line on standard error for each request" },
  },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { io, ui } = context;
    if (values.dir === undefined) throw usageError(NAME, "--dir is missing.");
    if (values.log.length === 0) throw usageError(NAME, "--log is missing: a witness is for certain logs.");
    const logs = values.log.map(readLog);
    const port = readPort(values.port ?? "8322", NAME);
    const host = values.host ?? "127.0.0.1";
    const logServer = await loadLogServer();
    const dir = resolve(io.cwd, values.dir);
    const { cosigners, store } = await openCosigners(logServer, dir, values.name, { what: "witness", command: NAME });
    try {
      const witness = logServer.createWitness({
        store,
        cosigners,
        logs,
        clock: () => io.now(),
        onTrouble: (message) => ui.warn(message),
      });
      const server = await logServer.startWitnessServer({
        witness,
        host,
        port,
        onEvent: (event) => showEvent(event, "witness", values.verbose, context),
      });
      const url = values.url ?? addressOf(host, server.port);
      const { name } = cosigners[0]!.key;
      const keys = cosigners.map(({ key }) => encodeVerifierKey(key));
      ui.announce({ ok: true, name, url, keys, logs: logs.map((key) => key.name), port: server.port }, [
        ...table([["witness", name], ["address", url], ...logs.map((key) => ["log", key.name])]),
        "A policy has one of these lines:",
        ...keys.map((key) => `  witness ${name} ${key} ${url}`),
      ]);
      await aborted(io.signal);
      ui.progress("closing the witness");
      await server.close();
      return 0;
    } finally {
      store.close();
    }
  },
});

function readLog(vkey: string): VerifierKey {
  try {
    return parseVerifierKey(vkey);
  } catch (cause) {
    const hint = "touchmark log key prints it; put it in quotes.";
    throw new CliError("USAGE", "What stands after --log is not a log's verifier key.", hint, cause);
  }
}
