/** A witness as an HTTP server on `node:http`. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { cleanText } from "@touchmark/core";
import { MAX_ADD_CHECKPOINT_BYTES } from "@touchmark/log";
import { NEVER, sendAnswer } from "../answers.ts";
import { type BodyBudget, readBody } from "../body.ts";
import { limitUnsent, takeTurns, type Turns, type Unsent } from "../connections.ts";
import { LogServerError } from "../error.ts";
import { listen } from "../listen.ts";
import type { LogEvent } from "../server.ts";
import type { Witness, WitnessAnswer } from "./witness.ts";

export type WitnessServerOptions = {
  readonly witness: Witness;
  readonly onEvent?: (event: LogEvent) => void;
  /** 127.0.0.1 if left out. */
  readonly host?: string;
  /** A free one if left out. */
  readonly port?: number;
  /** Milliseconds for a whole request to arrive, 30,000 if left out. */
  readonly requestTimeout?: number;
};

export type WitnessServer = {
  readonly port: number;
  /** Takes in nothing more and finishes what is under way. The witness's store stays open. */
  readonly close: () => Promise<void>;
};

const MAX_BODIES_BYTES = 32 * 1024 * 1024;
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;
const MAX_CONNECTIONS = 4096;
const CLOSE_AFTER = 5000;
const TEXT = "text/plain; charset=utf-8";

/** Starts to listen. Rejects with the system's error if the port cannot be had. */
export async function startWitnessServer(options: WitnessServerOptions): Promise<WitnessServer> {
  const { witness, onEvent = () => undefined, requestTimeout = 30_000 } = options;
  const budget: BodyBudget = { left: MAX_BODIES_BYTES };
  const server = createServer(
    { requestTimeout, headersTimeout: Math.min(10_000, requestTimeout), connectionsCheckingInterval: 1000 },
    (request, response) => void serve(witness, budget, request, response, onEvent, turns, unsent),
  );
  const turns = takeTurns();
  const unsent = limitUnsent(MAX_UNSENT_BYTES);
  server.maxConnections = MAX_CONNECTIONS;
  server.keepAliveTimeout = 65_000;
  const port = await listen(server, options.port ?? 0, options.host ?? "127.0.0.1");

  const shutDown = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    const late = setTimeout(() => server.closeAllConnections(), CLOSE_AFTER);
    await closed;
    clearTimeout(late);
  };
  let closing: Promise<void> | undefined;
  return { port, close: () => (closing ??= shutDown()) };
}

async function serve(
  witness: Witness,
  budget: BodyBudget,
  request: IncomingMessage,
  response: ServerResponse,
  onEvent: (event: LogEvent) => void,
  turns: Turns,
  unsent: Unsent,
): Promise<void> {
  await turns(request, response);
  if (request.socket.destroyed) return;
  const begun = performance.now();
  const { method = "", url = "" } = request;
  const answer = await answerRequest(witness, budget, request).catch((error: unknown) => refusalOf(error, onEvent));
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  if (!request.complete && (length ?? coding) !== undefined) response.setHeader("connection", "close");
  response.on("error", () => response.destroy());
  unsent(request, response, sendAnswer(response, { ...answer, cache: NEVER }, method !== "HEAD"));
  const ms = Math.round(performance.now() - begun);
  onEvent({ event: "request", method, path: cleanText(url, 200), status: answer.status, ms });
}

async function answerRequest(witness: Witness, budget: BodyBudget, request: IncomingMessage): Promise<WitnessAnswer> {
  const { method = "", url = "" } = request;
  if (url === "/add-checkpoint") {
    if (method !== "POST") return { status: 405, type: TEXT, body: "This is asked for by POST.\n" };
    return witness.addCheckpoint(await readBody(request, MAX_ADD_CHECKPOINT_BYTES, budget));
  }
  const [, originHash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? [];
  const note = originHash === undefined || !isRead(method) ? undefined : witness.lastNote(originHash);
  if (note !== undefined) return { status: 200, type: TEXT, body: note };
  if (url === "/healthz" && isRead(method)) return { status: 200, type: TEXT, body: "ok\n" };
  return { status: 404, type: TEXT, body: "This witness has nothing under this name.\n" };
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function refusalOf(error: unknown, onEvent: (event: LogEvent) => void): WitnessAnswer {
  const status = error instanceof LogServerError ? STATUS[error.code] : undefined;
  if (status !== undefined) return { status, type: TEXT, body: `${(error as LogServerError).message}\n` };
  onEvent({ event: "failure", message: cleanText(String(error)), error });
  return { status: 500, type: TEXT, body: "Something went wrong inside the witness.\n" };
}

const STATUS: Partial<Record<LogServerError["code"], number>> = { TOO_LARGE: 413, TOO_MANY: 429, SLOW: 408 };
