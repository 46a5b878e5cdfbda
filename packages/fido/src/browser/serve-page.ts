// Loopback only, for as long as one errand takes. The name in the address must be `localhost`, since a browser has no rpId for digits.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CoreError } from "@touchmark/core";
import { FidoError } from "../error.ts";
import { checkHost, checkSameOrigin, readBody, refused } from "./guard.ts";
import { MAX_ANSWER } from "./messages.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";
import { type Session, type SessionRequest, startSession } from "./session.ts";

export interface PageEdges {
  /** The page is ready at this address: tell the person, open it for them. */
  readonly show: (url: string) => void | Promise<void>;
  /** Fires when the person gives up. */
  readonly signal: AbortSignal;
  /** Milliseconds until nobody is waited for any more. */
  readonly timeout: number;
  readonly randomBytes: (length: number) => Uint8Array;
}

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Serves the page for one request and gives what came of it. Throws FidoError (CANCELLED, TOUCH_TIMEOUT, BROWSER_…) and what `receive` throws. */
export async function servePage<T>(errand: Omit<SessionRequest<T>, "randomBytes">, edges: PageEdges): Promise<T> {
  if (edges.signal.aborted) throw cancelled();
  const session = startSession<T>({ ...errand, randomBytes: edges.randomBytes });
  const files = readPageFiles();
  const { servers, port } = await listen((origin, request, response) => {
    void respond({ origin, request, response, session, files });
  });
  const given = (): void => session.fail(cancelled());
  const late = setTimeout(() => session.fail(timedOut(edges.timeout)), edges.timeout);
  edges.signal.addEventListener("abort", given, { once: true });
  try {
    const [outcome] = await Promise.all([
      session.outcome,
      edges.show(`http://localhost:${port}/#token=${session.token}`),
    ]);
    return outcome;
  } finally {
    clearTimeout(late);
    edges.signal.removeEventListener("abort", given);
    await Promise.all(servers.map(close));
  }
}

interface Exchange {
  readonly origin: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly session: Session<unknown>;
  readonly files: ReadonlyMap<string, PageFile>;
}

async function respond({ origin, request, response, session, files }: Exchange): Promise<void> {
  try {
    checkHost(request, origin);
    const { method, url = "/" } = request;
    if (method === "GET") {
      const file = files.get(url === "/" ? "index.html" : url.slice(1));
      if (file === undefined) send(response, 404, "text/plain", "There is no such file.\n");
      else send(response, 200, file.type, file.body);
      return;
    }
    const act = url === "/open" ? session.open : session.answer;
    if (method !== "POST" || (url !== "/open" && url !== "/answer")) throw refused("The page has no such request.");
    checkSameOrigin(request, origin);
    const body = await readBody(request, 2 * MAX_ANSWER);
    response.setHeader("connection", "close"); // it may be the last one
    send(response, 200, "application/json", act(body));
  } catch (error) {
    const { code, message, hint } = error instanceof CoreError || error instanceof FidoError ? error : unreadable();
    send(response, code === "BROWSER_OVER" ? 409 : 403, "application/json", JSON.stringify({ code, message, hint }));
  }
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { ...HEADERS, "content-type": type }).end(body);
}

type Listener = (origin: string, request: IncomingMessage, response: ServerResponse) => void;

// Both loopback addresses at one port: a browser may try either for `localhost`, and what listens at the other must not be somebody else.
async function listen(listener: Listener): Promise<{ servers: Server[]; port: number }> {
  for (let attempt = 0; attempt < 8; attempt++) {
    const first = await listenAt("127.0.0.1", 0, listener);
    if (typeof first === "string") throw unreachable(first);
    const { port } = first.address() as AddressInfo;
    const second = await listenAt("::1", port, listener);
    if (second === "EADDRINUSE") await close(first);
    else return { servers: typeof second === "string" ? [first] : [first, second], port };
  }
  throw unreachable("EADDRINUSE");
}

/** The server, or the code of the system's error. */
async function listenAt(host: string, port: number, listener: Listener): Promise<Server | string> {
  const { promise, resolve } = Promise.withResolvers<Server | string>();
  const server = createServer({ requestTimeout: 30_000, maxHeaderSize: 16 * 1024 }, (request, response) => {
    listener(`http://localhost:${(server.address() as AddressInfo).port}`, request, response);
  });
  server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  server.listen(port, host, () => resolve(server));
  return promise;
}

// An answer on its way is let out first.
async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const rest = setTimeout(() => server.closeAllConnections(), 1000);
  await promise;
  clearTimeout(rest);
}

function cancelled(): FidoError {
  return new FidoError("CANCELLED", "The request to the browser was cancelled.");
}

function timedOut(milliseconds: number): FidoError {
  const wait =
    milliseconds < 60_000 ? `${milliseconds / 1000} seconds` : `${Math.round(milliseconds / 60_000)} minutes`;
  return new FidoError("TOUCH_TIMEOUT", `Nobody answered in the browser within ${wait}.`, {
    hint: "Run the command again and follow the page that opens.",
  });
}

function unreachable(code: string): FidoError {
  return new FidoError("BROWSER_UNREACHABLE", `No port of this machine can be opened for the browser (${code}).`, {
    hint: "Use a security key over USB, or your team's page with --paste.",
  });
}

function unreadable(): FidoError {
  return new FidoError("BROWSER_REFUSED", "The request cannot be read.");
}
