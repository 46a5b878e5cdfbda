import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, openFolder, type Store } from "@touchmark/log-server";
import { type Benchmark, type Figure, median } from "./figure.ts";
import { LARGE_SIGNER } from "./support/large-log.ts";
import { BUSY, CALM, compareRates, start, stop } from "./support/log-load.ts";
import { READY_TIME, readyStatement } from "./support/ready-statements.ts";

const SERVER = join(import.meta.dirname, "support/append-server.ts");
const ENVELOPE = 2048;
const BATCH = 256;
const BATCHES = 16;
const ROUNDS = 5;

/** What the log's storage makes of a disk where nothing is checked, against bytes that are only appended to a file and forced to the disk by batch. */
export const logAppend: Benchmark = {
  name: "log-append",
  run: async () => [...(await overHttp()), await direct()],
};

/** Both over HTTP, in the same server, with the same batches: only what is done with a batch differs. */
async function overHttp(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-append-"));
  const store = await start([SERVER, "store", join(directory, "log")], directory);
  const file = await start([SERVER, "file", join(directory, "file")], directory);
  const compared = {
    ours: { url: store.url, what: "durable entries, nothing checked" },
    floor: { url: file.url, what: "HTTP, append and fdatasync by batch" },
  };
  try {
    return [
      await compareRates("log storage", compared, BUSY, { least: 0.6 }),
      await compareRates(`the same, ${CALM} at once`, compared, CALM, null),
    ];
  } finally {
    for (const { child } of [store, file]) await stop(child);
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Without HTTP, for information: one file that is appended to takes more statements a second than one processor can hash into a tree and a map and put
 * under keys that they are found by.
 */
async function direct(): Promise<Figure> {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-append-"));
  const store = await createStore(await openFolder(join(directory, "log"), true), LARGE_SIGNER, READY_TIME);
  const rates: { store: number[]; file: number[] } = { store: [], file: [] };
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const batches = envelopes(round);
      const pair = {
        store: await batchRate(() => appendToStore(store, batches)),
        file: await batchRate(() => appendToFile(join(directory, "file"), batches)),
      };
      if (round === 0) continue; // warm-up
      rates.store.push(pair.store);
      rates.file.push(pair.file);
    }
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
  return {
    name: "log storage, no HTTP",
    ours: { what: `durable entries by ${BATCH}, hashed, in the map, found by key`, value: median(rates.store) },
    floor: { what: `the same bytes to one file, by ${BATCH}`, value: median(rates.file) },
    unit: "/s",
    target: null,
  };
}

async function batchRate(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return (BATCH * BATCHES * 1000) / (performance.now() - begin);
}

async function appendToStore(store: Store, batches: Buffer[][]): Promise<void> {
  for (const batch of batches) {
    const { size } = store.checkpoint();
    const statements = batch.map((envelope, i) => readyStatement(envelope, size + i));
    const { note } = await store.append(statements, READY_TIME);
    await store.publish(note);
  }
}

async function appendToFile(path: string, batches: Buffer[][]): Promise<void> {
  const file = await open(path, "a");
  try {
    for (const batch of batches) {
      await file.writeFile(Buffer.concat(batch));
      await file.datasync();
    }
  } finally {
    await file.close();
  }
}

function envelopes(round: number): Buffer[][] {
  return Array.from({ length: BATCHES }, (_batch, i) =>
    Array.from({ length: BATCH }, (_envelope, k) => Buffer.alloc(ENVELOPE, `${round} ${i} ${k} `)),
  );
}
