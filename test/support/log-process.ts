import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type LogEndpoint, parseVerifierKey } from "@touchmark/log";

const TOUCHMARK = join(import.meta.dirname, "../../packages/cli/src/main.ts");
// Milliseconds; a machine that does much else takes seconds to start a process.
const PATIENCE = 60_000;

/** `touchmark log serve` as a process of its own, which has said where it is. */
export interface LogProcess {
  readonly url: string;
  readonly log: LogEndpoint;
  /** The key for policies. */
  readonly vkey: string;
  /** What it wrote to standard error so far. */
  said(): string;
  /** Waits until it has written this to standard error. */
  hasSaid(words: string): Promise<void>;
  /** The exit code; null if the signal ended it. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
}

const running = new Set<LogProcess>();

/** Starts it in `directory` on a free port. Rejects with what it wrote if it ends before it is ready. */
export async function startLogProcess(directory: string, ...flags: string[]): Promise<LogProcess> {
  const child = spawn(process.execPath, [TOUCHMARK, "log", "serve", "--port", "0", "--json", ...flags], {
    cwd: directory,
    env: { ...process.env, TOUCHMARK_HOME: directory },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += String(text)));
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const ready = await within(
    "the log's line",
    Promise.race([once(child.stdout, "data").then(([line]) => String(line)), ended.then(() => null)]),
  ).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  if (ready === null) throw new Error(`log serve ended with ${await ended}: ${said}`);
  const { ok, url, key } = JSON.parse(ready) as { ok: boolean; url: string; key: string };
  if (!ok) throw new Error(`log serve ended with ${await ended}: ${ready}`);
  const started: LogProcess = {
    url,
    log: { url, key: parseVerifierKey(key), fetch, timeout: PATIENCE },
    vkey: key,
    said: () => said,
    hasSaid: async (words) => {
      for (const begun = performance.now(); !said.includes(words); await setTimeout(20)) {
        if (performance.now() - begun > PATIENCE) throw new Error(`log serve did not say "${words}" but: ${said}`);
      }
    },
    end: (signal) => {
      child.kill(signal);
      running.delete(started);
      return within("the log's end", ended);
    },
  };
  running.add(started);
  return started;
}

/** Kills those that still run. */
export async function killLogProcesses(): Promise<void> {
  await Promise.all([...running].map((process) => process.end("SIGKILL")));
}

async function within<T>(what: string, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = setTimeout(PATIENCE, undefined, { signal: over.signal }).then(() => {
    throw new Error(`waited too long for ${what}`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
