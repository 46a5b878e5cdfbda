import { setTimeout } from "node:timers/promises";
import { askForMissingTiles, MISSING_AT_ONCE } from "../../packages/log-server/test/support/missing-tiles.ts";
import { killLogProcesses, startLogProcess } from "../support/log-process.ts";

const SAMPLES = 20;
const CLIENTS = 4;
const MAX_GROWTH = 20e6;

/** Asks a log in a process of its own so many times for tiles that don't exist. Throws if its memory grows from the second quarter, when it has warmed up, to the last. */
export async function missingTiles(dir: string, requests: number, onProgress: (line: string) => void): Promise<void> {
  const log = await startLogProcess(dir, "--dir", "asked", "--origin", "log.example/asked");
  const port = Number(new URL(log.url).port);
  const begun = performance.now();
  const heap: number[] = [];
  try {
    for (let sample = 1; sample <= SAMPLES; sample++) {
      const client = async (): Promise<void> => {
        for (let left = requests / SAMPLES / CLIENTS; left > 0; left -= MISSING_AT_ONCE) await askForMissingTiles(port);
      };
      await Promise.all(Array.from({ length: CLIENTS }, client));
      heap.push(await smallestHeap(log.url));
      const seconds = ((performance.now() - begun) / 1000).toFixed(0);
      const used = `${(heap.at(-1)! / 1e6).toFixed(1)} MB of heap`;
      onProgress(`missing tiles: ${Math.round((requests * sample) / SAMPLES)} asked for in ${seconds} s, ${used}`);
    }
  } finally {
    await killLogProcesses();
  }
  const quarter = SAMPLES / 4;
  const growth = Math.min(...heap.slice(-quarter)) - Math.min(...heap.slice(quarter, 2 * quarter));
  if (growth > MAX_GROWTH) throw new Error(`The log's heap grew by ${growth} bytes.`);
}

/** The heap goes up and down with collections: the smallest of some looks. */
async function smallestHeap(url: string): Promise<number> {
  const looks: number[] = [];
  for (let i = 0; i < 5; i++) {
    const metrics = await (await fetch(`${url}metrics`)).text();
    looks.push(Number(/^nodejs_heap_used_bytes (\d+)$/m.exec(metrics)?.[1]));
    await setTimeout(20);
  }
  return Math.min(...looks);
}
