import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { packageIdHash } from "@touchmark/core";
import { createPackageMap, nodeCrypto, noteSigner } from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkStore, createStore, openFolder, openStore, type Store, type StoreReport } from "../src/index.ts";
import { writeMapCache } from "../src/map-cache.ts";
import { runLog, type RunningLog, signer, START, temporaryFolder } from "./support/log.ts";
import { claim, ORIGIN, person, release } from "./support/statements.ts";

const alice = person("alice");
const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`npm:npmjs/p${i}`, []]));
const failure = (code: string): unknown => expect.objectContaining({ code });
let running: RunningLog;
let dir: string;

/** A log of 306 leaves at rest: two full tiles, heads, releases. */
beforeEach(async () => {
  running = await runLog();
  ({ dir } = running);
  await running.submit(claim(many, [alice]));
  await running.submit(release(["npm:npmjs/p0@1.0.0"], [alice]));
  await running.submit(release(["npm:npmjs/p0@1.1.0"], [alice]));
  await running.server.close();
});
afterEach(() => running.end());

const openStoreIn = async (at: string): Promise<Store> => openStore(await openFolder(at), signer);
const open = async (): Promise<void> => (await openStore(await openFolder(dir), signer)).close();
const check = async (at = dir): Promise<StoreReport> => checkStore(await openFolder(at), signer.key);
const problems = async (): Promise<readonly string[]> => (await check()).problems;

/** Changes the database behind the log's back. */
function tamper(sql: string): void {
  const db = new DatabaseSync(join(dir, "log.sqlite"));
  db.exec(sql);
  db.close();
}

