/**
 * Asking witnesses over connections that are kept. `fetch` would do, but what it makes of two small requests a batch costs a log as much as admitting some of
 * its statements. Trust assumption: none; whoever asks verifies what is answered.
 */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { type Ask, type Exchange, type HttpAnswer, LogError, MAX_REFUSAL_BYTES } from "@touchmark/log";

/** The whole exchange is over, and its connection ended, when the time or `signal` says so. */
export const askWitness: Ask = async (exchange) => {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const sent = requestOf(exchange);
  const fail = (error: Error): void => {
    sent.destroy();
    reject(error);
  };
  const timer = setTimeout(
    () => fail(new LogError("TIMEOUT", "The witness did not answer in time.")),
    exchange.timeout,
  ).unref();
  const lost = (cause?: unknown): void => fail(new LogError("NETWORK", "The witness could not be reached.", { cause }));
  const end = (): void => lost(exchange.signal?.reason);
  if (exchange.signal?.aborted) end();
  exchange.signal?.addEventListener("abort", end, { once: true });
  sent.on("error", lost);
  sent.once("response", (response) => readAnswer(response, exchange.limit, resolve, fail, lost));
  sent.end(exchange.body);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    exchange.signal?.removeEventListener("abort", end);
  }
};

/** By Node's own agents, which keep connections and know of the proxies that the environment names where Node was told to look. */
function requestOf({ url, body, type = "application/json" }: Exchange): ReturnType<typeof requestHttp> {
  const request = url.startsWith("https:") ? requestHttps : requestHttp;
  if (body === undefined) return request(url);
  return request(url, {
    method: "POST",
    headers: { "content-type": type, "content-length": Buffer.byteLength(body) },
  });
}

function readAnswer(
  response: IncomingMessage,
  limit: number,
  resolve: (answer: HttpAnswer) => void,
  fail: (error: Error) => void,
  lost: (cause?: unknown) => void,
): void {
  const { statusCode: status = 0 } = response;
  const most = status === 200 ? limit : MAX_REFUSAL_BYTES;
  const parts: Buffer[] = [];
  let length = 0;
  response.on("data", (part: Buffer) => {
    length += part.length;
    if (length > most) fail(new LogError("TOO_LARGE", "The witness's answer is too long."));
    else parts.push(part);
  });
  response.once("error", lost);
  response.once("end", () => resolve({ status, body: Buffer.concat(parts) }));
}
