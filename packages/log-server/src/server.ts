/** The log as an HTTP server on `node:http`. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { cleanText } from "@touchmark/core";
import { refusalOf, sendAnswer } from "./answers.ts";
import type { ProofChecker } from "./claim-proofs.ts";
import type { Cosigning } from "./cosigning.ts";
import { listen } from "./listen.ts";
import { answerRequest, type Service } from "./routes.ts";
import { createSequencer } from "./sequencer.ts";
import type { Store } from "./store.ts";
import { packageStates } from "./stored-states.ts";

/** What the operator's log gets: one flat object an event. `path` and `message` are cleaned. */
export type LogEvent =
  | {
      readonly event: "request";
      readonly method: string;
      readonly path: string;
      readonly status: number;
      readonly ms: number;
    }
  | { readonly event: "failure"; readonly message: string; readonly error: unknown };

export type LogServerOptions = {
  /** An open store; the server closes it. */
  readonly store: Store;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** The digest of the authority that may claim the log's own id; none may if it is left out. */
  readonly charter?: string | undefined;
  /** [L-40] Looks up proofs of first claims; without it statements with such a proof are refused. */
  readonly proofs?: ProofChecker | undefined;
  readonly onEvent?: (event: LogEvent) => void;
  /** 127.0.0.1 if left out. */
  readonly host?: string;
  /** A free one if left out. */
  readonly port?: number;
  /** The log's witnesses; the server stops asking them when it is closed. */
  readonly cosigning?: Cosigning;
  /** [L-18] Seconds without an entry after which an epoch leaf is appended; if left out 3,600, or 43,200 where the log has witnesses. */
  readonly heartbeat?: number;
  /** Seconds after which the newest checkpoint is cosigned again, 3,600 if left out. */
  readonly recosign?: number;
  /** Milliseconds between looks at the clock for the heartbeat, 30,000 if left out. */
  readonly tick?: number;
  /** Milliseconds for a whole request to arrive, 30,000 if left out. */
  readonly requestTimeout?: number;
};

export type LogServer = {
  readonly port: number;
  /** Takes in nothing more, finishes what is under way, closes the store. */
  readonly close: () => Promise<void>;
};

const MAX_BODIES_BYTES = 256 * 1024 * 1024;
const MAX_BUNDLES = 16;
const MAX_CONNECTIONS = 4096;
const KEPT_STATES = 10_000;
const CLOSE_AFTER = 5000;

/** Starts to listen. Rejects with the system's error if the port cannot be had. */
export async function startLogServer(options: LogServerOptions): Promise<LogServer> {
  const { store, clock, cosigning, onEvent = () => undefined, tick = 30_000, requestTimeout = 30_000 } = options;
  const { heartbeat = cosigning === undefined ? 3600 : 43_200, recosign = 3600 } = options;
  const onFailure = (error: unknown): void => {
    onEvent({ event: "failure", message: error instanceof Error ? cleanText(error.message) : "", error });
  };
  const states = packageStates(store, KEPT_STATES);
  const sequencer = createSequencer({ store, states, clock, charter: options.charter, cosigning, onFailure });
  const service: Service = {
    store,
    states,
    sequencer,
    budget: { left: MAX_BODIES_BYTES },
    bundles: { left: MAX_BUNDLES },
    proofs: options.proofs,
    clock,
  };
  const server = createServer(
    { requestTimeout, headersTimeout: Math.min(10_000, requestTimeout), connectionsCheckingInterval: 1000 },
    (request, response) => void serve(service, request, response, onEvent),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.keepAliveTimeout = 65_000;
  const port = await listen(server, options.port ?? 0, options.host ?? "127.0.0.1");
  const timer = setInterval(() => {
    if (store.pending() === undefined) cosigning?.refresh(store.snapshot(), recosign);
    void sequencer.heartbeat(heartbeat);
  }, tick);
  await sequencer.heartbeat(heartbeat);

  const shutDown = async (): Promise<void> => {
    clearInterval(timer);
    const closed = new Promise((resolve) => server.close(resolve));
    await sequencer.stop();
    cosigning?.stop();
    server.closeIdleConnections();
    const late = setTimeout(() => server.closeAllConnections(), CLOSE_AFTER);
    await closed;
    clearTimeout(late);
    await store.close();
  };
  let closing: Promise<void> | undefined;
  return { port, close: () => (closing ??= shutDown()) };
}

async function serve(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  onEvent: (event: LogEvent) => void,
): Promise<void> {
  const begun = performance.now();
  const { method = "", url = "" } = request;
  const answer = await answerRequest(service, request).catch((error: unknown) => {
    const refusal = refusalOf(error);
    if (refusal.status === 500) onEvent({ event: "failure", message: cleanText(String(error)), error });
    return refusal;
  });
  // A body that was not read to its end would have to be read before the next request.
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  if (!request.complete && (length ?? coding) !== undefined) response.setHeader("connection", "close");
  response.on("error", () => response.destroy());
  sendAnswer(response, answer, method !== "HEAD");
  const ms = Math.round(performance.now() - begun);
  onEvent({ event: "request", method, path: cleanText(url, 200), status: answer.status, ms });
}
