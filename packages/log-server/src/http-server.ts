/** What a log and a witness are alike in as servers on `node:http`: how requests come in, answers go out, and the end is waited for. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { cleanText } from "@touchmark/core";
import { type Answer, sendAnswer } from "./answers.ts";
import { limitUnsent, takeTurns } from "./connections.ts";
import { listen } from "./listen.ts";

/** What the operator's log gets: one flat object an event. `path` and `message` are cleaned. */
export type ServerEvent =
  | {
      readonly event: "request";
      readonly method: string;
      readonly path: string;
      readonly status: number;
      readonly ms: number;
    }
  | { readonly event: "failure"; readonly message: string; readonly error: unknown };

export type HttpServerOptions = {
  /** 127.0.0.1 if left out. */
  readonly host?: string;
  /** A free one if left out. */
  readonly port?: number;
  /** Milliseconds for a whole request to arrive, 30,000 if left out. */
  readonly requestTimeout?: number;
};

/** What is particular to a server. */
export type Serving = {
  /** Never rejects. */
  readonly answer: (request: IncomingMessage) => Promise<Answer>;
  /** Told of each answer that goes out, and the milliseconds that it took. */
  readonly answered: (request: IncomingMessage, status: number, ms: number) => void;
  readonly onEvent: (event: ServerEvent) => void;
  /** [L-34] Bytes of answers that may wait for those who asked to take them. */
  readonly maxUnsent: number;
};

export type HttpServer = {
  readonly server: Server;
  /** Starts to listen; the port. Rejects with the system's error if it cannot be had. */
  readonly listen: () => Promise<number>;
  /** Takes in nothing more and finishes what is under way; `finish` is what else has to end, while those who asked wait for their answers. */
  readonly close: (finish?: () => Promise<void>) => Promise<void>;
};

const CLOSE_AFTER = 5000;

export function createHttpServer(options: HttpServerOptions, serving: Serving): HttpServer {
  const { host = "127.0.0.1", port = 0, requestTimeout = 30_000 } = options;
  const { answer, answered, onEvent, maxUnsent } = serving;
  const turns = takeTurns();
  const unsent = limitUnsent(maxUnsent);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    await turns(request, response);
    if (request.socket.destroyed) return;
    const begun = performance.now();
    const { method = "", url = "" } = request;
    const given = await answer(request);
    // A body that was not read to its end would have to be read before the next request.
    const { "content-length": length, "transfer-encoding": coding } = request.headers;
    if (!request.complete && (length ?? coding) !== undefined) response.setHeader("connection", "close");
    response.on("error", () => response.destroy());
    unsent(request, response, sendAnswer(response, given, method !== "HEAD"));
    const ms = Math.round(performance.now() - begun);
    answered(request, given.status, ms);
    onEvent({ event: "request", method, path: cleanText(url, 200), status: given.status, ms });
  };

  const server = createServer(
    { requestTimeout, headersTimeout: Math.min(10_000, requestTimeout), connectionsCheckingInterval: 1000 },
    (request, response) => void serve(request, response),
  );
  server.keepAliveTimeout = 65_000;
  return {
    server,
    listen: () => listen(server, port, host),
    close: async (finish = () => Promise.resolve()) => {
      const closed = new Promise((resolve) => server.close(resolve));
      await finish();
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), CLOSE_AFTER);
      await closed;
      clearTimeout(late);
    },
  };
}
