import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  fetchCheckpoint,
  fetchConsistency,
  type LogEndpoint,
  LogError,
  type SignedCheckpoint,
  submitEnvelope,
} from "@touchmark/log";
import { afterAll, expect, test } from "vitest";
import { checkStore, openFolder } from "../src/index.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { claim, person, release } from "./support/statements.ts";

const ROUNDS = 10;
const CLIENTS = 12;
const script = fileURLToPath(new URL("support/child.ts", import.meta.url));
const alice = person("alice");
const packages = Array.from({ length: 40 }, (_, i) => `npm:npmjs/p${i}`);
const { dir, remove } = temporaryFolder();
let child: ChildProcess | undefined;
afterAll(() => {
  child?.kill("SIGKILL");
  remove();
});

async function startChild(round: number): Promise<LogEndpoint> {
  child = spawn(process.execPath, [script, dir, String(START + round)], { stdio: ["ignore", "pipe", "inherit"] });
  const died = once(child, "exit").then(() => {
    throw new Error("The server did not start.");
  });
  const [line] = (await Promise.race([once(child.stdout!, "data"), died])) as [Buffer];
  died.catch(() => undefined); // later it is killed on purpose
  return { url: `http://127.0.0.1:${Number(line.toString())}/`, key: signer.key, fetch, timeout: 10_000 };
}

async function killChild(): Promise<void> {
  const ended = once(child!, "exit");
  child!.kill("SIGKILL");
  await ended;
}

type Acknowledged = { readonly envelope: Uint8Array; readonly entries: ReadonlyMap<string, number> };

/** Clients that submit as fast as they can until the server is gone; gives what was acknowledged. */
async function load(
  log: LogEndpoint,
  round: number,
): Promise<{ acknowledged: Acknowledged[]; checkpoints: SignedCheckpoint[] }> {
  const acknowledged: Acknowledged[] = [];
  const checkpoints: SignedCheckpoint[] = [];
  const client = async (number: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const names = [
        packages[(number * 3 + i) % packages.length]!,
        packages[(number * 7 + i * 5 + 1) % packages.length]!,
      ];
      const ids = [...new Set(names)].map((name) => `${name}@${round}.${number}.${i}`);
      const envelope = release(ids, [alice]);
      try {
        const { entries, checkpoint } = await submitEnvelope(log, { envelope });
        acknowledged.push({ envelope, entries });
        checkpoints.push(checkpoint);
      } catch (error) {
        if (error instanceof LogError && error.code === "NETWORK") return;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  return { acknowledged, checkpoints };
}

test(
  "[L7] kill -9 under load: nothing acknowledged is lost, and no two histories are signed",
  { timeout: 60_000 },
  async () => {
    let log = await startChild(0);
    const claimed = Object.fromEntries(packages.map((name) => [name, []]));
    await submitEnvelope(log, { envelope: claim(claimed, [alice]) });
    const all: Acknowledged[] = [];
    let newest = await fetchCheckpoint(log);

    for (let round = 1; round <= ROUNDS; round++) {
      const killed = new Promise((resolve) => setTimeout(resolve, 60 + 37 * round)).then(killChild);
      const { acknowledged, checkpoints } = await load(log, round);
      await killed;
      all.push(...acknowledged);

      log = await startChild(round);
      const now = await fetchCheckpoint(log);
      const seen = [newest, ...checkpoints].toSorted((x, y) => x.size - y.size);
      for (const older of seen) await fetchConsistency(log, older, now);
      for (const { envelope, entries } of acknowledged.slice(-50)) {
        const again = await submitEnvelope(log, { envelope });
        expect([...again.entries]).toEqual([...entries]);
        expect(again.checkpoint.size).toBe(now.size);
      }
      newest = now;
    }
    await killChild();
    expect(all.length).toBeGreaterThan(ROUNDS * CLIENTS);
    expect(new Set(all.flatMap(({ entries }) => [...entries.values()])).size).toBe(
      all.flatMap(({ entries }) => [...entries]).length,
    );
    expect(await checkStore(await openFolder(dir), signer.key)).toEqual({ size: newest.size, problems: [] });
  },
);
