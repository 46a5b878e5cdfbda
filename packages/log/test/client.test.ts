import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import {
  encodeVerifierKey,
  fetchCheckpoint,
  fetchConsistency,
  fetchEarlier,
  fetchEnvelope,
  fetchEvidence,
  fetchTile,
  leafHash,
  type LogEndpoint,
  nodeCrypto,
  noteSigner,
  parseTilePath,
  parseVerifierKey,
  rootOfLeaves,
  signCheckpoint,
  type SignedCheckpoint,
  submitEnvelope,
  tileWidth,
  verifyCheckpoint,
} from "../src/index.ts";
import { naiveRoot, someLeaves } from "./naive.ts";

const origin = "log.example/main";
const signer = noteSigner(origin, new Uint8Array(32).fill(1));
const key = parseVerifierKey(encodeVerifierKey(signer.key));
const leaves = someLeaves(700);
const failure = (code: string): unknown => expect.objectContaining({ code });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function checkpointOf(history: readonly Uint8Array[], size = history.length): SignedCheckpoint {
  const root = naiveRoot(history.slice(0, size));
  return verifyCheckpoint(signCheckpoint({ origin, size, root }, signer), key);
}

/** A log that answers with these bodies, by path; everything else is 404. */
function logOf(answer: (path: string, body: string) => Uint8Array | string | undefined): LogEndpoint {
  return {
    url: "https://log.example/main/",
    key,
    fetch: async (url, init) => {
      const body = answer(
        url.slice("https://log.example/main/".length),
        typeof init.body === "string" ? init.body : "",
      );
      return body === undefined
        ? new Response('{"code":"x"}', { status: 404 })
        : new Response(typeof body === "string" ? body : new Uint8Array(body));
    },
  };
}

/** A log's tiles over this history; `partial` false when only full tiles are still there. */
function tilesOf(history: readonly Uint8Array[], partial = true): LogEndpoint {
  return logOf((path) => {
    const tile = parseTilePath(path);
    if (tile === undefined || tile.level === "entries" || (tile.width < 256 && !partial)) return undefined;
    const span = 256 ** tile.level;
    if (tile.width > tileWidth(history.length, tile.level, tile.index)) return undefined;
    const hashes = Array.from({ length: tile.width }, (_, i) => {
      const start = (tile.index * 256 + i) * span;
      return naiveRoot(history.slice(start, start + span));
    });
    return Buffer.concat(hashes);
  });
}

describe("a log's consistency through its tiles", () => {
  test("[V-5] any older tree is shown to be the beginning of a newer one", async () => {
    const log = tilesOf(leaves);
    for (const [older, newer] of [
      [1, 2],
      [255, 257],
      [256, 512],
      [300, 700],
      [512, 700],
      [699, 700],
      [700, 700],
    ] as const) {
      await fetchConsistency(log, checkpointOf(leaves, older), checkpointOf(leaves, newer));
    }
    const empty = checkpointOf([]);
    await fetchConsistency(log, empty, checkpointOf(leaves));
  });

  test("[V-5] two histories are a fork, and both notes are kept", async () => {
    const forged = leaves.with(5, leaves[6]!);
    for (const size of [10, 256, 700]) {
      const older = checkpointOf(leaves, size);
      const newer = checkpointOf(forged);
      await expect(fetchConsistency(tilesOf(forged), older, newer)).rejects.toThrow(
        expect.objectContaining({
          code: "FORK",
          notes: expect.objectContaining({ older: older.note, newer: newer.note }),
        }),
      );
    }
  });

  test("tiles that are not the checkpoint's prove nothing, least of all a fork", async () => {
    const forged = leaves.with(5, leaves[6]!);
    for (const size of [10, 256, 512]) {
      const check = fetchConsistency(tilesOf(forged), checkpointOf(leaves, size), checkpointOf(leaves));
      await expect(check).rejects.toThrow(failure("BAD_TILE"));
    }
  });

  test("[V-5] a smaller checkpoint is a rollback", async () => {
    const check = fetchConsistency(tilesOf(leaves), checkpointOf(leaves, 300), checkpointOf(leaves, 299));
    await expect(check).rejects.toThrow(failure("ROLLBACK"));
  });

  test("a partial tile that is gone is cut from the full one", async () => {
    const tile = await fetchTile(tilesOf(leaves, false), { level: 0, index: 1, width: 7 });
    expect(hex(tile)).toBe(hex(Buffer.concat(leaves.slice(256, 263))));
    await expect(fetchTile(tilesOf(leaves, false), { level: 0, index: 2, width: 7 })).rejects.toThrow(
      failure("NOT_FOUND"),
    );
  });
});

