import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { MAX_REFUSAL_BYTES } from "@touchmark/log";
import { askWitness } from "../src/ask-witness.ts";

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

async function serve(listener: RequestListener): Promise<{ url: string; sockets: Set<Socket> }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  ended.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/add-checkpoint`, sockets };
}

const exchange = { body: "old 0\n", type: "text/plain", limit: 1000, timeout: 5000 };

describe("[Q-25] a witness is asked", () => {
  test("by POST, over one connection", async () => {
    const { url, sockets } = await serve((request, response) => {
      expect(request.headers["content-type"]).toBe("text/plain");
      response.statusCode = request.method === "POST" ? 200 : 405;
      request.pipe(response);
    });
    for (const body of ["old 1\n", "old 2\n", "ä"]) {
      const answer = await askWitness({ ...exchange, url, body });
      expect([answer.status, Buffer.from(answer.body).toString("utf8")]).toEqual([200, body]);
    }
    expect(sockets.size).toBe(1);
  });

  test("and anything else than 200 is handed on, a redirect too", async () => {
    const { url } = await serve((_, response) => response.writeHead(302, { location: "/elsewhere" }).end("there"));
    expect((await askWitness({ ...exchange, url })).status).toBe(302);
  });

  test("for at most as many bytes as the limit", async () => {
    const { url } = await serve((_, response) => response.end("x".repeat(1001)));
    await expect(askWitness({ ...exchange, url })).rejects.toMatchObject({ code: "TOO_LARGE" });
    expect((await askWitness({ ...exchange, url, limit: 1001 })).body.length).toBe(1001);
    const refusing = await serve((_, response) => response.writeHead(500).end("x".repeat(MAX_REFUSAL_BYTES + 1)));
    await expect(askWitness({ ...exchange, url: refusing.url })).rejects.toMatchObject({ code: "TOO_LARGE" });
  });

  test("for so long, however much comes", async () => {
    const closed = Promise.withResolvers<void>();
    const { url } = await serve((_, response) => {
      const timer = setInterval(() => response.write("x"), 10);
      response.once("close", () => {
        clearInterval(timer);
        closed.resolve();
      });
    });
    await expect(askWitness({ ...exchange, url, timeout: 100 })).rejects.toMatchObject({ code: "TIMEOUT" });
    await closed.promise;
  });

  test("until it is called off", async () => {
    const { url } = await serve(() => undefined);
    const off = new AbortController();
    const asked = askWitness({ ...exchange, url, signal: off.signal });
    setImmediate(() => off.abort());
    await expect(asked).rejects.toMatchObject({ code: "NETWORK" });
    await expect(askWitness({ ...exchange, url, signal: off.signal })).rejects.toMatchObject({ code: "NETWORK" });
  });

  test("and one that is away, or goes away in the middle, could not be reached", async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("five!", () => response.destroy());
    });
    await expect(askWitness({ ...exchange, url })).rejects.toMatchObject({ code: "NETWORK" });
    await expect(askWitness({ ...exchange, url: "http://127.0.0.1:1/" })).rejects.toMatchObject({ code: "NETWORK" });
  });
});
