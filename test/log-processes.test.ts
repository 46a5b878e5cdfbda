import { cpSync, mkdirSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { fetchCheckpoint, fetchConsistency, fetchEvidence, submitEnvelope } from "@touchmark/log";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../packages/log-server/test/support/log.ts";
import { type RunningPostgres, startPostgres } from "../packages/log-server/test/support/postgres.ts";
import { claim, ORIGIN, person, release } from "../packages/log-server/test/support/statements.ts";
import { type RunningSwift, startSwift } from "../packages/log-server/test/support/swift.ts";
import { runTouchmark } from "./support/touchmark.ts";
import { killLogProcesses, type LogProcess, startLogProcess } from "./support/log-process.ts";

// What an operator starts by `touchmark log serve`, each a process of its own.

const alice = person("alice");
const widget = "npm:npmjs/widget";
const CONNECTIONS = 16;
const { dir, remove } = temporaryFolder();
afterEach(killLogProcesses);
afterAll(remove);

describe("a log in PostgreSQL and on S3", () => {
  let postgres: RunningPostgres;
  let swift: RunningSwift;
  beforeAll(async () => {
    [postgres, swift] = await Promise.all([startPostgres(), startSwift()]);
  });
  afterAll(() => Promise.all([postgres.stop(), swift.stop()]));

  async function shared(): Promise<string[]> {
    return ["--storage", await postgres.makeDatabase(), "--tiles", await swift.makeBucket()];
  }

  test("a standby waits, and takes over from a writer that was killed: nothing acknowledged is lost", async () => {
    const storage = await shared();
    const first = await startLogProcess(dir, "--dir", "one", "--origin", ORIGIN, ...storage);
    mkdirSync(join(dir, "two"));
    cpSync(join(dir, "one/log.key"), join(dir, "two/log.key"));
    const second = await startLogProcess(dir, "--dir", "two", ...storage);
    await second.hasSaid("standing by");

    await submitEnvelope(first.log, { envelope: claim({ [widget]: [] }, [alice]) });
    await expect(submitEnvelope(second.log, { envelope: release([`${widget}@0.0.1`], [alice]) })).rejects.toMatchObject(
      { refusal: { code: "STOPPED", status: 503 } },
    );
    const load = Array.from({ length: 4 }, (_, i) => submitUntilGone(first, `${i}`));
    await expect.poll(async () => (await fetchCheckpoint(second.log)).size, { timeout: 60_000 }).toBeGreaterThan(10);
    await first.end("SIGKILL");
    const acknowledged = (await Promise.all(load)).flat();
    const before = await fetchCheckpoint(second.log);

    await second.hasSaid("this process writes the log now");
    const metrics = (): Promise<string> =>
      fetch(`${second.url}metrics`).then(
        (response) => response.text(),
        () => "it does not listen yet",
      );
    await expect.poll(metrics, { timeout: 60_000 }).toMatch(/^touchmark_writer 1$/m);
    for (const { envelope, entries } of acknowledged) {
      expect((await submitEnvelope(second.log, { envelope })).entries).toEqual(entries);
    }
    await submitEnvelope(second.log, { envelope: release([`${widget}@9.9.9`], [alice]) });
    await fetchConsistency(second.log, before, await fetchCheckpoint(second.log));
    expect(await second.end("SIGTERM")).toBe(0);
    const fsck = await runTouchmark(["log", "fsck", "two", ...storage], { directory: dir, home: dir });
    expect([fsck.exit, fsck.stdout]).toEqual([0, expect.stringContaining("are as they should be")]);
  });

  test("--read-only needs no secret key, answers, and takes nothing in", async () => {
    const storage = await shared();
    const writer = await startLogProcess(dir, "--dir", "three", "--origin", ORIGIN, ...storage);
    const reader = await startLogProcess(dir, "--dir", "none", "--read-only", "--key", writer.vkey, ...storage);
    await submitEnvelope(writer.log, { envelope: claim({ [widget]: [] }, [alice]) });
    await expect.poll(async () => (await fetchCheckpoint(reader.log)).size, { timeout: 30_000 }).toBe(3);
    const wanted = { [widget]: [] };
    expect(await fetchEvidence(reader.log, wanted)).toEqual(await fetchEvidence(writer.log, wanted));
    for (const path of ["healthz", "tile/0/000.p/3", "tile/entries/000.p/2"])
      expect((await fetch(reader.url + path)).status, path).toBe(200);
    await expect(submitEnvelope(reader.log, { envelope: release([`${widget}@1.0.0`], [alice]) })).rejects.toMatchObject(
      { refusal: { code: "STOPPED", status: 503 } },
    );
    expect(await reader.end("SIGTERM")).toBe(0);
  });
});

describe("a log in a folder", () => {
  test("--log json: each event is one line of JSON, and nothing of a statement is in it", async () => {
    const log = await startLogProcess(dir, "--dir", "json", "--origin", ORIGIN, "--log", "json");
    await submitEnvelope(log.log, { envelope: claim({ [widget]: [] }, [alice]) });
    await fetch(`${log.url}tile/0/000.p/3`);
    await fetch(`${log.url}no%0Asuch%1bthing`);
    await log.hasSaid("such");
    const lines = log.said().trimEnd().split("\n");
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ event, method, path, status }) => [event, method, path, status])).toEqual([
      ["request", "POST", "/submit", 200],
      ["request", "GET", "/tile/0/000.p/3", 200],
      ["request", "GET", "/no%0Asuch%1bthing", 404],
    ]);
    for (const { time, ms } of events) expect([Date.parse(String(time)) > 0, typeof ms]).toEqual([true, "number"]);
    expect(log.said()).not.toContain("widget");
  });

  test("--proxy: X-Forwarded-For is believed from the named proxy, and from nobody else", async () => {
    const log = await startLogProcess(dir, "--dir", "proxied", "--origin", ORIGIN, "--proxy", "127.0.0.2");
    const answered = await askUntilTooOften(log, "127.0.0.2", "203.0.113.7", 20_000);
    expect(answered.filter((status) => status === 200).length).toBeGreaterThanOrEqual(500);
    expect(answered).toContain(429);
    // Another one behind the proxy, and this machine itself, whatever it says.
    for (const [from, onBehalfOf] of [
      ["127.0.0.2", "203.0.113.8"],
      ["127.0.0.1", "203.0.113.7"],
    ] as const)
      expect(new Set(await askUntilTooOften(log, from, onBehalfOf, 100))).toEqual(new Set([200]));
    await expect(startLogProcess(dir, "--dir", "proxied", "--proxy", "lb.example")).rejects.toThrow(
      "--proxy is not an IP address.",
    );
  });
});

