import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { verifyEnvelope } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";

// What a log can't do without, and nothing else: it takes a submission over HTTP, checks its signatures and answers. Nothing is kept.
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { envelope } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { envelope: string };
    verifyEnvelope(nodeCrypto, envelope);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}/` })}\n`);
});
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
