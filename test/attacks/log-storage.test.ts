import { copyFileSync, readFileSync, truncateSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { fetchCheckpoint, fetchConsistency, type SignedCheckpoint, submitEnvelope } from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../packages/log-server/test/support/log.ts";
import { claim, ORIGIN, person, release } from "../../packages/log-server/test/support/statements.ts";
import { killLogProcesses, type LogProcess, startLogProcess } from "../support/log-process.ts";

// L7 to L9 against `touchmark log serve`. What takes long is in the log server's own tests (kills by the dozen, at both storages; a full disk; 10,000
// connections) and in `pnpm torture`.

const alice = person("alice");
const widget = "npm:npmjs/widget";
const claimed = claim({ [widget]: [] }, [alice]);
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await killLogProcesses();
  folder.remove();
});

const start = (): Promise<LogProcess> => startLogProcess(folder.dir, "--dir", "log", "--origin", ORIGIN);
const bytesOf = async ({ url }: LogProcess, path: string): Promise<Buffer> =>
  Buffer.from(await (await fetch(url + path)).arrayBuffer());

describe("[L7] what happens to storage", () => {
  test("kill -9 under load: nothing acknowledged is lost, and the history is one", async () => {
    const acknowledged: { envelope: Uint8Array; entries: ReadonlyMap<string, number> }[] = [];
    let newest: SignedCheckpoint | undefined;
    for (let round = 0; round < 3; round++) {
      const running = await start();
      const { log } = running;
      const now = await fetchCheckpoint(log);
      if (newest !== undefined) await fetchConsistency(log, newest, now);
      for (const { envelope, entries } of acknowledged)
        expect((await submitEnvelope(log, { envelope })).entries).toEqual(entries);
      await submitEnvelope(log, { envelope: claimed });
      const wanted = acknowledged.length + 5;
      const client = async (name: number): Promise<void> => {
        for (let i = 0; ; i++) {
          const envelope = release([`${widget}@${round}.${name}.${i}`], [alice]);
          const answer = await submitEnvelope(log, { envelope }).catch(() => undefined);
          if (answer === undefined) return;
          acknowledged.push({ envelope, entries: answer.entries });
          if (newest === undefined || answer.checkpoint.size > newest.size) newest = answer.checkpoint;
          if (acknowledged.length === wanted) void running.end("SIGKILL");
        }
      };
      await Promise.all([client(0), client(1), client(2)]);
    }
    const { log } = await start();
    await fetchConsistency(log, newest!, await fetchCheckpoint(log));
    for (const { envelope, entries } of acknowledged)
      expect((await submitEnvelope(log, { envelope })).entries).toEqual(entries);
  });

  test("a database restored from an old backup is refused, in words", async () => {
    const database = join(folder.dir, "log/log.sqlite");
    const first = await start();
    await submitEnvelope(first.log, { envelope: claimed });
    await first.end("SIGTERM");
    copyFileSync(database, join(folder.dir, "backup"));
    const second = await start();
    await submitEnvelope(second.log, { envelope: release([`${widget}@1.0.0`], [alice]) });
    await second.end("SIGTERM");
    copyFileSync(join(folder.dir, "backup"), database);
    await expect(start()).rejects.toThrow(
      /STORE_OLD.*holds 3 leaves, but a checkpoint of 5 was published.*old backup/s,
    );
  });

  test("a tile half-written is made again", async () => {
    const first = await start();
    const names = Array.from({ length: 300 }, (_, i) => [`npm:npmjs/p${i}`, []] as const);
    await submitEnvelope(first.log, { envelope: claim(Object.fromEntries(names), [alice]) });
    const tile = await bytesOf(first, "tile/0/000");
    expect(tile).toHaveLength(256 * 32);
    await first.end("SIGKILL");
    const path = join(folder.dir, "log/tile/0/000");
    truncateSync(path, 1000);
    expect(await bytesOf(await start(), "tile/0/000")).toEqual(tile);
    expect(readFileSync(path)).toEqual(tile);
  });
});

describe("[L8] who would take all of a log", () => {
  test("is bounded, and the rest is served", async () => {
    const { url, log } = await start();
    const port = Number(new URL(url).port);
    const head = "POST /submit HTTP/1.1\r\nhost: x\r\n";
    const slow = Array.from({ length: 100 }, () => connect(port, "127.0.0.1"));
    try {
      for (const socket of slow) socket.on("error", () => undefined).write(`${head}content-length: 100\r\n\r\n{`);
      expect(await firstAnswer(port, `${head}content-length: 1073741824\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
      expect(await firstAnswer(port, `${head}content-length: 3\r\n\r\n\0\0\0`)).toMatch(/^HTTP\/1\.1 400 /);
      for (let i = 0; i < 10; i++) {
        const asked = Array.from({ length: 50 }, (_, k) => fetch(`${url}tile/0/x${100 + i}/${100 + k}`));
        const statuses = (await Promise.all(asked)).map(({ status }) => status);
        expect(new Set(statuses)).toEqual(new Set([404]));
      }
      expect((await submitEnvelope(log, { envelope: claimed })).entries).toEqual(new Map([[widget, 1]]));
    } finally {
      for (const socket of slow) socket.destroy();
    }
  });
});

describe("[L9] the same statement twice", () => {
  test("from two places at once, and after a crash: one entry, the same index to all", async () => {
    const first = await start();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => submitEnvelope(first.log, { envelope: claimed })),
    );
    await first.end("SIGKILL");
    const { log } = await start();
    answers.push(await submitEnvelope(log, { envelope: claimed }));
    for (const { entries } of answers) expect(entries).toEqual(new Map([[widget, 1]]));
    expect((await fetchCheckpoint(log)).size).toBe(3); // the claim between two epoch leaves
  });
});

/** What comes back first after these bytes. */
function firstAnswer(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.setTimeout(60_000, () => socket.destroy(new Error("no answer")));
    socket.once("error", reject);
    socket.once("data", (data) => {
      socket.destroy();
      resolve(String(data));
    });
  });
}
