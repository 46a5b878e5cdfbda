import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LogEvent } from "../src/index.ts";
import { runLog, type RunningLog } from "./support/log.ts";
import { claim, person } from "./support/statements.ts";

let running: RunningLog;
const events: LogEvent[] = [];
beforeAll(async () => {
  running = await runLog({ requestTimeout: 400, onEvent: (event) => events.push(event) });
  const packages = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`npm:npmjs/p${i}`, []]));
  await running.submit(claim(packages, [person("alice")]));
});
afterAll(() => running.end());

const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(`${running.url}${path}`, init);
const post = (path: string, body: string): Promise<Response> => ask(path, { method: "POST", body });

/** Sends raw bytes and gives what came back until the other end closed. */
function raw(send: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(running.server.port, "127.0.0.1", () => send(socket));
    socket.on("data", (part) => {
      text += part.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
}

describe("what may be cached", () => {
  test.each([
    ["checkpoint", "text/plain; charset=utf-8", "no-cache"],
    ["tile/0/000", "application/octet-stream", "public, max-age=31536000, immutable"],
    ["tile/entries/000", "application/octet-stream", "public, max-age=31536000, immutable"],
    ["tile/0/000.p/7", "application/octet-stream", "public, max-age=3600"],
    ["tile/1/000.p/1", "application/octet-stream", "public, max-age=3600"],
    ["healthz", "text/plain; charset=utf-8", "no-store"],
  ])("%s", async (path, type, cache) => {
    const response = await ask(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("cache-control")).toBe(cache);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const head = await ask(path, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(response.headers.get("content-length"));
    expect(await head.text()).toBe("");
  });

  test("a partial tile is the beginning of the full one", async () => {
    for (const name of ["0", "entries"]) {
      const full = Buffer.from(await (await ask(`tile/${name}/000`)).arrayBuffer());
      const part = Buffer.from(await (await ask(`tile/${name}/000.p/7`)).arrayBuffer());
      expect(full.subarray(0, part.length)).toEqual(part);
      expect(part.length).toBeGreaterThan(7 * 31);
    }
  });
});

describe("what is not there or not asked for rightly [L-22]", () => {
  test.each([
    "",
    "nothing",
    "checkpoint/",
    "checkpoint?x=1",
    "../log.sqlite",
    "%2e%2e/log.sqlite",
    "log.sqlite",
    "tile/0/001",
    "tile/0/001.p/47",
    "tile/0/x000/000",
    "tile/2/000.p/1",
    "tile/0/x999/x999/x999/x999/999",
    "tile/entries/999",
    `envelope/${"0".repeat(64)}`,
    `envelope/${"A".repeat(64)}`,
    "envelope/..",
    `earlier/${"0".repeat(64)}`,
  ])("GET /%s is 404, and nobody may keep that", async (path) => {
    const response = await ask(path);
    expect([response.status, response.headers.get("cache-control")]).toEqual([404, "no-store"]);
    expect(await response.json()).toEqual({
      code: "UNKNOWN",
      message: "The log has nothing under this name.",
      hint: "",
    });
  });

  test("another method is 405", async () => {
    for (const [path, method] of [
      ["submit", "GET"],
      ["evidence", "PUT"],
      ["checkpoint", "POST"],
      ["tile/0/000", "DELETE"],
    ] as const) {
      const response = await ask(path, { method });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([405, "METHOD"]);
    }
  });

  test("[L-21] committees and logs can be asked for", async () => {
    const response = await post("evidence", '{"packages":{"committee:security":[],"log:log.example/main":[]}}');
    expect(response.status).toBe(200);
    expect(Object.keys(((await response.json()) as { buckets: object }).buckets).length).toBe(2);
  });

  test("[L-53] one package, or one version of it, can be asked for by GET", async () => {
    for (const [path, packages] of [
      ["npm:npmjs/a", { "npm:npmjs/a": [] }],
      ["npm:npmjs/a@1.0.0", { "npm:npmjs/a": ["1.0.0"] }],
      ["npm:npmjs/@acme/a", { "npm:npmjs/@acme/a": [] }],
      ["npm%3Anpmjs%2F%40acme%2Fa%401.0.0%2Bb", { "npm:npmjs/@acme/a": ["1.0.0+b"] }],
      ["committee:security", { "committee:security": [] }],
      ["log:log.example/main", { "log:log.example/main": [] }],
    ] as const) {
      const response = await ask(`evidence/${path}`);
      expect([path, response.status]).toEqual([path, 200]);
      expect(await response.text()).toBe(await (await post("evidence", JSON.stringify({ packages }))).text());
    }
    for (const path of ["", "a", "npm:npmjs/", "npm:npmjs/a@v1", "npm:npmjs/a%", "npm:npmjs/a?x", "committee:"])
      expect([path, (await ask(`evidence/${path}`)).status]).toEqual([path, 400]);
  });

  test.each([
    ["submit", "", 400],
    ["submit", "[]", 400],
    ["submit", "{}", 400],
    ["submit", '{"envelope":1}', 400],
    ["submit", '{"envelope":"","more":1}', 400],
    ["submit", '{"envelope":"x","envelope":"y"}', 400],
    ["submit", '{"envelope":"","earlier":[]}', 400],
    ["submit", '{"envelope":"","earlier":{"x":[]}}', 400],
    ["submit", '{"envelope":"","earlier":{"npm:npmjs/a":[["1.0.0"]]}}', 400],
    ["submit", '{"envelope":"","earlier":{"npm:npmjs/a":[["v1","00"]]}}', 400],
    ["submit", `{"envelope":${"[".repeat(1000)}`, 400],
    ["submit", `{"envelope":"${"x".repeat(3_000_000)}"}`, 413],
    ["evidence", '{"packages":[]}', 400],
    ["evidence", '{"packages":{"a":[]}}', 400],
    ["evidence", '{"packages":{"committee:":[]}}', 400],
    ["evidence", '{"packages":{"log:a b":[]}}', 400],
    ["evidence", '{"packages":{"npm:npmjs/a":"1.0.0"}}', 400],
    ["evidence", '{"packages":{"npm:npmjs/a":[1]}}', 400],
    ["evidence", `{"packages":{${Array.from({ length: 5001 }, (_, i) => `"npm:npmjs/a${i}":[]`).join()}}}`, 413],
    [
      "evidence",
      `{"packages":{"npm:npmjs/a":[${Array.from({ length: 50_001 }, (_, i) => `"1.0.${i}"`).join()}]}}`,
      413,
    ],
  ])("POST /%s with %.40s is refused", async (path, body, status) => {
    const response = await post(path, body);
    expect(response.status).toBe(status);
    const refusal = (await response.json()) as Record<string, unknown>;
    const { rule = "none", ...words } = refusal;
    expect([Object.keys(words), rule]).toEqual([
      ["code", "message", "hint"],
      expect.stringMatching(/^(?:none|[A-Z]-\d+)$/),
    ]);
  });
});

describe("[L8] hostile requests are bounded, and the rest is served", () => {
  test("a body that says it is too long is refused at once, and one that doesn't when it is", async () => {
    const said = await raw((socket) =>
      socket.write("POST /submit HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n"),
    );
    expect(said).toMatch(/^HTTP\/1\.1 413 /);
    expect(said).toContain("connection: close");
    let sent = 0;
    const unsaid = await raw((socket) => {
      socket.write("POST /submit HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
      const more = (): void => {
        sent += 65_536;
        if (socket.writable) socket.write(`10000\r\n${"x".repeat(65_536)}\r\n`, more);
      };
      more();
    });
    expect(unsaid === "" || unsaid.startsWith("HTTP/1.1 413 ")).toBe(true);
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  test("slow headers and slow bodies are cut off", async () => {
    const slowHeader = await raw((socket) => socket.write("GET /checkpoint HTTP/1.1\r\nhost:"));
    expect(slowHeader).toMatch(/^HTTP\/1\.1 408 /);
    const slowBody = await raw((socket) =>
      socket.write("POST /submit HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"),
    );
    expect(slowBody).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("rubbish is answered with 400", async () => {
    expect(await raw((socket) => socket.write("\u0000\u0001rubbish\r\n\r\n"))).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("what is logged is clean and short", async () => {
    await ask(`tile/%1b[31m${"x".repeat(1000)}`);
    await raw((socket) => socket.write("GET /\u0080\u009b31m HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    const paths = events.flatMap((event) => (event.event === "request" ? [event.path] : []));
    expect(paths.length).toBeGreaterThan(50);
    expect(paths.every((path) => /^[\u0020-\u007e…]{1,300}$/.test(path))).toBe(true);
    expect(events.filter(({ event }) => event === "failure")).toEqual([]);
  });
});
