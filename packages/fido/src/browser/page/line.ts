import { encodeBase64Url, encodeUtf8, isObject, parseBase64Url, parseJson } from "@touchmark/core";
import {
  encodeAnswer,
  encodeCode,
  encodeErrand,
  type PageAnswer,
  type PageRequest,
  parseErrand,
  parseRequest,
} from "../messages.ts";

/** Where an answer went: to the waiting program, or to the person as a code. */
export type Delivery = { readonly to: "terminal" } | { readonly to: "person"; readonly code: string };

/** What this page was opened for. */
export interface Line {
  readonly request: PageRequest;
  /** Throws LineError. */
  deliver(answer: PageAnswer): Promise<Delivery>;
}

/** What stands between the page and the program; said to the person as it is. */
export class LineError extends Error {
  override readonly name = "LineError";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

const RUN_AGAIN = "Run the touchmark command again and open the address that it prints.";
const NEVER: Promise<never> = new Promise(() => undefined);

/**
 * Reads what the address says after `#`. On localhost that is a token for the program that serves the page, or an answer that a team's page
 * sends back; on a team's page it is the request itself. null: an answer was passed on, and there is nothing left to do. Throws LineError.
 */
export async function openLine(): Promise<Line | null> {
  const [, name = "", value = ""] = /^#(\w+)=(.*)$/.exec(location.hash) ?? [];
  if (location.hostname !== "localhost") return openErrand(name === "request" ? value : "");
  history.replaceState(null, "", "/");
  if (name === "answer") {
    await post("/answer", new TextDecoder().decode(parseBase64Url(value)));
    return null;
  }
  const known = sessionStorage.getItem("secret");
  const opened = await post("/open", JSON.stringify(name === "token" ? { token: value } : { secret: known ?? "" }));
  const { secret, request: text } = opened;
  if (typeof secret !== "string" || typeof text !== "string")
    throw new LineError("The program's answer is malformed.", RUN_AGAIN);
  sessionStorage.setItem("secret", secret);
  const request = parseRequest(text);
  if (request.page !== null) {
    location.replace(`${request.page}#request=${encodeErrand({ request, back: { origin: location.origin, secret } })}`);
    return await NEVER;
  }
  return {
    request,
    deliver: async (answer) => {
      sessionStorage.removeItem("secret");
      await post("/answer", JSON.stringify({ secret, answer: encodeAnswer(answer) }));
      return { to: "terminal" };
    },
  };
}

function openErrand(text: string): Line {
  if (text === "") throw new LineError("There is nothing to do here.", RUN_AGAIN);
  const { request, back } = readErrand(text);
  const here = `${location.origin}${location.pathname.replace(/index\.html$/, "")}`;
  if (request.page !== here) throw new LineError("This request is for another page.", RUN_AGAIN);
  return {
    request,
    deliver: async (answer) => {
      if (back === null) return { to: "person", code: encodeCode(answer) };
      const body = JSON.stringify({ secret: back.secret, answer: encodeAnswer(answer) });
      location.replace(`${back.origin}/#answer=${encodeBase64Url(encodeUtf8(body))}`);
      return await NEVER;
    },
  };
}

function readErrand(text: string): ReturnType<typeof parseErrand> {
  try {
    return parseErrand(text);
  } catch {
    throw new LineError("The address is not complete.", "Copy all of it, or let touchmark open it.");
  }
}

async function post(path: string, body: string): Promise<Record<string, unknown>> {
  let response: Response;
  try {
    response = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body });
  } catch {
    throw new LineError("Touchmark is not waiting for this any more.", RUN_AGAIN);
  }
  const value = parseJson(new Uint8Array(await response.arrayBuffer()), { bytes: 1024 * 1024, depth: 1 });
  const fields = isObject(value) ? value : {};
  if (response.ok) return fields;
  const { message, hint } = fields;
  if (typeof message !== "string" || typeof hint !== "string")
    throw new LineError("The program's answer is malformed.", RUN_AGAIN);
  throw new LineError(message, hint);
}
