import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { FidoError } from "../error.ts";

/** Throws BROWSER_REFUSED unless the request names this very server: a name that was re-bound to loopback names another. */
export function checkHost({ headers }: IncomingMessage, origin: string): void {
  if (headers.host === undefined || `http://${headers.host}` !== origin)
    throw refused("The request is for another host than this page's.");
}

/** Throws BROWSER_REFUSED unless the page itself sent this: no other site's page, form or script. */
export function checkSameOrigin({ headers }: IncomingMessage, origin: string): void {
  if (headers.origin !== origin) throw refused("The request comes from another page.");
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") throw refused("The request comes from another site.");
  // Only a script can send this type, and a script of another origin would be stopped by its browser before.
  if (headers["content-type"] !== "application/json") throw refused("The request is not of the page's own kind.");
}

export function isSecret(given: unknown, secret: string): boolean {
  const [left, right] = [Buffer.from(typeof given === "string" ? given : ""), Buffer.from(secret)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The body as text. Throws BROWSER_REFUSED above the limit. */
export async function readBody(request: IncomingMessage, most: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > most) throw refused("The request is too long.");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

export function refused(message: string): FidoError {
  return new FidoError("BROWSER_REFUSED", message, { hint: "Use the page that Touchmark opened." });
}
