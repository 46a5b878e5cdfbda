import { FidoError } from "../error.ts";
import { encodeErrand, type PageAnswer, type PageRequest, parseCode, type Refusal } from "./messages.ts";
import { type PageEdges, servePage } from "./serve-page.ts";

export interface BrowserEdges extends PageEdges {
  /** The browser is on another machine: asks the person for the code that the team's page shows. null: it is on this one. */
  readonly askCode: (() => Promise<string | undefined>) | null;
}

/** Has a request done in a browser; `receive` checks the answer. Throws FidoError and what `receive` throws. */
export async function askBrowser<T>(
  request: PageRequest,
  receive: (answer: Exclude<PageAnswer, { kind: "refused" }>) => T,
  edges: BrowserEdges,
): Promise<T> {
  const receiveAny = (answer: PageAnswer): T => {
    if (answer.kind === "refused") throw explainRefusal(answer.reason);
    return receive(answer);
  };
  if (edges.askCode === null) return await servePage({ request, receive: receiveAny }, edges);
  if (request.page === null)
    throw new FidoError("BAD_REQUEST", "A page on localhost cannot be used from another machine.", {
      hint: "Name your team's page with --device browser:https://HOST/, or forward the port with ssh -L and leave --paste out.",
    });
  await edges.show(`${request.page}#request=${encodeErrand({ request, back: null })}`);
  const code = await edges.askCode();
  if (code === undefined || edges.signal.aborted) throw new FidoError("CANCELLED", "No code was given.");
  return receiveAny(readCode(code));
}

function readCode(code: string): PageAnswer {
  try {
    return parseCode(code);
  } catch (cause) {
    throw new FidoError("BROWSER_GARBAGE", "This is not the code that the page shows, or not all of it.", {
      hint: "Run the command again, and copy the code with the page's own button.",
      cause,
    });
  }
}

function explainRefusal(reason: Refusal): FidoError {
  switch (reason) {
    case "cancelled":
      return new FidoError("CANCELLED", "The request was cancelled in the browser.");
    case "excluded":
      return new FidoError("CREDENTIAL_EXCLUDED", "This key is already enrolled.", {
        hint: "Enrol another key, or go on with this one.",
      });
    case "unable":
      return new FidoError("KEY_UNABLE", "The browser, or the key in it, cannot do what is asked.", {
        hint: "Use a browser of today with a passkey for P-256 (ES256), or a security key over USB.",
      });
    case "copied":
      return new FidoError("KEY_UNABLE", "Only a passkey that can be copied was offered, and hardware is asked for.", {
        hint: "The authority takes hardware keys only: use a security key.",
      });
  }
}

/** The answer to something else than what was asked. */
export function wrongAnswer(message: string): FidoError {
  return new FidoError("BROWSER_GARBAGE", message, { hint: "Run the command again; nothing was kept of this." });
}