type Acknowledged = { envelope: Uint8Array; entries: ReadonlyMap<string, number> };

async function submitUntilGone({ log }: LogProcess, name: string): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  for (let i = 0; ; i++) {
    const envelope = release([`${widget}@1.${name}.${i}`], [alice]);
    try {
      acknowledged.push({ envelope, entries: (await submitEnvelope(log, { envelope })).entries });
    } catch {
      return acknowledged;
    }
  }
}

/** Asks for evidence from an address of this machine on behalf of another, many times at once, until it was told that this is too often; the statuses. */
async function askUntilTooOften(log: LogProcess, from: string, onBehalfOf: string, most: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const statuses: number[] = [];
  const worker = async (): Promise<void> => {
    while (statuses.length < most && !statuses.includes(429)) statuses.push(await ask(log, agent, from, onBehalfOf));
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS, most) }, worker));
  agent.destroy();
  return statuses;
}

function ask(log: LogProcess, agent: Agent, localAddress: string, onBehalfOf: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "x-forwarded-for": `192.0.2.1, ${onBehalfOf}` };
    const sent = request(
      new URL("evidence", log.url),
      { method: "POST", agent, localAddress, headers, timeout: 60_000 },
      (response) => {
        response.resume();
        response.once("error", reject);
        response.once("end", () => resolve(response.statusCode ?? 0));
      },
    );
    sent.once("timeout", () => sent.destroy(new Error("no answer")));
    sent.once("error", reject);
    sent.end('{"packages":{}}');
  });
}
