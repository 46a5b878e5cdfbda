import { fetchCheckpoint, fetchConsistency, fetchEvidence, type LogEndpoint, submitEnvelope } from "@touchmark/log";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  checkStore,
  createStore,
  followStore,
  type LogServer,
  openStorage,
  openStore,
  startLogServer,
  type Storage,
} from "../src/index.ts";
import { signer, START } from "./support/log.ts";
import { type RunningPostgres, startPostgres } from "./support/postgres.ts";
import { claim, person, release } from "./support/statements.ts";
import { type RunningSwift, startSwift } from "./support/swift.ts";

const alice = person("alice");
const widget = "npm:npmjs/widget";
const failure = (code: string): unknown => expect.objectContaining({ code });
let postgres: RunningPostgres;
let swift: RunningSwift;
let servers: LogServer[] = [];

beforeAll(async () => {
  [postgres, swift] = await Promise.all([startPostgres(), startSwift()]);
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
});
afterAll(async () => {
  await Promise.all([postgres.stop(), swift.stop()]);
});

type Shared = { readonly ledger: string; readonly open: () => Promise<Storage> };

async function newLog(): Promise<Shared> {
  const [ledger, blobs] = [await postgres.makeDatabase(), await swift.makeBucket()];
  const open = (): Promise<Storage> => openStorage({ dir: "/nowhere", ledger, blobs }, false, { takeover: 0 });
  await (await createStore(await open(), signer, START)).close();
  return { ledger, open };
}

async function serve(options: Parameters<typeof startLogServer>[0]): Promise<LogEndpoint> {
  const server = await startLogServer({ follow: 50, ...options });
  servers.push(server);
  return { url: `http://127.0.0.1:${server.port}/`, key: signer.key, fetch };
}

const write = async ({ open }: Shared): Promise<LogEndpoint> =>
  serve({ store: await openStore(await open(), signer), clock: () => START });
const read = async ({ open }: Shared): Promise<LogEndpoint> =>
  serve({ store: await followStore(await open(), signer.key), clock: () => START });
const text = async (log: LogEndpoint, path: string): Promise<string> => (await fetch(log.url + path)).text();

describe("a log in PostgreSQL and on S3", () => {
  test("admits, answers and is whole", async () => {
    const shared = await newLog();
    const log = await write(shared);
    const envelope = claim(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`npm:npmjs/p${i}`, []])), [alice]);
    await submitEnvelope(log, { envelope });
    await submitEnvelope(log, { envelope: release(["npm:npmjs/p0@1.0.0"], [alice]) });
    const again = await submitEnvelope(log, { envelope });
    expect(again.entries.size).toBe(300); // [L-15]
    await expect(
      submitEnvelope(log, { envelope: release(["npm:npmjs/p0@1.0.0"], [alice], { bytes: "other" }) }),
    ).rejects.toMatchObject({ refusal: { code: "EQUIVOCATION" } });
    expect((await fetch(`${log.url}tile/0/000`)).status).toBe(200);
    await servers.pop()!.close();
    expect(await checkStore(await shared.open(), signer.key)).toEqual({ size: 304, problems: [] });
  });

  test("readers answer for what the writer publishes, and take nothing in", async () => {
    const shared = await newLog();
    const log = await write(shared);
    const reader = await read(shared);
    await submitEnvelope(log, { envelope: claim({ [widget]: [] }, [alice]) });
    await expect.poll(async () => (await fetchCheckpoint(reader)).size).toBe(3);
    await submitEnvelope(log, { envelope: release([`${widget}@1.0.0`], [alice]) });
    await expect.poll(async () => (await fetchCheckpoint(reader)).size).toBe(5);
    const wanted = { [widget]: ["1.0.0"] };
    expect(await fetchEvidence(reader, wanted)).toEqual(await fetchEvidence(log, wanted));
    for (const path of ["tile/0/000.p/5", "tile/entries/000.p/3"])
      expect(await text(reader, path)).toBe(await text(log, path));
    await expect(submitEnvelope(reader, { envelope: release([`${widget}@2.0.0`], [alice]) })).rejects.toMatchObject({
      refusal: { code: "STOPPED", status: 503 },
    });
    expect(await text(reader, "metrics")).toMatch(/^touchmark_writer 0$/m);
    expect(await text(log, "metrics")).toMatch(/^touchmark_statements_total 2$/m);
  });

  test("[L-31] a writer that is cut off stops, and the next one goes on with the same history", async () => {
    const shared = await newLog();
    const first = await write(shared);
    await submitEnvelope(first, { envelope: claim({ [widget]: [] }, [alice]) });
    const before = await fetchCheckpoint(first);
    await expect(shared.open().then((storage) => openStore(storage, signer))).rejects.toThrow(failure("STORE_LOCKED"));
    await postgres.cutConnections(shared.ledger);
    const second = await write(shared);
    await submitEnvelope(second, { envelope: release([`${widget}@1.0.0`], [alice]) });
    await expect(submitEnvelope(first, { envelope: release([`${widget}@2.0.0`], [alice]) })).rejects.toMatchObject({
      refusal: { code: "STOPPED", status: 503 },
    });
    expect((await fetch(`${first.url}healthz`)).status).toBe(503);
    expect(await fetchCheckpoint(first)).toEqual(before);
    await fetchConsistency(second, before, await fetchCheckpoint(second));
  });

  test("[L-31] a writer that loses its database between a batch and its publication stops, and the next one publishes it", async () => {
    const shared = await newLog();
    const storage = await shared.open();
    const append: Storage["ledger"]["append"] = async (batch) => {
      await storage.ledger.append(batch);
      await postgres.cutConnections(shared.ledger);
    };
    const store = await openStore({ ...storage, ledger: { ...storage.ledger, append } }, signer);
    const events: string[] = [];
    const first = await serve({ store, clock: () => START, onEvent: ({ event }) => events.push(event) });
    const envelope = claim({ [widget]: [] }, [alice]);
    await expect(submitEnvelope(first, { envelope })).rejects.toMatchObject({ refusal: { code: "STOPPED" } });
    expect(events).toContain("stopped");
    expect((await fetch(`${first.url}healthz`)).status).toBe(503);
    const second = await write(shared);
    expect([...(await submitEnvelope(second, { envelope })).entries.values()]).toEqual([1]);
  });

  test("[L7] a database restored from an old backup is noticed by what the other half has published", async () => {
    const shared = await newLog();
    const log = await write(shared);
    await submitEnvelope(log, { envelope: claim({ [widget]: [] }, [alice]) });
    const old = await postgres.sql(shared.ledger, "SELECT size, root, published FROM log");
    await submitEnvelope(log, { envelope: release([`${widget}@1.0.0`], [alice]) });
    await servers.pop()!.close();
    const { size, root, published } = old[0] as { size: string; root: Buffer; published: string };
    await postgres.sql(
      shared.ledger,
      `UPDATE log SET size = ${size}, root = '\\x${root.toString("hex")}', published = '${published}';
       DELETE FROM leaves WHERE position >= ${size}; DELETE FROM releases; UPDATE heads SET last = 1`,
    );
    await expect(shared.open().then((storage) => openStore(storage, signer))).rejects.toThrow(failure("STORE_OLD"));
    await expect(shared.open().then((storage) => checkStore(storage, signer.key))).rejects.toThrow(
      failure("STORE_OLD"),
    );
  });
});
