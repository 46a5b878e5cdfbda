import { type ChildProcess, spawn } from "node:child_process";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { encodeEnvelope, parseUtf8 } from "@touchmark/core";
import { type Figure, median } from "../figure.ts";
import { authority, claimPayload, person, signedBy } from "../../packages/verify/test/support/people.ts";

export const TOUCHMARK: string = join(import.meta.dirname, "../../packages/cli/src/main.ts");
export const FLOOR: string = join(import.meta.dirname, "floor-server.ts");
export const ORIGIN = "log.example/bench";
/** As many submissions at once as keep a log busy. What each batch costs is shared by those that wait for it. */
export const BUSY = 512;
/** Fewer, so that a batch is smaller and costs each of them more. */
export const CALM = 128;
const WARM_UP = 3;
/** Many, since a machine is slow for seconds at a time, and a round takes a part of one. */
const ROUNDS = 15;
const SUBMISSIONS = 3000;

/** What each of two servers does, for the figure. */
export interface Compared {
  ours: { url: string; what: string };
  floor: { url: string; what: string };
}

/** Medians of the submissions a second that two servers take in turn from so many connections, once both are warm. */
export async function compareRates(
  name: string,
  { ours, floor }: Compared,
  connections: number,
  target: Figure["target"],
): Promise<Figure> {
  const rates: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const bodies = submissions();
    const pair = {
      ours: await rateOf(ours.url, bodies, connections),
      floor: await rateOf(floor.url, bodies, connections),
    };
    if (round < 0) continue;
    rates.ours.push(pair.ours);
    rates.floor.push(pair.floor);
  }
  return {
    name,
    ours: { what: ours.what, value: median(rates.ours) },
    floor: { what: floor.what, value: median(rates.floor) },
    unit: "/s",
    target,
  };
}

let made = 0;

/** Claims of packages of their own, each signed once by one key, as bodies of submissions to the log. */
export function submissions(origin: string = ORIGIN, count: number = SUBMISSIONS): string[] {
  const alice = person("alice");
  return Array.from({ length: count }, () => {
    const packageId = `npm:npmjs/package-${made++}`;
    const payload = claimPayload({ packages: [packageId], authority: authority([alice], 1), logs: [origin] });
    const envelope = parseUtf8(encodeEnvelope(signedBy(payload, [alice])));
    return JSON.stringify({ envelope, earlier: { [packageId]: [] } });
  });
}

/** Submissions a second, as many at once as there are connections. */
export async function rateOf(url: string, bodies: readonly string[], connections: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const waiting = [...bodies];
  const begin = performance.now();
  const worker = async (): Promise<void> => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop())
      await post(new URL("submit", url), body, agent);
  };
  await Promise.all(Array.from({ length: connections }, worker));
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

/** `line` is what it said of itself: a log has a key, a witness several. */
export interface Started {
  child: ChildProcess;
  url: string;
  line: { url: string; key: string; keys: string[] };
}

/** Starts a server as a process of its own; it tells in one line of JSON where it is. */
export function start(args: string[], cwd: string): Promise<Started> {
  const env = { ...process.env, TOUCHMARK_HOME: join(cwd, ".touchmark") };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`a server ended with ${code}`)));
    child.stdout.once("data", (line: Buffer) => {
      const said = JSON.parse(String(line)) as Started["line"];
      resolve({ child, url: said.url, line: said });
    });
  });
}

export async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}
