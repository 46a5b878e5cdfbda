import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import type { TouchPolicy } from "@touchmark/fido/testing";
import { encodeVerifierKey, noteSigner } from "@touchmark/log";
import { createStore, type LogServer, openFolder, openStore, startLogServer } from "@touchmark/log-server";
import { type Io, run } from "../../src/index.ts";
import { proofChecker } from "../../src/registry/claim-proof.ts";
import { type Registry, startRegistry } from "./registry.ts";
import type { Script } from "./script.ts";

/** What one command printed, and how it ended. */
export interface Outcome {
  stdout: string;
  stderr: string;
  exit: number;
}

/** The world of one script: a folder, a clock, a terminal or none, a log and a registry where the script speaks of them. */
export interface Stage {
  readonly directory: string;
  readonly variables: Map<string, string>;
  readonly env: Record<string, string>;
  /** What the person at the terminal types; null where there is no terminal. */
  answers: string[] | null;
  /** Seconds since 1970, for the commands and the log alike. */
  now: number;
  /** Fires when the person gives up. */
  signal: AbortSignal;
  readonly registry: Registry | null;
  /** Fingers of the authenticators that the script has made. */
  readonly fingers: Map<string, (policy: TouchPolicy) => void>;
  /** The person's browser; null where there is none. */
  openUrl: ((url: string) => Promise<void>) | null;
  /** The same log again, on the same port, whose operator has named this authority for its own id; where the script speaks of a log. */
  restartLog: ((charter: string) => Promise<void>) | null;
  /** Undone in reverse order when the script ends. */
  readonly cleanups: (() => Promise<void> | void)[];
  expand(text: string): string;
  touchmark(argv: string[]): Promise<Outcome>;
}

const BEGIN = 1_795_000_000; // 2026-11-18
const ORIGIN = "log.example/main";

/** Sets the stage for a script: the servers that it speaks of, then its files. */
export async function openStage(script: Script, source: string): Promise<Stage> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-script-")));
  const cleanups: Stage["cleanups"] = [() => rmSync(directory, { recursive: true, force: true })];
  const registry = source.includes("${REGISTRY}") ? await startRegistry(() => stage.now) : null;
  if (registry) cleanups.push(() => registry.close());
  const stage: Stage = {
    directory,
    variables: new Map([
      ["WORK", directory],
      ["CLOSED", `http://127.0.0.1:${await closedPort()}/`],
      ...(registry
        ? [["REGISTRY", registry.url] as const, ["REGISTRY_HOST", new URL(registry.url).host] as const]
        : []),
    ]),
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: join(directory, "user"),
      TOUCHMARK_HOME: join(directory, "home"),
      npm_config_registry: registry?.url ?? "https://registry.example/",
      npm_config_update_notifier: "false",
      npm_config_fund: "false",
      npm_config_audit: "false",
    },
    answers: null,
    now: BEGIN,
    signal: new AbortController().signal,
    registry,
    fingers: new Map(),
    openUrl: null,
    restartLog: null,
    cleanups,
    expand: (text) => text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => stage.variables.get(name) ?? whole),
    touchmark: (argv) => runTouchmark(argv, stage),
  };
  if (source.includes("${LOG_")) await startLog(stage);
  for (const [name, content] of script.files) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), stage.expand(content));
  }
  return stage;
}

export async function closeStage(stage: Stage): Promise<void> {
  for (const cleanup of stage.cleanups.toReversed()) await cleanup();
}

async function startLog(stage: Stage): Promise<void> {
  const signer = noteSigner(ORIGIN, new Uint8Array(32).fill(7));
  const folder = join(stage.directory, "log");
  const registries = new Map(stage.registry ? [["npmjs", new URL(stage.registry.url)]] : []);
  const proofs = proofChecker(registries, { fetch, signal: stage.signal }) ?? undefined;
  const start = async (isNew: boolean, charter?: string, port = 0): Promise<LogServer> => {
    const storage = await openFolder(folder, isNew);
    const store = isNew ? await createStore(storage, signer, stage.now) : await openStore(storage, signer);
    return startLogServer({ store, clock: () => stage.now, port, charter, proofs });
  };
  let server = await start(true);
  stage.restartLog = async (charter) => {
    await server.close();
    server = await start(false, charter, server.port);
  };
  stage.cleanups.push(() => server.close());
  stage.variables.set("LOG_URL", `http://127.0.0.1:${server.port}/`);
  stage.variables.set("LOG_KEY", encodeVerifierKey(signer.key));
}

// A port on which nobody listens.
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function runTouchmark(argv: string[], stage: Stage): Promise<Outcome> {
  const printed = { stdout: "", stderr: "" };
  const add = (stream: "stdout" | "stderr") => (text: string | Uint8Array) => {
    printed[stream] += typeof text === "string" ? text : Buffer.from(text).toString("utf8");
  };
  const type = async (question: string, shown: (answer: string) => string): Promise<string | undefined> => {
    const answer = stage.answers?.shift();
    add("stderr")(`${`${question}${answer === undefined ? "" : ` ${shown(answer)}`}`.trimEnd()}\n`);
    return answer;
  };
  const io: Io = {
    stdout: add("stdout"),
    stderr: add("stderr"),
    askSecret: (prompt) => type(prompt.trimEnd(), () => "(unseen)"),
    askText: (question) => type(question, (answer) => answer),
    askConfirm: async (question) => (await type(question, (answer) => answer)) === "y",
    readLine: async (fd) => stage.variables.get(`FD${fd}`) ?? "",
    npmConfig: async () => stage.variables.get("REGISTRY") ?? "https://registry.example/",
    ...(stage.openUrl ? { openUrl: stage.openUrl } : {}),
    cwd: stage.directory,
    env: stage.env,
    homeDirectory: join(stage.directory, "user"),
    now: () => stage.now,
    fetch: (url, init) => fetch(url, init),
    platform: process.platform,
    isTerminal: { stdin: stage.answers !== null, stdout: stage.answers !== null, stderr: stage.answers !== null },
    signal: stage.signal,
  };
  const exit = await run(argv, io);
  return { ...printed, exit };
}
