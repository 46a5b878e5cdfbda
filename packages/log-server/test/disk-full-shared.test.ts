/** The disks of a log on PostgreSQL, each filled for real: that of its tables, of its write-ahead log, of the tiles in a folder, and of the tiles' S3 storage. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  fetchCheckpoint,
  fetchConsistency,
  fetchEvidence,
  type LogEndpoint,
  LogError,
  type NoteSigner,
  parseEvidence,
  type Refusal,
  submitEnvelope,
} from "@touchmark/log";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  checkStore,
  createStore,
  openStorage,
  openStore,
  startLogServer,
  type Storage,
  type StorageAddresses,
} from "../src/index.ts";
import { closeStorage } from "../src/storage/storage.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { type RunningPostgres, startPostgres } from "./support/postgres.ts";
import { mountSmallDisk, type SmallDisk } from "./support/small-disk.ts";
import { claim, person } from "./support/statements.ts";
import { type RunningSwift, startSwift } from "./support/swift.ts";
import { type Acknowledged, requireAll, requireOneHistory } from "./support/torture.ts";

const alice = person("alice");
const widget = "npm:npmjs/widget";
const [tables, wal, tiles, bucket] = [16, 32, 2, 8].map(mountSmallDisk) as [SmallDisk, SmallDisk, SmallDisk, SmallDisk];
const disks = [tables, wal, tiles, bucket];
const mounted = disks.every((disk: SmallDisk | undefined) => disk !== undefined);
const { dir, remove } = temporaryFolder();
afterAll(remove);

const leftOut = mounted ? "" : " (left out: no file system can be mounted here)";
describe.skipIf(!mounted)(`[L7] a disk of a log on PostgreSQL that is full${leftOut}`, () => {
  let postgres: RunningPostgres;
  let swift: RunningSwift;
  beforeAll(async () => {
    [postgres, swift] = await Promise.all([startPostgres({ wal: wal.dir }), startSwift(bucket.dir)]);
  });
  afterEach(() => {
    for (const disk of disks) disk.makeRoom();
  });
  afterAll(async () => {
    await Promise.all([postgres.stop(), swift.stop()]);
    for (const disk of disks) disk.remove();
  });

  test.each([
    [
      "the database's tables",
      tables,
      "STORE_FULL",
      async () => ({ dir, ledger: await postgres.makeDatabase(tables.dir) }),
    ],
    ["the tiles' folder", tiles, "STORE_FULL", async () => ({ dir: tiles.dir, ledger: await postgres.makeDatabase() })],
    [
      "the tiles' S3 storage",
      bucket,
      "STORE_UNREACHABLE",
      async () => ({ dir, ledger: await postgres.makeDatabase(), blobs: await swift.makeBucket() }),
    ],
  ])(
    "that of %s: refuses in words, answers questions, and goes on by itself once there is room",
    async (_, disk, code, addresses) => {
      const life = await beginLife(await addresses());
      const running = await life.start();
      await life.submit(running, claim({ [widget]: [] }, [alice]));
      disk.fill();
      const { envelope, refusal } = await life.submitUntilRefused(running);
      expect(refusal).toEqual(REFUSAL);
      expect(new Set(running.failures)).toEqual(new Set([code]));
      await life.lookAt(running);
      expect((await life.submitUntilRefused(running)).refusal).toEqual(REFUSAL);

      disk.makeRoom();
      await life.submit(running, envelope);
      await life.lookAt(running);
      expect(running.stopped()).toBe(false);
      await running.close();
      await life.end();
    },
  );

  test("[L-30] that of the tiles' folder, full but for an envelope: what was stored and could not be shown is published once there is room", async () => {
    const life = await beginLife({ dir: join(tiles.dir, "second"), ledger: await postgres.makeDatabase() });
    const running = await life.start();
    await life.submit(running, claim({ [widget]: [] }, [alice]));
    tiles.fill(1);
    const { envelope, refusal } = await life.submitUntilRefused(running);
    expect(refusal).toEqual(REFUSAL);
    await life.lookAt(running);
    expect((await fetchCheckpoint(running.log)).size).toBe(3);
    expect((await life.submitUntilRefused(running)).refusal).toEqual(REFUSAL);
    await running.close();
    await expect(life.start()).rejects.toMatchObject({ code: "STORE_FULL" });

    tiles.makeRoom();
    const next = await life.start();
    await expect.poll(async () => (await fetchCheckpoint(next.log)).size).toBe(5);
    expect([...(await life.submit(next, envelope)).values()]).toEqual([3]);
    await next.close();
    await life.end();
  });

  test("[L-31] that of the database's write-ahead log: the database stops, the log says so, and another one takes over when it is there again", async () => {
    const ledger = await postgres.makeDatabase();
    const life = await beginLife({ dir, ledger });
    const running = await life.start();
    await life.submit(running, claim({ [widget]: [] }, [alice]));
    await postgres.sql(ledger, "CHECKPOINT");
    wal.fill();
    // Of the files that it has in store it keeps half a MiB, which is less than what is submitted now needs.
    await postgres.sql(
      ledger,
      `SELECT pg_logical_emit_message(false, '',
         repeat('x', (count(*) * 1048576 - pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') % 1048576 - 524288)::int))
       FROM pg_ls_waldir() WHERE name >= pg_walfile_name(pg_current_wal_insert_lsn())`,
    );
    const sent = Array.from({ length: 8 }, (_, i) => claimOf(`${i}`, 300));
    const answers = await Promise.all(sent.map((envelope) => life.submit(running, envelope).catch(refusalIn)));
    const refused = answers.flatMap((answer, i) => (isRefusal(answer) ? [{ envelope: sent[i]!, ...answer }] : []));
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, hint } of refused) expect([status, hint]).toEqual([503, REFUSAL.hint]);
    expect(running.failures).toContain("STORE_LOST");
    expect(running.stopped()).toBe(true);
    expect((await fetch(`${running.log.url}healthz`)).status).toBe(503);
    const before = await fetchCheckpoint(running.log); // is answered all the same
    await expect.poll(postgres.running, { timeout: 30_000 }).toBe(false); // it can't recover without room
    await expect(life.start()).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });

    wal.makeRoom();
    await postgres.start();
    await life.lookAt(running);
    const next = await life.start();
    for (const { envelope } of refused) await life.submit(next, envelope);
    await life.lookAt(next);
    await fetchConsistency(next.log, before, await fetchCheckpoint(next.log));
    await running.close();
    await next.close();
    await life.end();
  });
});

/** [L-22] What a submitter is told; its operator is told why. */
const REFUSAL: Refusal = {
  status: 503,
  code: "STOPPED",
  message: "The log cannot take anything in just now.",
  hint: "Send it again in a minute.",
  rule: "",
};

