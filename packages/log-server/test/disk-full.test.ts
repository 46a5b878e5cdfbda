import { fetchConsistency, fetchCheckpoint, type LogEndpoint, LogError, submitEnvelope } from "@touchmark/log";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkStore, createStore, openFolder, openStore, startLogServer } from "../src/index.ts";
import { signer, START } from "./support/log.ts";
import { mountSmallDisk } from "./support/small-disk.ts";
import { claim, person } from "./support/statements.ts";

const alice = person("alice");
const disk = mountSmallDisk(4);

const leftOut = disk === undefined ? " (left out: no file system can be mounted here)" : "";
describe.skipIf(disk === undefined)(`[L7] a disk that is full${leftOut}`, () => {
  const dir = disk?.dir ?? "";
  let log: LogEndpoint;
  let close: () => Promise<void>;
  const start = async (): Promise<void> => {
    const server = await startLogServer({ store: await openStore(await openFolder(dir), signer), clock: () => START });
    log = { url: `http://127.0.0.1:${server.port}/`, key: signer.key, fetch };
    ({ close } = server);
  };
  beforeAll(async () => {
    await (await createStore(await openFolder(dir, true), signer, START)).close();
    await start();
  });
  afterAll(() => disk?.remove());

  test("refuses in words, loses nothing, and goes on after a restart with room", async () => {
    const kept: [string, number][] = [];
    let refusal: unknown;
    for (let i = 0; refusal === undefined && i < 200; i++) {
      const names = Array.from({ length: 100 }, (_, k) => `npm:npmjs/p${i}-${k}`);
      const envelope = claim(Object.fromEntries(names.map((name) => [name, []])), [alice]);
      try {
        const { entries } = await submitEnvelope(log, { envelope });
        kept.push(...entries);
      } catch (error) {
        refusal = error;
      }
      if (i === 5) disk?.fill(128);
    }
    expect(refusal).toBeInstanceOf(LogError);
    expect(refusal).toMatchObject({ refusal: { status: 503, code: "STOPPED" } });
    expect(kept.length).toBeGreaterThan(500);
    const before = await fetchCheckpoint(log); // is answered all the same
    await close();

    disk?.makeRoom();
    await start();
    await submitEnvelope(log, { envelope: claim({ "npm:npmjs/after": [] }, [alice]) });
    await fetchConsistency(log, before, await fetchCheckpoint(log));
    await close();
    expect((await checkStore(await openFolder(dir), signer.key)).problems).toEqual([]);
    const storage = await openFolder(dir);
    const found = await storage.ledger.leavesAt(kept.map(([, index]) => index));
    expect(found.size).toBe(kept.length);
    await storage.ledger.close();
  });
});
