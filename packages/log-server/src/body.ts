/** Request bodies, bounded one by one and all together. */
import type { IncomingMessage } from "node:http";
import { LogServerError } from "./error.ts";

/** Bytes of bodies that there may be at one time, and how to give up those that are still coming, the oldest first. */
export type BodyBudget = { left: number; readonly coming: Set<() => void> };

export function bodyBudget(bytes: number): BodyBudget {
  return { left: bytes, coming: new Set() };
}

/**
 * The whole body. Where all bodies together are too large, whoever has been sending for the longest time is given up: a body that comes slowly holds what
 * it takes. Rejects with `TOO_LARGE` beyond `limit`, `TOO_MANY` if it is given up, `SLOW` if it ends early.
 */
export function readBody(request: IncomingMessage, limit: number, budget: BodyBudget): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > limit) return Promise.reject(tooLarge(limit));
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    let settled = false;
    const settle = (error?: LogServerError): void => {
      if (settled) return;
      settled = true;
      budget.coming.delete(giveUp);
      budget.left += length;
      if (error === undefined) return resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
      request.pause();
      parts.length = 0;
      reject(error);
    };
    const giveUp = (): void => {
      settle(new LogServerError("TOO_MANY", "Too much is being sent at once.", "Send it again in a minute."));
    };
    // Events, since an iterator over the request costs a tenth of all that a submission takes.
    request.on("data", (part: Buffer) => {
      if (settled) return;
      length += part.length;
      budget.left -= part.length;
      if (length > limit) return settle(tooLarge(limit));
      parts.push(part);
      budget.coming.add(giveUp);
      for (const oldest of budget.coming) {
        if (budget.left >= 0) break;
        oldest();
      }
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
