import { createServer } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeEarlierLeaf, encodeHex } from "@touchmark/core";
import { leafHash, rootFromMultiProof } from "@touchmark/log";
import { afterEach, describe, expect, test } from "vitest";
import { bodyBudget, readBody } from "../src/body.ts";
import { limitUnsent } from "../src/connections.ts";
import type { LogServerError } from "../src/error.ts";
import { proveEarlier } from "../src/earlier-proofs.ts";
import { createRateLimit } from "../src/rate-limit.ts";
import type { StoreReads } from "../src/store-reads.ts";
import { runLog, type RunningLog } from "./support/log.ts";
import { askForMissingTiles } from "./support/missing-tiles.ts";
import { claim, earlierRoot, person, sha512Hex } from "./support/statements.ts";

const AT_ONCE = 250;

let running: RunningLog | undefined;
afterEach(() => running?.end());

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

async function hold(port: number, count: number, first = ""): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let made = 0; made < count; made += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - made) }, () => connect(port, "127.0.0.1"));
    for (const socket of some) socket.on("error", () => undefined);
    await Promise.all(
      some.map((socket) => new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))),
    );
    for (const socket of some) socket.write(first);
    sockets.push(...some);
  }
  return sockets;
}

async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isTrue()).toBe(true);
}

describe("[L8] [L-34] one who takes much leaves enough for the rest", () => {
  test("10,000 idle connections do not stop others", { timeout: 200_000 }, async () => {
    running = await runLog();
    const { port } = running.server;
    // Some say nothing, some begin a request and never end it.
    const sockets = [...(await hold(port, 5000)), ...(await hold(port, 5000, "GET /checkpoint HTTP/1.1\r\n"))];
    try {
      const begun = performance.now();
      const { entries } = await running.submit(claim({ "npm:npmjs/a": [] }, [person("alice")]));
      expect(entries.size).toBe(1);
      expect((await fetch(`${running.url}checkpoint`)).status).toBe(200);
      expect(performance.now() - begun).toBeLessThan(10_000);
      const metrics = await (await fetch(`${running.url}metrics`)).text();
      expect(Number(/^touchmark_connections (\d+)$/m.exec(metrics)?.[1])).toBeLessThanOrEqual(4097);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test("memory stays flat over requests for tiles that don't exist", { timeout: 200_000 }, async () => {
    running = await runLog();
    const { port } = running.server;
    const round = async (): Promise<number> => {
      for (let i = 0; i < 10; i++) await askForMissingTiles(port);
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    await round();
    const before = await round();
    for (let i = 0; i < 4; i++) await round();
    expect((await round()) - before).toBeLessThan(2_000_000); // 80 bytes a request
  });

  test("one packet of a thousand questions is not a thousand answers in memory", async () => {
    running = await runLog();
    const list = Array.from(
      { length: 20_000 },
      (_, i) => [`1.0.0-a${String(i).padStart(5, "0")}`, sha512Hex("")] as const,
    );
    await running.submit(claim({ "npm:npmjs/a": list }, [person("alice")]), { "npm:npmjs/a": list });
    const root = Buffer.from(earlierRoot(list).root).toString("hex");
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const [socket] = await hold(running.server.port, 1);
    socket!.pause();
    const ask = `GET /earlier/${root} HTTP/1.1\r\nhost: log\r\n\r\n`; // 2.8 MB each
    await new Promise((resolve) => socket!.write(ask.repeat(600), resolve));
    for (let i = 0; i < 5; i++) expect((await fetch(`${running.url}checkpoint`)).status).toBe(200);
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
    socket!.destroy();
  });

  test("whoever sends several questions at once gets all answers, in their order", async () => {
    running = await runLog();
    const [socket] = await hold(running.server.port, 1);
    const ask = (path: string, more = ""): string => `GET /${path} HTTP/1.1\r\nhost: log\r\n${more}\r\n`;
    socket!.write(ask("healthz") + ask("envelope/none") + ask("checkpoint", "connection: close\r\n"));
    let text = "";
    for await (const part of socket!) text += String(part);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"]);
  });

  test("a list that is that of a thousand packages is read once", async () => {
    // One by one they took the log four minutes.
    const list = Array.from(
      { length: 20_000 },
      (_, i) => [`1.0.0-a${String(i).padStart(5, "0")}`, sha512Hex("")] as const,
    );
    const { size, root } = earlierRoot(list);
    let reads = 0;
    const text = list.map((pair) => `${pair.join(" ")}\n`).join("");
    const store = { earlier: async () => (reads++, text) } as unknown as StoreReads;
    const questions = list.slice(0, 1000).map(([version], i) => ({
      packageId: `npm:npmjs/b${i}`,
      root,
      versions: [list[19_999]![0], "9.9.9", version],
    }));
    const proved = await proveEarlier(store, questions);
    expect([reads, proved.size]).toEqual([1, 1000]);
    const { versions, proof } = proved.get("npm:npmjs/b77")!.get(encodeHex(root))!;
    const leaves = [...versions].map(([index, pair]) => ({ index, hash: leafHash(encodeEarlierLeaf(...pair)) }));
    expect([...versions.keys()]).toEqual([77, 19_999]);
    expect(rootFromMultiProof(size, leaves, proof)).toEqual(root);
  });

  test("bodies that never end give way to those that come at once, the oldest first", async () => {
    const budget = bodyBudget(1_000_000);
    const server = createServer((request, response) => {
      readBody(request, 400_000, budget).then(
        (body) => response.end(String(body.length)),
        (error: LogServerError) => response.writeHead(429, { connection: "close" }).end(error.code),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const slow: Socket[] = [];
    for (let i = 0; i < 3; i++) {
      const [socket] = await hold(
        port,
        1,
        `POST / HTTP/1.1\r\nhost: log\r\ncontent-length: 330001\r\n\r\n${"x".repeat(330_000)}`,
      );
      slow.push(socket!);
      await waitFor(() => budget.left <= 1_000_000 - 330_000 * (i + 1));
    }
    const post = async (length: number): Promise<string> =>
      (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "x".repeat(length) })).text();
    expect(await post(5000)).toBe("5000");
    expect(await post(350_000)).toBe("350000");
    const [oldest] = slow;
    expect(String(await new Promise((resolve) => oldest!.once("data", resolve)))).toMatch(/ 429 .*TOO_MANY/s);
    slow[2]!.write("x");
    expect(String(await new Promise((resolve) => slow[2]!.once("data", resolve)))).toContain("330001");
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    await waitFor(() => budget.left === 1_000_000);
  });

  test("answers that nobody takes are dropped, the oldest first", async () => {
    const body = Buffer.alloc(16 * 1024 * 1024);
    const unsent = limitUnsent(3 * body.length);
    const server = createServer((request, response) => {
      response.end(body);
      unsent(request, response, body.length);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const idle: Socket[] = [];
    for (let i = 0; i < 8; i++) {
      const [socket] = await hold(port, 1, "GET / HTTP/1.1\r\nhost: log\r\n\r\n");
      socket!.pause();
      idle.push(socket!);
    }
    const read = await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
    expect(read.byteLength).toBe(body.length); // whoever takes the answer has it
    const ended = idle.map((socket) => new Promise((resolve) => socket.once("close", resolve).resume()));
    await Promise.all(ended.slice(0, 5));
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
  });

  test("an address that asks too often is told so, and others are served", async () => {
    running = await runLog({ proxy: "127.0.0.1", rate: { perSecond: 0.001, burst: 5 } });
    const post = async (from: string): Promise<number> => {
      const headers = { "x-forwarded-for": from };
      return (await fetch(`${running!.url}evidence`, { method: "POST", headers, body: '{"packages":{}}' })).status;
    };
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++) statuses.push(await post("203.0.113.7"));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const headers = { "x-forwarded-for": "203.0.113.7" };
    expect((await fetch(`${running.url}evidence/npm:npmjs/a`, { headers })).status).toBe(429);
    expect(await post("198.51.100.1, 203.0.113.8")).toBe(200);
    // Of one person's IPv6 network all addresses are one.
    for (let i = 0; i < 5; i++) await post(`2001:db8:1:2::${i}`);
    expect(await post("2001:db8:1:2:ffff::1")).toBe(429);
    expect(await post("2001:db8:1:3::1")).toBe(200);
    for (let i = 0; i < 5; i++) await post(`2001:db8::${i}:1:2:3`); // the zeros of the network are left out
    expect(await post("2001:db8:0:0:4:1:2:3")).toBe(429);
    expect(await post("2001:db8::4:1:2:3:4")).toBe(200);
    expect((await fetch(`${running.url}checkpoint`, { headers: { "x-forwarded-for": "203.0.113.7" } })).status).toBe(
      200,
    );
  });
});

describe("[L-34] what is entered for good", () => {
  test("counts by its entries and its size, and once", async () => {
    running = await runLog({ proxy: "127.0.0.1", rate: { perSecond: 0.001, burst: 100 } });
    const alice = person("alice");
    const packages = (name: string, count: number): Record<string, []> =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`npm:npmjs/${name}${i}`, []]));
    const submit = async (envelope: Uint8Array, from = "203.0.113.7", earlier = {}): Promise<number> => {
      const body = JSON.stringify({ envelope: Buffer.from(envelope).toString(), earlier });
      const headers = { "x-forwarded-for": from };
      return (await fetch(`${running!.url}submit`, { method: "POST", headers, body })).status;
    };
    const many = claim(packages("a", 60), [alice]);
    expect(await submit(many)).toBe(200);
    expect(await submit(many)).toBe(200);
    // Nobody is kept from what is worth more than there may be at all, but from more after it.
    expect(await submit(claim(packages("b", 200), [alice]))).toBe(200);
    expect(await submit(claim(packages("c", 1), [alice]))).toBe(429);
    const list = Array.from({ length: 5000 }, (_, i) => [`1.0.0-a${i + 10_000}`, sha512Hex("")] as const);
    expect(await submit(claim({ "npm:npmjs/f": list }, [alice]), "203.0.113.8", { "npm:npmjs/f": list })).toBe(200);
    expect(await submit(claim({ "npm:npmjs/g": [] }, [alice]), "203.0.113.8")).toBe(429);
  });
});

test("[L-34] a question for evidence counts by the size of its answer", async () => {
  running = await runLog({ proxy: "127.0.0.1", rate: { perSecond: 0.001, burst: 3 } });
  const list = Array.from(
    { length: 20_000 },
    (_, i) => [`1.0.0-a${String(i).padStart(5, "0")}`, sha512Hex("")] as const,
  );
  await running.submit(claim({ "npm:npmjs/a": list }, [person("alice")]), { "npm:npmjs/a": list });
  const ask = async (from: string, versions: number): Promise<number> => {
    const body = JSON.stringify({ packages: { "npm:npmjs/a": list.slice(0, versions).map(([version]) => version) } });
    const headers = { "x-forwarded-for": from };
    return (await fetch(`${running!.url}evidence`, { method: "POST", headers, body })).status;
  };
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push(await ask("203.0.113.7", 1));
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect(await ask("203.0.113.8", 20_000)).toBe(200); // over three megabytes
  expect(await ask("203.0.113.8", 1)).toBe(429);
});

describe("the bucket of an address", () => {
  test("fills again by time, and never beyond its burst", () => {
    const clock = { now: 0 };
    const { take, charge } = createRateLimit({ perSecond: 10, burst: 3, clock: () => clock.now });
    expect([take("a"), take("a"), take("a"), take("a")]).toEqual([true, true, true, false]);
    clock.now += 100;
    expect([take("a"), take("a")]).toEqual([true, false]);
    clock.now += 1_000_000;
    expect([take("a"), take("a"), take("a"), take("a")]).toEqual([true, true, true, false]);
    charge("a", 10);
    clock.now += 1000;
    expect(take("a")).toBe(false);
    clock.now += 100;
    expect([take("a"), take("a"), take("b")]).toEqual([true, false, true]);
  });

  test("is one of so many at most", () => {
    const { take } = createRateLimit({ perSecond: 1, burst: 1, clock: () => 0, addresses: 3 });
    for (const address of ["a", "b", "c", "d"]) expect(take(address)).toBe(true);
    expect(take("d")).toBe(false);
    expect(take("a")).toBe(true); // forgotten
  });
});
