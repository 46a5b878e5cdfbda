import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bucketOf, createPackageMap, MAP_SIZE, multiProof, type PackageMap } from "@touchmark/log";
import { type Benchmark, type Figure, median } from "./figure.ts";
import { LARGE_SIGNER, largePackageHash, writeLargeLog } from "./support/large-log.ts";
import { CALM, rateOf, submissions } from "./support/log-load.ts";

const SERVER = join(import.meta.dirname, "support/serve-large.ts");
const SMALL = 100_000;
const LARGE = 1_000_000;
const UPDATES = 2000;
const EVIDENCE = 500;

/** What a log of a million packages costs: the map's update and proof, and a server's start and memory. */
export const logScale: Benchmark = {
  name: "log-scale",
  run: async () => [...mapFigures(), ...(await serverFigures())],
};

function mapFigures(): Figure[] {
  const map = createPackageMap();
  fill(map, 0, SMALL);
  const small = updateTime(map, SMALL);
  fill(map, SMALL, LARGE);
  const large = updateTime(map, LARGE);
  return [
    {
      name: "map update",
      ours: { what: "one package, of 1,000,000 (the logarithm: 1.2)", value: large },
      floor: { what: "one package, of 100,000", value: small },
      unit: "µs",
      target: { most: 2 }, // chosen: for ten times the packages the hashes to make grow with the logarithm, by 1.2; the rest is that fewer of those they are made of lie in the processor's cache. Linear growth would be 10
    },
    {
      name: "map proof",
      ours: { what: "largest of 1,000 packages' proofs, of 1,000,000", value: largestProof(map) },
      floor: { what: "the limit", value: 1024 },
      unit: "B",
      target: { most: 1 },
    },
  ];
}

function fill(map: PackageMap, from: number, to: number): void {
  const draft = map.draft();
  for (let i = from; i < to; i++) draft.set({ packageHash: largePackageHash(i), last: i, lastAuthority: i });
  draft.commit();
}

function updateTime(map: PackageMap, packages: number): number {
  const times = Array.from({ length: UPDATES }, (_, i) => {
    const packageHash = largePackageHash(Math.floor((i * packages) / UPDATES));
    const begun = performance.now();
    const draft = map.draft();
    draft.set({ packageHash, last: packages + i, lastAuthority: 0 });
    draft.root();
    draft.commit();
    return (performance.now() - begun) * 1000;
  });
  return median(times);
}

function largestProof(map: PackageMap): number {
  const sizes = Array.from({ length: 1000 }, (_, i) => {
    const bucket = bucketOf(largePackageHash(i * 997));
    return map.bucket(bucket).length + multiProof(MAP_SIZE, [bucket], map.digestOf).length;
  });
  return Math.max(...sizes);
}

async function serverFigures(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), "touchmark-large-"));
  try {
    await writeLargeLog(dir, LARGE);
    const begun = await start(dir);
    begun.child.kill("SIGKILL"); // so that the next start finds what a crash leaves
    await once(begun.child, "exit");
    const { child, ms, port } = await start(dir);
    const packages = Object.fromEntries(Array.from({ length: EVIDENCE }, (_, i) => [`npm:npmjs/other-${i}`, []]));
    for (let i = 0; i < 10; i++) {
      const response = await fetch(`http://127.0.0.1:${port}/evidence`, {
        method: "POST",
        body: JSON.stringify({ packages }),
      });
      if (response.status !== 200) throw new Error(`the server answered ${response.status}`);
      await response.arrayBuffer();
    }
    const rest = await memoryOf(child);
    await rateOf(`http://127.0.0.1:${port}/`, submissions(LARGE_SIGNER.key.name), CALM);
    const used = await memoryOf(child);
    const ended = once(child, "exit");
    child.stdin?.end();
    await ended;
    return [
      {
        name: "log start-up",
        ours: { what: "a log of 1,000,000 entries, after a crash", value: ms },
        floor: { what: "the limit", value: 2000 },
        unit: "ms",
        target: { most: 1 },
      },
      {
        name: "log memory",
        ours: { what: "a server with 1,000,000 entries", value: rest },
        floor: { what: "the limit", value: 300 },
        unit: "MB",
        target: { most: 1 },
      },
      {
        name: "log memory after a burst",
        ours: { what: `the same, after 3,000 submissions, ${CALM} at once`, value: used },
        floor: { what: "before them", value: rest },
        unit: "MB",
        target: null, // what V8's young generation has grown to and not given back; after a collection the heap is at 27 MB
      },
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function start(dir: string): Promise<{ child: ChildProcess; ms: number; port: number }> {
  const child = spawn(process.execPath, [SERVER, dir], { stdio: ["pipe", "pipe", "inherit"] });
  const { ms, port } = (await nextLine(child)) as { ms: number; port: number };
  return { child, ms, port };
}

/** Megabytes. */
async function memoryOf(child: ChildProcess): Promise<number> {
  child.stdin?.write("\n");
  return ((await nextLine(child)) as { rss: number }).rss / 1e6;
}

async function nextLine(child: ChildProcess): Promise<unknown> {
  const died = once(child, "exit").then(() => {
    throw new Error("the server did not start");
  });
  died.catch(() => undefined);
  const [line] = (await Promise.race([once(child.stdout!, "data"), died])) as [Buffer];
  return JSON.parse(String(line));
}