describe("opening a log", () => {
  test("finds it whole", async () => {
    expect(await check()).toEqual({ size: 306, problems: [] });
    await open();
  });

  test("where there is none is refused: a second history under one key must not begin by itself", async () => {
    const empty = temporaryFolder();
    await expect(openStore(await openFolder(empty.dir, true), signer)).rejects.toThrow(failure("STORE_MISSING"));
    rmSync(join(empty.dir, "log.sqlite"));
    await expect(openFolder(empty.dir)).rejects.toThrow(failure("STORE_MISSING"));
    expect(existsSync(join(empty.dir, "log.sqlite"))).toBe(false);
    empty.remove();
  });

  test("making one where there is one is refused", async () => {
    await expect(createStore(await openFolder(dir, true), signer, START)).rejects.toThrow(failure("STORE_EXISTS"));
  });

  test("that is open is refused", async () => {
    const store = await openStore(await openFolder(dir), signer);
    await expect(openFolder(dir)).rejects.toThrow(failure("STORE_LOCKED"));
    await store.close();
    await open();
  });

  test("with another key is refused", async () => {
    const other = noteSigner(ORIGIN, new Uint8Array(32).fill(9));
    await expect(openStore(await openFolder(dir), other)).rejects.toThrow(failure("STORE_FOREIGN"));
  });

  test("[L7] whose database is an old backup is refused", async () => {
    const backup = temporaryFolder();
    cpSync(join(dir, "log.sqlite"), join(backup.dir, "log.sqlite"));
    running = await running.restart();
    await running.submit(release(["npm:npmjs/p1@1.0.0"], [alice]));
    await running.server.close();
    rmSync(join(dir, "log.sqlite"));
    cpSync(join(backup.dir, "log.sqlite"), join(dir, "log.sqlite"));
    await expect(openStoreIn(dir)).rejects.toThrow(failure("STORE_OLD"));
    backup.remove();
  });

  test("[L7] shows the published checkpoint again where its file is behind, cut short or gone", async () => {
    const note = readFileSync(join(dir, "checkpoint"), "utf8");
    running = await running.restart();
    await running.submit(release(["npm:npmjs/p1@1.0.0"], [alice]));
    await running.server.close();
    const newer = readFileSync(join(dir, "checkpoint"), "utf8");
    writeFileSync(join(dir, "checkpoint"), note);
    await open();
    expect(readFileSync(join(dir, "checkpoint"), "utf8")).toBe(newer);
    for (const spoil of [
      () => rmSync(join(dir, "checkpoint")),
      () => writeFileSync(join(dir, "checkpoint"), note.slice(0, 99)),
    ]) {
      spoil();
      await open();
      expect(readFileSync(join(dir, "checkpoint"), "utf8")).toBe(newer);
    }
  });

  test("[L7] a tile that is missing, half-written or wrong is made again from the leaves", async () => {
    for (const tile of ["tile/0/000", "tile/entries/000"]) {
      const whole = readFileSync(join(dir, tile));
      for (const spoil of [
        () => rmSync(join(dir, tile)),
        () => writeFileSync(join(dir, tile), whole.subarray(0, 1000)),
        () =>
          writeFileSync(
            join(dir, tile),
            whole.map((byte, i) => (i === 77 ? byte ^ 1 : byte)),
          ),
      ]) {
        spoil();
        expect(await problems()).toHaveLength(1);
        await open();
        if (tile === "tile/0/000") expect(await problems()).toEqual([]);
        writeFileSync(join(dir, tile), whole);
      }
    }
  });

  test("whose map was kept is opened with it, and without it if it is of another log, changed or cut short", async () => {
    const file = join(dir, "map.cache");
    const store = await openStore(await openFolder(dir), signer);
    const head = store.head(packageIdHash(nodeCrypto, "npm:npmjs/p0"));
    expect(head).toBeDefined();
    const map = createPackageMap();
    const draft = map.draft();
    for (let i = 0; i < 300; i++) {
      const record = store.head(packageIdHash(nodeCrypto, `npm:npmjs/p${i}`))!;
      draft.set({ ...record, last: record.lastAuthority! }); // as they were after the claim
    }
    draft.commit();
    await store.close();
    await writeMapCache(file, { size: 302, map });
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[good.length - 1]! ^= 1;
    await writeMapCache(file, { size: 302, map: createPackageMap() });
    const foreign = readFileSync(file);
    for (const bytes of [good, bad, foreign, good.subarray(0, 100), Buffer.alloc(0)]) {
      writeFileSync(file, bytes);
      const again = await openStore(await openFolder(dir), signer);
      expect(again.head(packageIdHash(nodeCrypto, "npm:npmjs/p0"))).toEqual(head);
      await again.close();
    }
  });

  test("leaves left behind by a batch that failed are no part of the log", async () => {
    writeFileSync(join(dir, "tile/0/001"), "rubbish");
    running = await running.restart();
    expect((await fetch(`${running.url}tile/0/001`)).status).toBe(404);
    const more = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`npm:npmjs/q${i}`, []]));
    await running.submit(claim(more, [alice]));
    expect((await (await fetch(`${running.url}tile/0/001`)).arrayBuffer()).byteLength).toBe(8192);
    await running.server.close();
    expect(await problems()).toEqual([]);
  });

  test.each([
    ["a changed leaf", "UPDATE leaves SET bytes = zeroblob(90) WHERE position = 303"],
    ["a missing leaf", "DELETE FROM leaves WHERE position = 305"],
    ["a leaf too many", "INSERT INTO leaves VALUES (306, zeroblob(58))"],
    ["another size", "UPDATE log SET size = 307"],
    ["another root", "UPDATE log SET root = zeroblob(32)"],
    ["an unsigned note", "UPDATE log SET published = replace(published, '306', '307')"],
    ["no row", "DELETE FROM log"],
  ])("with %s in its database is refused in words", async (_, sql) => {
    tamper(sql);
    await expect(openStoreIn(dir)).rejects.toThrow(failure("STORE_DAMAGED"));
  });

  test("of another version's format is refused in words, whatever else is in it", async () => {
    tamper("UPDATE log SET format = 'touchmark-log/2'; DROP TABLE digests");
    await expect(openFolder(dir)).rejects.toThrow(failure("STORE_FORMAT"));
    await expect(openFolder(dir)).rejects.toThrow(failure("STORE_FORMAT")); // it was closed
  });

  test("whose database is rubbish is refused in words", async () => {
    writeFileSync(join(dir, "log.sqlite"), "rubbish".repeat(10_000));
    await expect(openStoreIn(dir)).rejects.toThrow(failure("STORE_DAMAGED"));
  });
});

