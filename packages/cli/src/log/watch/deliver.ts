import { spawn } from "node:child_process";
import type { JsonObject } from "@touchmark/core";
import type { Io } from "../../io.ts";

/** Where alerts go. */
export interface Receivers {
  /** A command for the shell; it gets the event on standard input. */
  exec: string | undefined;
  /** An address that gets the event posted. */
  webhook: string | undefined;
}

const EXEC_TIMEOUT = 60_000;
const WEBHOOK_TIMEOUT = 10_000;

/** Hands events over, the oldest first, until one can't be; gives what is left and why. */
export async function deliver(
  events: readonly JsonObject[],
  { exec, webhook }: Receivers,
  io: Io,
): Promise<{ left: JsonObject[]; failure: string | null }> {
  for (const [i, event] of events.entries()) {
    try {
      const text = `${JSON.stringify(event)}\n`;
      if (exec !== undefined) await runWith(exec, text, io);
      if (webhook !== undefined) await post(webhook, text, io);
    } catch (error) {
      return { left: events.slice(i), failure: error instanceof Error ? error.message : String(error) };
    }
  }
  return { left: [], failure: null };
}

function runWith(command: string, input: string, io: Io): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn(command, { shell: true, cwd: io.cwd, env: { ...io.env }, timeout: EXEC_TIMEOUT });
  child.stdout.on("data", (piece: Buffer) => io.stderr(piece));
  child.stderr.on("data", (piece: Buffer) => io.stderr(piece));
  child.stdin.on("error", () => undefined); // a command need not read
  child.once("error", reject);
  child.once("close", (code) => {
    if (code === 0) resolve();
    else reject(new Error(`the command of --exec ended with ${code ?? "a signal"}`));
  });
  child.stdin.end(input);
  return promise;
}

async function post(url: string, body: string, io: Io): Promise<void> {
  const answer = await io
    .fetch(url, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
      redirect: "error",
      signal: AbortSignal.any([AbortSignal.timeout(WEBHOOK_TIMEOUT), io.signal]),
    })
    .catch(() => {
      throw new Error("the webhook cannot be reached");
    });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
}
