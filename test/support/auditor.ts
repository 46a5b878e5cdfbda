import { homedir } from "node:os";
import type { LogEndpoint } from "@touchmark/log";
import { type Io, run } from "touchmark";
import { requestFor } from "../../packages/log-server/test/support/request-for.ts";
import type { LogEndpointText } from "./log.ts";

/** `touchmark log audit serve`, running. */
export interface RunningAuditor {
  url: string;
  /** The verifier key of its Ed25519 cosignatures. */
  key: string;
  /** What it wrote to standard error so far. */
  said(): string;
  /** Asks it, as a log does, to cosign the log's newest checkpoint; `old` is the size that it cosigned last. */
  ask(log: LogEndpoint, old?: number): Promise<{ status: number; body: string }>;
  close(): Promise<void>;
}

export async function startAuditor(
  directory: string,
  log: LogEndpointText,
  { now, flags = [] }: { now?: () => number; flags?: string[] } = {},
): Promise<RunningAuditor> {
  const stop = new AbortController();
  const { promise: ready, resolve, reject } = Promise.withResolvers<{ url: string; keys: string[] }>();
  let said = "";
  const io: Io = {
    stdout: (text) => {
      resolve(JSON.parse(String(text)) as { url: string; keys: string[] });
    },
    stderr: (text) => {
      said += String(text);
    },
    askSecret: async () => undefined,
    askText: async () => undefined,
    askConfirm: async () => false,
    readLine: async () => "",
    npmConfig: async () => "",
    cwd: directory,
    env: {},
    homeDirectory: homedir(),
    now: now ?? (() => Math.floor(Date.now() / 1000)),
    fetch: (url, init) => fetch(url, init),
    isTerminal: { stdin: false, stdout: false, stderr: false },
    signal: stop.signal,
    platform: process.platform,
  };
  const where = ["--log", log.url, "--key", log.key, "--dir", "auditor", "--name", "audit.example", "--port", "0"];
  const ended = run(["log", "audit", "serve", ...where, "--json", ...flags], io).then((exit) => {
    reject(new Error(`the auditor ended with ${exit}: ${said}`));
    return exit;
  });
  const { url, keys } = await ready;
  return {
    url,
    key: keys[0]!,
    said: () => said,
    ask: async (endpoint, old = 0) => {
      const body = await requestFor(endpoint, old);
      const answer = await fetch(`${url}add-checkpoint`, { method: "POST", body });
      return { status: answer.status, body: await answer.text() };
    },
    close: async () => {
      stop.abort();
      await ended;
    },
  };
}
