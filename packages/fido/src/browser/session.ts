// One errand of the page: it is opened once with the token of its address, and answered once. The token is seen by whoever can list
// processes or read the browser's history; what opens with it is a second secret that only the page holds.
import { isObject, parseJson } from "@touchmark/core";
import { FidoError } from "../error.ts";
import { isSecret, refused } from "./guard.ts";
import { encodeRequest, type PageAnswer, type PageRequest, parseAnswer } from "./messages.ts";

export interface Session<T> {
  /** What the page's address ends in. */
  readonly token: string;
  /** What came of it. Rejects with whatever `receive` throws, or why there will be no answer. */
  readonly outcome: Promise<T>;
  /** Answers `POST /open`: the request, and the secret to answer it with. Throws BROWSER_REFUSED, BROWSER_LINK_USED. */
  readonly open: (body: string) => string;
  /** Answers `POST /answer`. Throws BROWSER_REFUSED, BROWSER_OVER, and what `receive` throws. */
  readonly answer: (body: string) => string;
  readonly fail: (error: Error) => void;
}

export interface SessionRequest<T> {
  readonly request: PageRequest;
  /** Checks the page's answer; what it throws is the outcome, and the page shows it. */
  readonly receive: (answer: PageAnswer) => T;
  readonly randomBytes: (length: number) => Uint8Array;
}

export function startSession<T>({ request, receive, randomBytes }: SessionRequest<T>): Session<T> {
  const secretOf = (): string => Buffer.from(randomBytes(32)).toString("base64url");
  const [token, secret] = [secretOf(), secretOf()];
  const { promise: outcome, resolve, reject } = Promise.withResolvers<T>();
  let state: "new" | "open" | "over" = "new";
  const fail = (error: Error): void => {
    state = "over";
    reject(error);
  };
  return {
    token,
    outcome,
    fail,
    open: (body) => {
      const fields = fieldsOf(body);
      // The page again, after a reload.
      const known = state === "open" && isSecret(fields["secret"], secret);
      if (!known && !isSecret(fields["token"], token))
        throw refused("The page's address is not the one that was given.");
      if (!known && state !== "new") {
        const error = linkUsed();
        fail(error);
        throw error;
      }
      state = "open";
      return JSON.stringify({ secret, request: encodeRequest(request) });
    },
    answer: (body) => {
      const fields = fieldsOf(body);
      if (!isSecret(fields["secret"], secret)) throw refused("The answer does not come from the page that was opened.");
      if (state === "over") throw answered();
      state = "over";
      try {
        resolve(receive(parseAnswer(String(fields["answer"]))));
        return JSON.stringify({ ok: true });
      } catch (error) {
        reject(error);
        throw error;
      }
    },
  };
}

function fieldsOf(body: string): Record<string, unknown> {
  try {
    const value = parseJson(Buffer.from(body), { bytes: body.length, depth: 1 });
    if (isObject(value)) return value;
  } catch {
    // Whatever it is, it is not from the page.
  }
  throw refused("The request cannot be read.");
}

function linkUsed(): FidoError {
  return new FidoError("BROWSER_LINK_USED", "The page's address was opened twice; nothing was done.", {
    hint: "Run the command again, and open the new address once. If it wasn't you, somebody else saw the address.",
  });
}

function answered(): FidoError {
  return new FidoError("BROWSER_OVER", "This request is over; it takes no second answer.", {
    hint: "Run the command again.",
  });
}
