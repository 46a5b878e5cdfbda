/** The log as an HTTP server on `node:http`. */
import type { IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { cleanText } from "@touchmark/core";
import { type Answer, refusalOf } from "./answers.ts";
import { bodyBudget } from "./body.ts";
import type { ProofChecker } from "./claim-proofs.ts";
import { limitConnections } from "./connections.ts";
import type { Cosigning } from "./cosigning.ts";
import type { FollowedStore } from "./follow-store.ts";
import { createHttpServer, type HttpServerOptions, type ServerEvent } from "./http-server.ts";
import { createInbox } from "./inbox.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { countedAddress, createRateLimit } from "./rate-limit.ts";
import { answerRequest, routeOf, type Service } from "./routes.ts";
import { createSequencer, type Sequencer } from "./sequencer.ts";
import type { Store } from "./store.ts";
import { createSlots } from "./slots.ts";
import { packageStates } from "./stored-states.ts";

/** As with every server of this package; `stopped`: the log can't append any more in this process, which has to be started anew. */
export type LogEvent = ServerEvent | { readonly event: "stopped" };

export type LogServerOptions = HttpServerOptions & {
  /** An open store, to write or to follow; the server closes it. */
  readonly store: Store | FollowedStore;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** The digest of the authority that may claim the log's own id; none may if it is left out. */
  readonly charter?: string | undefined;
  /** [L-40] Looks up proofs of first claims; without it statements with such a proof are refused. */
  readonly proofs?: ProofChecker | undefined;
  readonly onEvent?: (event: LogEvent) => void;
  /** The log's witnesses; the server stops asking them when it is closed. */
  readonly cosigning?: Cosigning;
  /** [L-18] Seconds without an entry after which an epoch leaf is appended; if left out 3,600, or 43,200 where the log has witnesses. */
  readonly heartbeat?: number;
  /** Seconds after which the newest checkpoint is cosigned again, 3,600 if left out. */
  readonly recosign?: number;
  /** Milliseconds between looks at the clock for the heartbeat, 30,000 if left out. */
  readonly tick?: number;
  /** Milliseconds between looks at the storage of a log that is followed, 1,000 if left out. */
  readonly follow?: number;
  /** [L-34] Submissions, by their entries and size, and questions for evidence that one address may send: a second, 50 if left out, and in one go, 500. This machine itself is not counted. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
  /** The address from which a proxy in front connects, which says in X-Forwarded-For who asks. */
  readonly proxy?: string | undefined;
  /** [L-34] Connections at one time, 4,096 if left out. */
  readonly connections?: number;
};

export type LogServer = {
  readonly port: number;
  /** Takes in nothing more, finishes what is under way, closes the store. */
  readonly close: () => Promise<void>;
};

const MAX_BODIES_BYTES = 256 * 1024 * 1024;
const MAX_BUNDLES = 16;
const LOOKUPS = 4;
const LOOKUPS_WAITING = 256;
const MAX_UNSENT_BYTES = 256 * 1024 * 1024;
const CONNECTIONS = 4096;
const RATE = { perSecond: 50, burst: 500 };
const KEPT_STATES = 10_000;

/** Starts to listen. Rejects with the system's error if the port cannot be had. */
export async function startLogServer(options: LogServerOptions): Promise<LogServer> {
  const { store, clock, cosigning, onEvent = () => undefined, proxy } = options;
  const metrics = createMetrics();
  const onFailure = (error: unknown): void => {
    metrics.countFailure();
    onEvent({ event: "failure", message: error instanceof Error ? cleanText(error.message) : "", error });
    if ("append" in store && !store.ready()) onEvent({ event: "stopped" });
  };
  const states = packageStates(store, KEPT_STATES);
  const writing = "append" in store ? startWriting({ ...options, store, onFailure, metrics }) : undefined;
  const following = "append" in store ? undefined : startFollowing(store, options.follow ?? 1000, onFailure);
  const rateLimit = createRateLimit({ ...(options.rate ?? RATE), clock: () => performance.now() });
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    try {
      return await answerRequest(service, request);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.status === 500) metrics.countFailure();
      if (refusal.status === 500) onEvent({ event: "failure", message: cleanText(String(error)), error });
      return refusal;
    }
  };
  const http = createHttpServer(options, {
    answer,
    answered: ({ url = "" }, status, ms) => metrics.countRequest(routeOf(url), status, ms),
    onEvent,
    maxUnsent: MAX_UNSENT_BYTES,
  });
  const connections = limitConnections(http.server, options.connections ?? CONNECTIONS);
  const ready = (): boolean => ("append" in store ? store.ready() : following?.ready() === true);
  const service: Service = {
    store,
    ready,
    states,
    sequencer: writing?.sequencer,
    admit: (request) => {
      const address = countedAddress(request, proxy);
      return address === undefined || rateLimit.take(address);
    },
    charge: (request, tokens) => {
      const address = countedAddress(request, proxy);
      if (address !== undefined) rateLimit.charge(address, tokens);
    },
    metrics: () =>
      metrics.text({
        size: store.checkpoint().size,
        pending: store.newest().checkpoint.size - store.checkpoint().size,
        quorumTime: cosigning && (cosigning.quorumTime(store.checkpoint().note) ?? 0),
        queue: writing?.sequencer.waiting() ?? 0,
        connections: connections.count(),
        ready: ready(),
        writer: writing !== undefined,
      }),
    budget: bodyBudget(MAX_BODIES_BYTES),
    bundles: { left: MAX_BUNDLES },
    inbox: createInbox(),
    proofs: options.proofs && inTurns(options.proofs),
    clock,
  };
  const port = await http.listen();
  await writing?.begin();

  const shutDown = async (): Promise<void> => {
    writing?.stopBeating();
    await http.close(async () => {
      await writing?.sequencer.stop();
      await following?.stop();
      cosigning?.stop();
    });
    await store.close();
  };
  let closing: Promise<void> | undefined;
  return { port, close: () => (closing ??= shutDown()) };
}