describe("envelopes", () => {
  test("that are cut off are noticed at the start, and what a failed batch left behind them is not", async () => {
    const file = join(dir, "log.sqlite-envelopes");
    const whole = readFileSync(file);
    writeFileSync(file, Buffer.concat([whole, Buffer.from("left behind")]));
    expect(await problems()).toEqual([]);
    running = await running.restart();
    const { entries } = await running.submit(release(["npm:npmjs/p1@1.0.0"], [alice]));
    await running.server.close();
    expect([...entries]).toEqual([["npm:npmjs/p1", 306]]);
    expect(await problems()).toEqual([]);
    expect(readFileSync(file).subarray(0, whole.length)).toEqual(whole);

    writeFileSync(file, whole);
    await expect(openFolder(dir)).rejects.toThrow(failure("STORE_DAMAGED"));
    rmSync(file);
    await expect(openFolder(dir)).rejects.toThrow(failure("STORE_DAMAGED"));
  });

  test("that are others are found", async () => {
    const file = join(dir, "log.sqlite-envelopes");
    const bytes = readFileSync(file);
    bytes[bytes.length - 40]! ^= 1;
    writeFileSync(file, bytes);
    expect((await problems()).join("\n")).toMatch(/Leaf 304/);
  });
});

describe("checkStore finds what opening does not look at", () => {
  test.each([
    ["an envelope that is gone", "DELETE FROM statements WHERE first = 302", /Leaf 302: .*envelope is missing/],
    [
      "another envelope",
      "UPDATE statements SET (at, length) = (SELECT at, length FROM statements WHERE first = 304) WHERE first = 302",
      /Leaf 302/,
    ],
    [
      "an old leaf changed",
      "UPDATE leaves SET bytes = (SELECT bytes FROM leaves WHERE position = 5) WHERE position = 6",
      /stored checkpoint/,
    ],
  ])("%s", async (_, sql, words) => {
    tamper(sql);
    expect((await problems()).join("\n")).toMatch(words);
  });

  test("and changes nothing itself", async () => {
    rmSync(join(dir, "tile/0/000"));
    expect(await problems()).toEqual(["Tile 0/0 is missing."]);
    expect(existsSync(join(dir, "tile/0/000"))).toBe(false);
  });
});

describe("a store that cannot write", () => {
  test("[L7] refuses the batch, changes nothing, and goes on when it can", async () => {
    running = await running.restart();
    const blocked = join(dir, "tile/entries/001");
    // A folder where the next full bundle belongs: its rename fails as it would on a full disk.
    mkdirSync(join(blocked, "x"), { recursive: true });
    const more = claim(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`npm:npmjs/q${i}`, []])), [alice]);
    await expect(running.submit(more)).rejects.toThrow(
      expect.objectContaining({ refusal: expect.objectContaining({ status: 503, code: "STOPPED" }) }),
    );
    const { checkpoint } = await running.submit(release(["npm:npmjs/p2@1.0.0"], [alice]));
    expect(checkpoint.size).toBe(308);
    rmSync(blocked, { recursive: true });
    expect((await running.submit(more)).checkpoint.size).toBe(609);
    await running.server.close();
    expect(await problems()).toEqual([]);
  });

  test("[L-16] [L-30] answers nothing while what is durable can't be published, and publishes it first when it can", async () => {
    running = await running.restart();
    const file = join(dir, "checkpoint");
    rmSync(file);
    mkdirSync(file);
    const envelope = release(["npm:npmjs/p2@1.0.0"], [alice]);
    const notNow = expect.objectContaining({ refusal: expect.objectContaining({ status: 503 }) });
    await expect(running.submit(envelope)).rejects.toThrow(notNow);
    await expect(running.submit(release(["npm:npmjs/p3@1.0.0"], [alice]))).rejects.toThrow(notNow);
    rmSync(file, { recursive: true });
    const { entries, checkpoint } = await running.submit(envelope);
    expect([...entries]).toEqual([["npm:npmjs/p2", 306]]);
    expect(checkpoint.size).toBe(308);
    await running.server.close();
    expect(await problems()).toEqual([]);
  });
});
