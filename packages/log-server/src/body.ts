/** Request bodies, bounded one by one and all together. */
import type { IncomingMessage } from "node:http";
import { LogServerError } from "./error.ts";

/** Bytes of bodies that are being read at one time, at most. */
export type BodyBudget = { left: number };

/** The whole body. Rejects with `TOO_LARGE` beyond `limit`, `TOO_MANY` if all bodies together are too large, `SLOW` if it ends early. */
export function readBody(request: IncomingMessage, limit: number, budget: BodyBudget): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > limit) return Promise.reject(tooLarge(limit));
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    let settled = false;
    const settle = (error?: LogServerError): void => {
      if (settled) return;
      settled = true;
      budget.left += length;
      if (error === undefined) return resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
      request.pause();
      reject(error);
    };
    // Events, since an iterator over the request costs a tenth of all that a submission takes.
    request.on("data", (part: Buffer) => {
      if (settled) return;
      length += part.length;
      budget.left -= part.length;
      if (length > limit) settle(tooLarge(limit));
      else if (budget.left < 0)
        settle(new LogServerError("TOO_MANY", "Too much is being sent at once.", "Send it again in a minute."));
      else parts.push(part);
    });
    request.once("end", () => settle());
    request.once("error", (error) => settle(cutShort(error)));
    request.once("close", () => {
      if (!settled) settle(cutShort()); // an error is dear to make, and each request closes
    });
  });
}

function cutShort(cause?: unknown): LogServerError {
  return new LogServerError("SLOW", "The request did not come to its end.", "", cause);
}

function tooLarge(limit: number): LogServerError {
  return new LogServerError("TOO_LARGE", `The request is longer than ${limit} bytes.`);
}