type Running = {
  readonly log: LogEndpoint;
  /** The codes of what its operator was told. */
  readonly failures: readonly string[];
  readonly stopped: () => boolean;
  readonly close: () => Promise<void>;
};

type Life = {
  readonly start: () => Promise<Running>;
  readonly submit: (running: Running, envelope: Uint8Array) => Promise<ReadonlyMap<string, number>>;
  readonly submitUntilRefused: (running: Running) => Promise<{ envelope: Uint8Array; refusal: Refusal }>;
  /** Throws if what was acknowledged is not answered for. */
  readonly lookAt: (running: Running) => Promise<void>;
  /** Looks at all of the storage, once nobody has it open. */
  readonly end: () => Promise<void>;
};

/** Makes a log, and remembers all that it ever signs and acknowledges. */
async function beginLife(addresses: StorageAddresses): Promise<Life> {
  const signed: string[] = [];
  const noting: NoteSigner = {
    key: signer.key,
    sign: (text) => {
      signed.push(text);
      return signer.sign(text);
    },
  };
  const open = (): Promise<Storage> => openStorage(addresses, false, { takeover: 0 });
  const acknowledged: Acknowledged[] = [];
  mkdirSync(addresses.dir, { recursive: true });
  await (await createStore(await open(), noting, START)).close();
  let number = 0;
  const submit: Life["submit"] = async ({ log }, envelope) => {
    const { entries } = await submitEnvelope(log, { envelope });
    acknowledged.push({ envelope, entries });
    return entries;
  };
  return {
    start: async () => {
      const failures: string[] = [];
      let stopped = false;
      const server = await startLogServer({
        store: await openStore(await open(), noting),
        clock: () => START,
        onEvent: (event) => {
          if (event.event === "failure") failures.push((event.error as { code: string }).code);
          if (event.event === "stopped") stopped = true;
        },
      });
      const log = { url: `http://127.0.0.1:${server.port}/`, key: signer.key, fetch };
      return { log, failures, stopped: () => stopped, close: server.close };
    },
    submit,
    submitUntilRefused: async (running) => {
      for (let tries = 0; tries < 200; tries++) {
        const envelope = claimOf(`alone-${number++}`, 1);
        const answer = await submit(running, envelope).catch(refusalIn);
        if (isRefusal(answer)) return { envelope, refusal: answer };
      }
      throw new Error("The disk never was full.");
    },
    lookAt: async ({ log }) => {
      for (const { envelope, entries } of acknowledged.slice(-3))
        expect((await submitEnvelope(log, { envelope })).entries).toEqual(entries); // [L-15]
      const { entries } = parseEvidence(await fetchEvidence(log, { [widget]: ["1.0.0"] }));
      expect([...entries.keys()]).toEqual([acknowledged[0]!.entries.get(widget)]);
    },
    end: async () => {
      const storage = await open();
      await requireOneHistory(storage, signed);
      await requireAll(storage, acknowledged);
      await closeStorage(storage);
      expect((await checkStore(await open(), signer.key)).problems).toEqual([]);
    },
  };
}

function claimOf(name: string, packages: number): Uint8Array {
  const names = Array.from({ length: packages }, (_, i) => `npm:npmjs/${name}-${i}`);
  return claim(Object.fromEntries(names.map((id) => [id, []])), [alice]);
}

function isRefusal(answer: ReadonlyMap<string, number> | Refusal): answer is Refusal {
  return "status" in answer;
}

/** What the log said. Throws anything else. */
function refusalIn(error: unknown): Refusal {
  if (error instanceof LogError && error.refusal !== undefined) return error.refusal;
  throw error;
}