describe("what a log serves is checked", () => {
  test("a checkpoint by its signature", async () => {
    const { note } = checkpointOf(leaves);
    expect((await fetchCheckpoint(logOf(() => note))).size).toBe(700);
    await expect(fetchCheckpoint(logOf(() => note.replace("700", "701")))).rejects.toThrow(failure("BAD_NOTE"));
    await expect(fetchCheckpoint(logOf(() => undefined))).rejects.toThrow(failure("NOT_FOUND"));
    await expect(fetchCheckpoint(logOf(() => new Uint8Array(600_000)))).rejects.toThrow(failure("TOO_LARGE"));
  });

  test("an envelope by its hash", async () => {
    const envelope = Buffer.from("{}");
    const hash = nodeCrypto.sha256(envelope);
    const log = logOf((path) => (path === `envelope/${hex(hash)}` ? envelope : undefined));
    expect(hex(await fetchEnvelope(log, hash))).toBe(hex(envelope));
    await expect(
      fetchEnvelope(
        logOf(() => "{ }"),
        hash,
      ),
    ).rejects.toThrow(failure("WRONG_HASH"));
  });

  test("[S-15] a list of earlier versions by its root", async () => {
    const lines = [`0.9.0 ${"ab".repeat(64)}`, `1.0.0 ${"cd".repeat(64)}`];
    const root = rootOfLeaves(lines.map((line) => leafHash(Buffer.from(line))));
    const log = logOf((path) =>
      path === `earlier/${hex(root)}` ? lines.map((line) => `${line}\n`).join("") : undefined,
    );
    expect(await fetchEarlier(log, root)).toEqual([
      ["0.9.0", "ab".repeat(64)],
      ["1.0.0", "cd".repeat(64)],
    ]);
    await expect(
      fetchEarlier(
        logOf(() => `${lines[0]}\n`),
        root,
      ),
    ).rejects.toThrow(failure("WRONG_HASH"));
    await expect(
      fetchEarlier(
        logOf(() => lines.join("\n")),
        root,
      ),
    ).rejects.toThrow(failure("WRONG_HASH"));
    expect(
      await fetchEarlier(
        logOf(() => ""),
        rootOfLeaves([]),
      ),
    ).toEqual([]);
  });

  test("[L-20] a submission's answer by the checkpoint's signature and size", async () => {
    const { note } = checkpointOf(leaves);
    const envelope = Buffer.from('{"payload":"\u00e9"}');
    const answerWith = (index: unknown, checkpoint = note): LogEndpoint =>
      logOf((path, body) => {
        expect([path, JSON.parse(body)]).toEqual([
          "submit",
          { envelope: envelope.toString(), earlier: { "npm:npmjs/a": [["1.0.0", "00"]] } },
        ]);
        return JSON.stringify({ entries: { "npm:npmjs/a": index }, checkpoint });
      });
    const submission = { envelope, earlier: { "npm:npmjs/a": [["1.0.0", "00"]] } } as const;
    const answer = await submitEnvelope(answerWith(699), submission);
    expect([...answer.entries]).toEqual([["npm:npmjs/a", 699]]);
    for (const index of [700, -1, 1.5, "1", null]) {
      await expect(submitEnvelope(answerWith(index), submission)).rejects.toThrow(failure("BAD_ANSWER"));
    }
    await expect(submitEnvelope(answerWith(1, note.replace("700", "701")), submission)).rejects.toThrow(
      failure("BAD_NOTE"),
    );
    for (const strange of ["", "[]", "{}", '{"entries":1,"checkpoint":""}']) {
      await expect(
        submitEnvelope(
          logOf(() => strange),
          { envelope },
        ),
      ).rejects.toThrow(failure("BAD_ANSWER"));
    }
  });
});

describe("the network", () => {
  const servers: ReturnType<typeof createServer>[] = [];
  afterAll(() => {
    for (const server of servers) server.closeAllConnections();
    return Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  });
  const serve = async (listener: RequestListener): Promise<LogEndpoint> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, key, fetch, timeout: 300 };
  };

  test("a refusal carries the log's code and its words, cleaned", async () => {
    const log = await serve((_, response) => {
      const refusal = { code: "ALREADY_CLAIMED", message: "taken\u001b[31m", hint: "ask", rule: "S-21" };
      response.writeHead(409).end(JSON.stringify(refusal));
    });
    await expect(fetchEvidence(log, {})).rejects.toThrow(
      expect.objectContaining({
        code: "REFUSED",
        message: "The log answered 409: taken\\u{1b}[31m",
        hint: "ask",
        refusal: { status: 409, code: "ALREADY_CLAIMED", message: "taken\\u{1b}[31m", hint: "ask", rule: "S-21" },
      }),
    );
  });

  test("a refusal without words is still one", async () => {
    const log = await serve((_, response) => response.writeHead(503).end("<html>"));
    await expect(fetchCheckpoint(log)).rejects.toThrow(expect.objectContaining({ code: "REFUSED" }));
  });

  test("slow answers, slow bodies, redirects, endless bodies and dead ports end in an error each", async () => {
    const silent = await serve(() => undefined);
    await expect(fetchCheckpoint(silent)).rejects.toThrow(failure("TIMEOUT"));
    const dripping = await serve((_, response) => void response.write("x"));
    await expect(fetchCheckpoint(dripping)).rejects.toThrow(failure("TIMEOUT"));
    const moved = await serve((_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end());
    await expect(fetchCheckpoint(moved)).rejects.toThrow(failure("NETWORK"));
    const endless = await serve((_, response) => {
      const more = (): void => void (response.writable && response.write(Buffer.alloc(65_536), more));
      more();
    });
    await expect(fetchCheckpoint({ ...endless, timeout: 5000 })).rejects.toThrow(failure("TOO_LARGE"));
    await expect(fetchCheckpoint({ ...silent, url: "http://127.0.0.1:1/" })).rejects.toThrow(failure("NETWORK"));
  });

  test("the caller can stop it", async () => {
    const log = await serve(() => undefined);
    await expect(fetchCheckpoint({ ...log, signal: AbortSignal.abort() })).rejects.toThrow(failure("NETWORK"));
  });

  test.each([
    "http://log.example/",
    "https://log.example/main",
    "ftp://log.example/",
    "log.example",
    "https://log.example/?a",
  ])("[P-2] %s is no address of a log", async (url) => {
    await expect(fetchCheckpoint({ url, key, fetch })).rejects.toThrow(failure("BAD_ARGUMENT"));
  });
});
