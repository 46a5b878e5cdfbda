import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, test } from "vitest";
import { createRateLimit } from "../src/rate-limit.ts";
import { runLog, type RunningLog } from "./support/log.ts";
import { askForMissingTiles } from "./support/missing-tiles.ts";
import { claim, person } from "./support/statements.ts";

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

  test("an address that asks too often is told so, and others are served", async () => {
    running = await runLog({ proxy: "127.0.0.1", rate: { perSecond: 0.001, burst: 5 } });
    const post = async (from: string): Promise<number> => {
      const headers = { "x-forwarded-for": from };
      return (await fetch(`${running!.url}evidence`, { method: "POST", headers, body: '{"packages":{}}' })).status;
    };
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++) statuses.push(await post("203.0.113.7"));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(await post("198.51.100.1, 203.0.113.8")).toBe(200);
    // Of one person's IPv6 network all addresses are one.
    for (let i = 0; i < 5; i++) await post(`2001:db8:1:2::${i}`);
    expect(await post("2001:db8:1:2:ffff::1")).toBe(429);
    expect(await post("2001:db8:1:3::1")).toBe(200);
    expect((await fetch(`${running.url}checkpoint`, { headers: { "x-forwarded-for": "203.0.113.7" } })).status).toBe(
      200,
    );
  });
});

describe("the bucket of an address", () => {
  test("fills again by time, and never beyond its burst", () => {
    const clock = { now: 0 };
    const take = createRateLimit({ perSecond: 10, burst: 3, clock: () => clock.now });
    expect([take("a"), take("a"), take("a"), take("a")]).toEqual([true, true, true, false]);
    clock.now += 100;
    expect([take("a"), take("a")]).toEqual([true, false]);
    clock.now += 1_000_000;
    expect([take("a"), take("a"), take("a"), take("a")]).toEqual([true, true, true, false]);
  });

  test("is one of so many at most", () => {
    const take = createRateLimit({ perSecond: 1, burst: 1, clock: () => 0, addresses: 3 });
    for (const address of ["a", "b", "c", "d"]) expect(take(address)).toBe(true);
    expect(take("d")).toBe(false);
    expect(take("a")).toBe(true); // forgotten
  });
});
