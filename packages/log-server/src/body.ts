/** Request bodies, bounded one by one and all together. */
import type { IncomingMessage } from "node:http";
import { LogServerError } from "./error.ts";

/** Bytes of bodies that are being read at one time, at most. */
export type BodyBudget = { left: number };

/** The whole body. Throws `TOO_LARGE` beyond `limit`, `TOO_MANY` if all bodies together are too large, `SLOW` if it ends early. */
export async function readBody(request: IncomingMessage, limit: number, budget: BodyBudget): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      length += part.length;
      budget.left -= part.length;
      if (length > limit) throw tooLarge(limit);
      if (budget.left < 0)
        throw new LogServerError("TOO_MANY", "Too much is being sent at once.", "Send it again in a minute.");
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (error) {
    if (error instanceof LogServerError) throw error;
    throw new LogServerError("SLOW", "The request did not come to its end.", "", error);
  } finally {
    budget.left += length;
  }
}

function tooLarge(limit: number): LogServerError {
  return new LogServerError("TOO_LARGE", `The request is longer than ${limit} bytes.`);
}
