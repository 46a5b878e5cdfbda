/** A witness as an HTTP server on `node:http`. */
import type { IncomingMessage } from "node:http";
import { cleanText } from "@touchmark/core";
import { MAX_ADD_CHECKPOINT_BYTES } from "@touchmark/log";
import { type Answer, NEVER } from "../answers.ts";
import { type BodyBudget, bodyBudget, readBody } from "../body.ts";
import { limitConnections } from "../connections.ts";
import { LogServerError } from "../error.ts";
import { createHttpServer, type HttpServerOptions, type ServerEvent } from "../http-server.ts";
import type { Witness, WitnessAnswer } from "./witness.ts";

export type WitnessServerOptions = HttpServerOptions & {
  readonly witness: Witness;
  readonly onEvent?: (event: ServerEvent) => void;
  /** [L-34] Connections at one time, 4,096 if left out. */
  readonly connections?: number;
};

export type WitnessServer = {
  readonly port: number;
  /** Takes in nothing more and finishes what is under way. The witness's store stays open. */
  readonly close: () => Promise<void>;
};

const MAX_BODIES_BYTES = 32 * 1024 * 1024;
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;
const MAX_CONNECTIONS = 4096;
const TEXT = "text/plain; charset=utf-8";

/** Starts to listen. Rejects with the system's error if the port cannot be had. */
export async function startWitnessServer(options: WitnessServerOptions): Promise<WitnessServer> {
  const { witness, onEvent = () => undefined } = options;
  const budget = bodyBudget(MAX_BODIES_BYTES);
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const given = await answerRequest(witness, budget, request).catch((error: unknown) => refusalOf(error, onEvent));
    return { ...given, cache: NEVER };
  };
  const http = createHttpServer(options, { answer, answered: () => undefined, onEvent, maxUnsent: MAX_UNSENT_BYTES });
  limitConnections(http.server, options.connections ?? MAX_CONNECTIONS);
  const port = await http.listen();
  let closing: Promise<void> | undefined;
  return { port, close: () => (closing ??= http.close()) };
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

function refusalOf(error: unknown, onEvent: (event: ServerEvent) => void): WitnessAnswer {
  const status = error instanceof LogServerError ? STATUS[error.code] : undefined;
  if (status !== undefined) return { status, type: TEXT, body: `${(error as LogServerError).message}\n` };
  onEvent({ event: "failure", message: cleanText(String(error)), error });
  return { status: 500, type: TEXT, body: "Something went wrong inside the witness.\n" };
}

const STATUS: Partial<Record<LogServerError["code"], number>> = { TOO_LARGE: 413, TOO_MANY: 429, SLOW: 408 };
