// A real Chromium, driven over its debugging pipe: no port, and nothing between the test and the protocol.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const PROGRAM = "/usr/bin/chromium";
const PATIENCE = 10_000;

type Fields = Record<string, unknown>;

export interface Chromium {
  /** A tab that shares nothing with the others. */
  newTab(): Promise<Tab>;
  close(): Promise<void>;
}

export interface Tab {
  send<T extends Fields = Fields>(method: string, parameters?: Fields): Promise<T>;
  on(event: string, listener: (parameters: Fields) => void): void;
  open(url: string): Promise<void>;
  /** The value of an expression in the page; what it throws is thrown. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until an expression is true in the page. */
  until(expression: string): Promise<void>;
  press(key: "Tab" | "Enter"): Promise<void>;
  close(): Promise<void>;
}

/** Why there is no Chromium to test with; undefined if there is one. Throws where that must not be. */
export function missingChromium(): string | undefined {
  if (existsSync(PROGRAM)) return undefined;
  const reason = `there is no ${PROGRAM}: the page is not tested in a browser (Debian: apt install chromium)`;
  if (process.env["CI"] !== undefined) throw new Error(reason);
  process.stderr.write(`skipped: ${reason}\n`);
  return reason;
}

export async function startChromium(): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), "touchmark-chromium-"));
  const flags =
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --remote-debugging-pipe";
  const child = spawn(PROGRAM, [...flags.split(" "), `--user-data-dir=${profile}`], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  const send = connect(child.stdio[3] as Writable, child.stdio[4] as Readable);
  return {
    newTab: () => newTab(send),
    close: async () => {
      await send.request("Browser.close", {});
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Connection {
  request<T extends Fields>(method: string, parameters: Fields, sessionId?: string): Promise<T>;
  on(sessionId: string, event: string, listener: (parameters: Fields) => void): void;
}

interface Message {
  id?: number;
  method?: string;
  sessionId?: string;
  params?: Fields;
  result?: Fields;
  error?: { message: string };
}

function connect(into: Writable, from: Readable): Connection {
  const waiting = new Map<number, { resolve(value: Fields): void; reject(error: Error): void }>();
  const listeners = new Map<string, ((parameters: Fields) => void)[]>();
  let last = 0;
  let rest = "";
  from.setEncoding("utf8");
  from.on("data", (part: string) => {
    const messages = (rest + part).split("\0");
    rest = messages.pop() ?? "";
    for (const text of messages) {
      const message = JSON.parse(text) as Message;
      if (message.id === undefined) {
        for (const listener of listeners.get(`${message.sessionId} ${message.method}`) ?? [])
          listener(message.params ?? {});
        continue;
      }
      const asked = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) asked?.reject(new Error(message.error.message));
      else asked?.resolve(message.result ?? {});
    }
  });
  return {
    request: <T extends Fields>(method: string, params: Fields, sessionId?: string) =>
      new Promise<T>((resolve, reject) => {
        waiting.set(++last, { resolve: (value) => resolve(value as T), reject });
        into.write(`${JSON.stringify({ id: last, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
      }),
    on: (sessionId, event, listener) => {
      const name = `${sessionId} ${event}`;
      listeners.set(name, [...(listeners.get(name) ?? []), listener]);
    },
  };
}

async function newTab(connection: Connection): Promise<Tab> {
  const { browserContextId } = await connection.request<{ browserContextId: string }>(
    "Target.createBrowserContext",
    {},
  );
  const { targetId } = await connection.request<{ targetId: string }>("Target.createTarget", {
    url: "about:blank",
    browserContextId,
  });
  const { sessionId } = await connection.request<{ sessionId: string }>("Target.attachToTarget", {
    targetId,
    flatten: true,
  });
  const send = <T extends Fields = Fields>(method: string, parameters: Fields = {}): Promise<T> =>
    connection.request<T>(method, parameters, sessionId);
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await send("Page.enable");
  return {
    send,
    evaluate,
    on: (event, listener) => connection.on(sessionId, event, listener),
    open: async (url) => {
      await send("Page.navigate", { url });
    },
    until: async (expression) => {
      const end = Date.now() + PATIENCE;
      // A page that is about to be left answers nothing, or no longer.
      while (!(await evaluate<boolean>(expression).catch(() => false))) {
        if (Date.now() > end)
          throw new Error(
            `not true in time: ${expression}; the page says: ${await evaluate<string>("document.body.innerText")}`,
          );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    press: async (key) => {
      const text = key === "Enter" ? "\r" : undefined;
      const windowsVirtualKeyCode = key === "Enter" ? 13 : 9;
      await send("Input.dispatchKeyEvent", {
        type: "keyDown",
        key,
        code: key,
        windowsVirtualKeyCode,
        ...(text ? { text } : {}),
      });
      await send("Input.dispatchKeyEvent", { type: "keyUp", key, code: key, windowsVirtualKeyCode });
    },
    close: async () => {
      await connection.request("Target.disposeBrowserContext", { browserContextId });
    },
  };
}
