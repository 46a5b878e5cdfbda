import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEnvelope, parseUtf8 } from "@touchmark/core";
import { authority, claimPayload, person, signedBy } from "../packages/verify/test/support/people.ts";
import { type Benchmark, median } from "./figure.ts";

const TOUCHMARK = join(import.meta.dirname, "../packages/cli/src/main.ts");
const FLOOR = join(import.meta.dirname, "support/floor-server.ts");
const ORIGIN = "log.example/bench";
const CONNECTIONS = 128;
const SUBMISSIONS = 3000;
const ROUNDS = 5;

/** Durable, admitted entries a second of a real log server, against the rate of HTTP and the same signature check alone. */
export const logAdmission: Benchmark = {
  name: "log-admission",
  run: async () => {
    const directory = mkdtempSync(join(tmpdir(), "touchmark-log-"));
    const log = ["log", "serve", "--dir", join(directory, "log"), "--origin", ORIGIN, "--port", "0", "--json"];
    const servers = [await start([TOUCHMARK, ...log], directory), await start([FLOOR], directory)] as const;
    const rates: { log: number[]; floor: number[] } = { log: [], floor: [] };
    try {
      for (let round = 0; round <= ROUNDS; round++) {
        const bodies = submissions(round);
        const pair = { log: await rateOf(servers[0].url, bodies), floor: await rateOf(servers[1].url, bodies) };
        if (round === 0) continue; // warm-up
        rates.log.push(pair.log);
        rates.floor.push(pair.floor);
      }
    } finally {
      for (const { child } of servers) await stop(child);
      rmSync(directory, { recursive: true, force: true });
    }
    return [
      {
        name: "log admission",
        ours: { what: "durable entries, one P-256 check each", value: median(rates.log) },
        floor: { what: "HTTP and the same check alone", value: median(rates.floor) },
        unit: "/s",
        target: { least: 0.5 },
      },
    ];
  },
};

function submissions(round: number): string[] {
  const alice = person("alice");
  return Array.from({ length: SUBMISSIONS }, (_, i) => {
    const packageId = `npm:npmjs/package-${round}-${i}`;
    const payload = claimPayload({ packages: [packageId], authority: authority([alice], 1), logs: [ORIGIN] });
    const envelope = parseUtf8(encodeEnvelope(signedBy(payload, [alice])));
    return JSON.stringify({ envelope, earlier: { [packageId]: [] } });
  });
}

async function rateOf(url: string, bodies: string[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const waiting = [...bodies];
  const begin = performance.now();
  const worker = async (): Promise<void> => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop())
      await post(new URL("submit", url), body, agent);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  agent.destroy();
  return (bodies.length * 1000) / (performance.now() - begin);
}

function post(url: URL, body: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`the server answered ${response.statusCode}`));
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

function start(args: string[], cwd: string): Promise<{ child: ChildProcess; url: string }> {
  const env = { ...process.env, TOUCHMARK_HOME: join(cwd, ".touchmark") };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`a server ended with ${code}`)));
    child.stdout.once("data", (line: Buffer) => {
      resolve({ child, url: (JSON.parse(String(line)) as { url: string }).url });
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}
