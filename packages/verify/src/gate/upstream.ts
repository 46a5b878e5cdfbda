import { setTimeout as sleep } from "node:timers/promises";
import { cleanText } from "@touchmark/core";
import { VerifyError } from "../errors.ts";
import { baseOf } from "../npm/registry-address.ts";

/** A registry behind the gate. */
export interface Upstream {
  /** The policy's name for it, which package ids are made of. */
  name: string;
  url: string;
  /** An `Authorization` header that it gets from the gate. Without one the client's own is passed on. */
  authorization?: string;
  /** Further origins (`https://host:port`) that it serves tarballs from. They get no credentials. */
  tarballOrigins?: readonly string[];
}

/** The network: global `fetch`, or what stands in for it. */
export type FetchEdge = (url: string, init: RequestInit) => Promise<Response>;

export interface UpstreamRequest {
  url: URL;
  method: "GET" | "POST";
  headers: Record<string, string>;
  authorization: string | undefined;
  body?: Uint8Array;
  /** Gives up when the gate closes. */
  signal: AbortSignal;
}

const MAX_REDIRECTS = 5;
const RETRY_AFTER = [250, 1000]; // milliseconds; the clients are told not to try again themselves
const TIME_OUT = 15 * 60_000;

/**
 * Asks a registry. Follows redirects, never from https to http, and drops the credentials when the origin changes. Network failures and answers from 500
 * on are tried again. Throws `UPSTREAM_UNREACHABLE`, `UPSTREAM_ANSWER`.
 */
export async function askUpstream(
  fetchEdge: FetchEdge,
  upstream: Upstream,
  request: UpstreamRequest,
): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const wait = request.method === "GET" ? RETRY_AFTER[attempt] : undefined;
    try {
      const response = await follow(fetchEdge, upstream, request);
      if (response.status < 500 || wait === undefined) return response;
      await response.body?.cancel();
    } catch (cause) {
      if (cause instanceof VerifyError) throw cause;
      if (wait === undefined || request.signal.aborted) throw unreachable(request.url, cause);
    }
    await sleep(wait, undefined, { signal: request.signal }).catch(() => undefined);
  }
}

/** The whole body, or `undefined` if it is over `limit` bytes. Throws `UPSTREAM_UNREACHABLE`. */
export async function readBody(response: Response, limit: number): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const piece of bodyOf(response)) {
    total += piece.length;
    if (total > limit) return undefined; // leaving the loop cancels the body
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** The body piece by piece. Throws `UPSTREAM_UNREACHABLE` where it breaks off. */
export async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  if (!response.body) return;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw unreachable(new URL(response.url || "about:blank"), cause);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The address of a path of the registry's own. */
export function upstreamUrl(upstream: Upstream, path: string): URL {
  const base = baseOf(upstream.url);
  return new URL(base.pathname + path, base);
}

/** The exact host rule: the registry's own origin and path, or an origin that is named for it. */
export function servesTarball(upstream: Upstream, url: URL): boolean {
  if (url.username !== "" || url.password !== "" || url.hash !== "") return false;
  const base = baseOf(upstream.url);
  return url.origin === base.origin || (upstream.tarballOrigins ?? []).includes(url.origin);
}

async function follow(fetchEdge: FetchEdge, upstream: Upstream, request: UpstreamRequest): Promise<Response> {
  const home = baseOf(upstream.url).origin;
  const authorization = upstream.authorization ?? request.authorization;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIME_OUT)]);
  let url = request.url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers = {
      ...request.headers,
      ...(authorization !== undefined && url.origin === home ? { authorization } : {}),
    };
    const body = request.body ? { body: Buffer.from(request.body) } : {};
    const response = await fetchEdge(url.href, {
      method: request.method,
      headers,
      redirect: "manual",
      signal,
      ...body,
    });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null || request.method !== "GET")
      return response;
    await response.body?.cancel();
    url = redirected(url, location);
  }
  throw new VerifyError("UPSTREAM_ANSWER", `${request.url.host} redirects more than ${MAX_REDIRECTS} times.`);
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const safe = to && (to.protocol === "https:" || (to.protocol === "http:" && from.protocol === "http:"));
  if (!safe) {
    throw new VerifyError(
      "UPSTREAM_ANSWER",
      `${from.host} redirects to ${JSON.stringify(cleanText(location, 120))}, which is not followed.`,
    );
  }
  return to;
}

function unreachable(url: URL, cause: unknown): VerifyError {
  return new VerifyError(
    "UPSTREAM_UNREACHABLE",
    `The registry ${cleanText(url.host)} can't be reached: ${causeOf(cause)}.`,
    "Check the network and the registry's address.",
    cause,
  );
}

/** `fetch` hides the reason in the cause of its "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown reason";
  return error.cause instanceof Error ? causeOf(error.cause) : cleanText(error.message || error.name, 120);
}
