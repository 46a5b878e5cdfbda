/** Bounded HTTP through an injected `fetch`. */
import { cleanText } from "@touchmark/core";
import { LogError, type Refusal } from "./error.ts";

/** The part of the global `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** `limit` in bytes of the decoded body of an answer of 200, `timeout` in milliseconds for the whole exchange. */
export type Exchange = {
  readonly url: string;
  readonly limit: number;
  readonly timeout: number;
  readonly body?: string;
  /** Of the body; JSON if left out. */
  readonly type?: string;
  readonly signal?: AbortSignal | undefined;
};

export type HttpAnswer = { readonly status: number; readonly body: Uint8Array };

/**
 * One way to do an {@link Exchange}: gives whatever is answered. The body of an answer that is not 200 is at most 64 KiB. Throws `TOO_LARGE`, `TIMEOUT`,
 * `NETWORK`. Redirects are not followed: a log is where its policy says that it is.
 */
export type Ask = (exchange: Exchange) => Promise<HttpAnswer>;

export const MAX_REFUSAL_BYTES: number = 64 * 1024;

/** The body of a 200 answer. Throws `NOT_FOUND` for 404, `REFUSED` for any other status, and what an {@link Ask} throws. */
export async function fetchBytes(fetch: Fetch, exchange: Exchange): Promise<Uint8Array> {
  const { status, body } = await fetchAnswer(fetch, exchange);
  if (status === 200) return body;
  throw refusalError(status, body);
}

/** The {@link Ask} of a `fetch`. */
export function askByFetch(fetch: Fetch): Ask {
  return (exchange) => fetchAnswer(fetch, exchange);
}

async function fetchAnswer(fetch: Fetch, exchange: Exchange): Promise<HttpAnswer> {
  // AbortSignal.timeout would leave its timer, and what that holds, until the time is over.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), exchange.timeout).unref();
  const signal = exchange.signal === undefined ? late.signal : AbortSignal.any([late.signal, exchange.signal]);
  try {
    const response = await fetch(exchange.url, { ...requestOf(exchange), redirect: "error", signal });
    const { status } = response;
    return { status, body: await readBody(response, status === 200 ? exchange.limit : MAX_REFUSAL_BYTES) };
  } catch (cause) {
    if (cause instanceof LogError) throw cause;
    if (late.signal.aborted) throw new LogError("TIMEOUT", "The log did not answer in time.", { cause });
    throw new LogError("NETWORK", "The log could not be reached.", { cause });
  } finally {
    clearTimeout(timer);
  }
}

function requestOf(exchange: Exchange): RequestInit {
  if (exchange.body === undefined) return { method: "GET" };
  return { method: "POST", body: exchange.body, headers: { "content-type": exchange.type ?? "application/json" } };
}

async function readBody(response: Response, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (response.body === null) return new Uint8Array(0);
  for await (const part of response.body) {
    length += part.length;
    if (length > limit) throw new LogError("TOO_LARGE", "The log's answer is too long.");
    parts.push(part);
  }
  return concatParts(parts, length);
}

function concatParts(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = parts;
  if (first?.length === length) return first;
  const { buffer, byteOffset } = Buffer.allocUnsafe(length); // filled at once, and thousands of small answers share memory
  const bytes = new Uint8Array(buffer, byteOffset, length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** [L-22] */
function refusalError(status: number, body: Uint8Array): LogError {
  const refusal = parseRefusal(status, body);
  const code = status === 404 ? "NOT_FOUND" : "REFUSED";
  return new LogError(code, `The log answered ${status}: ${refusal.message}`, { hint: refusal.hint, refusal });
}

function parseRefusal(status: number, body: Uint8Array): Refusal {
  let answer: unknown;
  try {
    answer = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    answer = undefined;
  }
  const textOf = (name: string, otherwise: string): string => {
    const value: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, name) : undefined;
    return typeof value === "string" ? cleanText(value) : otherwise;
  };
  return {
    status,
    code: textOf("code", ""),
    message: textOf("message", "no reason was given."),
    hint: textOf("hint", ""),
    rule: textOf("rule", ""),
  };
}
