import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Io, run } from "../src/index.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-log-"));
const stops: AbortController[] = [];

afterEach(() => {
  for (const stop of stops) stop.abort();
  rmSync(directory, { recursive: true, force: true });
});

interface Ready {
  origin: string;
  url: string;
  key: string;
  port: number;
}

/** Begins `touchmark log serve` and waits for its line. */
function serve(...flags: string[]): ReturnType<typeof begin<Ready>> {
  return begin<Ready>("log", "serve", "--dir", "log", "--port", "0", "--json", ...flags);
}

/** Begins a command that prints a document. */
function begin<T>(...argv: string[]): { ready: Promise<T>; ended: Promise<number>; stop(): void } {
  const { promise: ready, resolve } = Promise.withResolvers<T>();
  const stop = new AbortController();
  stops.push(stop);
  const io: Io = {
    stdout: (text) => {
      resolve(JSON.parse(String(text)) as T);
    },
    stderr: () => undefined,
    askSecret: async () => undefined,
    askText: async () => undefined,
    askConfirm: async () => false,
    readLine: async () => "",
    npmConfig: async () => "",
    cwd: directory,
    env: {},
    homeDirectory: directory,
    now: () => 1_795_000_000,
    fetch: (url, init) => fetch(url, init),
    platform: process.platform,
    isTerminal: { stdin: false, stdout: false, stderr: false },
    signal: stop.signal,
  };
  const ended = run(argv, io);
  return {
    ready,
    ended,
    stop: () => {
      stop.abort();
    },
  };
}

describe("touchmark log serve", () => {
  it("says in one line where it is, keeps its key to its owner, ends when told to, and goes on where it was", async () => {
    const first = serve("--origin", "log.example/main");
    const { origin, url, key, port } = await first.ready;
    expect({ origin, url }).toEqual({ origin: "log.example/main", url: `http://127.0.0.1:${port}/` });
    expect(statSync(join(directory, "log/log.key")).mode & 0o777).toBe(0o600);
    expect(await (await fetch(`${url}healthz`)).text()).toMatch(/^ok/);
    const note = await (await fetch(`${url}checkpoint`)).text();
    first.stop();
    expect(await first.ended).toBe(0);
    await expect(fetch(`${url}healthz`)).rejects.toThrow();

    const second = serve("--url", "https://log.example/main/");
    const again = await second.ready;
    expect(again).toMatchObject({ origin, key, url: "https://log.example/main/" });
    expect(await (await fetch(`http://127.0.0.1:${again.port}/checkpoint`)).text()).toBe(note);
    second.stop();
    expect(await second.ended).toBe(0);

    const fsck = begin<unknown>("log", "fsck", "log", "--json");
    expect(await fsck.ready).toEqual({ ok: true, origin, size: 1, problems: [] });
    expect(await fsck.ended).toBe(0);
    rmSync(join(directory, "log/log.sqlite"));
    expect(await begin("log", "fsck", "log", "--json").ended).toBe(2);
  });

  it("leaves the folder to a process that is using it", async () => {
    const first = serve("--origin", "log.example/main");
    const { port } = await first.ready;
    const taken = serve();
    expect(await taken.ended).toBe(2);
    const elsewhere = serve("--dir", "other", "--origin", "log.example/other", "--port", String(port));
    expect(await elsewhere.ended).toBe(2);
    first.stop();
    expect(await first.ended).toBe(0);
  });
});
