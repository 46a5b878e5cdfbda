import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchCheckpoint, parseNote, parseVerifierKey, verifyCosignatures } from "@touchmark/log";
import { afterEach, describe, expect, it } from "vitest";
import { type Io, run } from "../src/index.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-witness-"));
const running: { stop: AbortController; ended: Promise<number> }[] = [];

afterEach(async () => {
  for (const { stop } of running) stop.abort();
  await Promise.all(running.map(({ ended }) => ended));
  rmSync(directory, { recursive: true, force: true });
});

interface Served {
  ready: { url: string; name: string; key: string; keys: string[]; port: number };
  stderr: string[];
  stop(): Promise<number>;
}

/** Begins a command that serves, and waits for its line. */
async function serve(...argv: string[]): Promise<Served> {
  const { promise: ready, resolve } = Promise.withResolvers<Served["ready"]>();
  const stop = new AbortController();
  const stderr: string[] = [];
  const io: Io = {
    stdout: (text) => {
      resolve(JSON.parse(String(text)) as Served["ready"]);
    },
    stderr: (text) => void stderr.push(String(text)),
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
  const ended = run([...argv, "--port", "0", "--json"], io);
  running.push({ stop, ended });
  const failed = ended.then((exit) => Promise.reject(new Error(`It ended with ${exit}: ${stderr.join("")}`)));
  failed.catch(() => undefined);
  return {
    ready: await Promise.race([ready, failed]),
    stderr,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

describe("touchmark log witness serve, and log serve --quorum", () => {
  it("a log's checkpoints are cosigned by its witnesses, who keep their keys and what they know", async () => {
    const first = await serve("log", "serve", "--dir", "log", "--origin", "log.example/main");
    const vkey = first.ready.key;
    expect(await first.stop()).toBe(0);
    const [a, b] = [
      await serve("log", "witness", "serve", "--dir", "a", "--name", "a.example", "--log", vkey),
      await serve("log", "witness", "serve", "--dir", "b", "--name", "b.example", "--log", vkey),
    ];
    expect(statSync(join(directory, "a/cosigner.key")).mode & 0o777).toBe(0o600);
    const policy = [
      `log ${vkey}`,
      `witness A ${a.ready.keys[0]} ${a.ready.url}`,
      `witness B ${b.ready.keys[1]} ${b.ready.url}`,
      "group both all A B",
      "quorum both",
      "",
    ];
    writeFileSync(join(directory, "witnesses.policy"), policy.join("\n"));

    const log = await serve("log", "serve", "--dir", "log", "--quorum", "witnesses.policy");
    expect(log.stderr.join("")).toMatch(/tolerates 1 dishonest witness/);
    const endpoint = { url: log.ready.url, key: parseVerifierKey(vkey), fetch };
    const { note } = await fetchCheckpoint(endpoint);
    const keys = [a.ready.keys[0]!, b.ready.keys[1]!].map(parseVerifierKey);
    expect(verifyCosignatures(parseNote(Buffer.from(note)), keys).cosignatures).toHaveLength(2);

    expect(await a.stop()).toBe(0);
    const again = await serve("log", "witness", "serve", "--dir", "a", "--log", vkey);
    expect(again.ready).toMatchObject({ name: "a.example", keys: a.ready.keys });
    const stranger = await serve("log", "serve", "--dir", "other", "--origin", "log.example/other");
    expect(await stranger.stop()).toBe(0);
    const refused = await serve("log", "serve", "--dir", "other", "--quorum", "witnesses.policy");
    expect(refused.ready).toMatchObject({ ok: false, error: { code: "QUORUM_MALFORMED" } });
    expect(await refused.stop()).toBe(2);
  });
});