/** [L-34] A registry's document of one package may be tens of megabytes, and anybody can name a package. */
function inTurns(check: ProofChecker): ProofChecker {
  const slots = createSlots(LOOKUPS, LOOKUPS_WAITING);
  return (proof) => slots(() => check(proof));
}

type Writing = { readonly sequencer: Sequencer; readonly begin: () => Promise<void>; readonly stopBeating: () => void };

function startWriting(
  options: Omit<LogServerOptions, "store"> & {
    readonly store: Store;
    readonly onFailure: (error: unknown) => void;
    readonly metrics: Metrics;
  },
): Writing {
  const { store, clock, charter, cosigning, onFailure, metrics, tick = 30_000, recosign = 3600 } = options;
  const { heartbeat = cosigning === undefined ? 3600 : 43_200 } = options;
  const onBatch = metrics.countBatch;
  const states = packageStates(store.ahead, KEPT_STATES);
  const sequencer = createSequencer({ store, states, clock, charter, cosigning, onFailure, onBatch });
  let timer: NodeJS.Timeout | undefined;
  return {
    sequencer,
    begin: () => {
      timer = setInterval(() => {
        if (store.pending() === undefined) cosigning?.refresh(store.snapshot(), recosign);
        void sequencer.heartbeat(heartbeat);
      }, tick);
      return sequencer.heartbeat(heartbeat);
    },
    stopBeating: () => clearInterval(timer),
  };
}

type Following = { readonly ready: () => boolean; readonly stop: () => Promise<void> };

function startFollowing(store: FollowedStore, pause: number, onFailure: (error: unknown) => void): Following {
  const ended = new AbortController();
  let ready = true;
  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await delay(pause, undefined, { signal: ended.signal }).catch(() => undefined);
      try {
        if (!ended.signal.aborted) await store.follow();
        ready = true;
      } catch (error) {
        if (ready) onFailure(error);
        ready = false;
      }
    }
  };
  const running = run();
  return {
    ready: () => ready,
    stop: () => {
      ended.abort();
      return running;
    },
  };
}
