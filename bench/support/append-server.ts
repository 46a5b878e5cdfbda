import { open } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { createStore, openFolder } from "@touchmark/log-server";
import { LARGE_SIGNER } from "./large-log.ts";
import { READY_TIME, readyStatement } from "./ready-statements.ts";

// append-server.ts store|file PATH: takes bodies over HTTP and answers when they are durable, as many in one batch as are there. Nothing is checked.
const [kind, path] = process.argv.slice(2) as ["store" | "file", string];
const { append, close } = kind === "store" ? await overStore() : await overFile();

type Target = { append: (bodies: Buffer[]) => Promise<void>; close: () => Promise<void> };

async function overStore(): Promise<Target> {
  const store = await createStore(await openFolder(path, true), LARGE_SIGNER, READY_TIME);
  return {
    append: async (bodies) => {
      const { size } = store.checkpoint();
      const { note } = await store.append(
        bodies.map((body, i) => readyStatement(body, size + i)),
        READY_TIME,
      );
      await store.publish(note);
    },
    close: () => store.close(),
  };
}

async function overFile(): Promise<Target> {
  const file = await open(path, "a");
  return {
    append: async (bodies) => {
      await file.writeFile(Buffer.concat(bodies));
      await file.datasync();
    },
    close: () => file.close(),
  };
}

const waiting: { body: Buffer; response: ServerResponse }[] = [];
let working = false;

async function workOff(): Promise<void> {
  if (working) return;
  working = true;
  while (waiting.length > 0) {
    await setImmediate();
    const batch = waiting.splice(0);
    await append(batch.map(({ body }) => body));
    for (const { response } of batch) response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }
  working = false;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    waiting.push({ body: Buffer.concat(chunks), response });
    void workOff();
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}/` })}\n`);
});
process.once("SIGTERM", () => {
  server.close(() => void close());
  server.closeAllConnections();
});
