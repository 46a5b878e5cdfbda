import { CoreError, encodeHex, parseStatement, type StatementSummary, summarizeStatement } from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import type { EnrollRequest, PageRequest, Refusal, SignRequest } from "../messages.ts";
import { CeremonyError, type Made, makeKey, signStatement } from "./ceremony.ts";
import { type Line, LineError, openLine } from "./line.ts";
import {
  clearStatus,
  focusTitle,
  showButtons,
  showCode,
  showNote,
  showStatus,
  showSummary,
  showTitle,
  type Summary,
} from "./view.ts";

// Another address typed over this one changes only what follows its `#`, which reloads nothing by itself.
addEventListener("hashchange", () => location.reload());
await start();

async function start(): Promise<void> {
  try {
    checkSurroundings();
    const line = await openLine();
    if (line === null) {
      showTitle("Done", "The answer went back to your terminal. You can close this tab.");
      return;
    }
    if (line.request.kind === "enroll") askToEnroll(line, line.request);
    else askToSign(line, line.request);
    performance.mark("ready");
  } catch (error) {
    showEnd(error);
  }
}

function checkSurroundings(): void {
  if (window.top !== window)
    throw new LineError("This page does not work inside of another one.", "Open it in a tab of its own.");
  if (!isSecureContext || !("PublicKeyCredential" in window))
    throw new LineError("This browser has no passkeys (WebAuthn) at this address.", "Use a browser of today.");
}

function askToEnroll(line: Line, request: EnrollRequest): void {
  const { holder, userVerification } = request;
  showTitle(`Enrol a key for ${holder}?`, "Your browser lets you choose: this device, a phone, or a security key.");
  showSummary({
    sections: [],
    facts: [
      ["holder", holder],
      ["belongs to", location.hostname],
      ["each signature", userVerification ? "with PIN or fingerprint" : "with a touch"],
    ],
    remark: "",
  });
  offer({ line, label: "Make the key", sections: [], act: (signal) => makeKey(request, signal) });
}

function askToSign(line: Line, request: SignRequest): void {
  if (request.keys.some(({ key }) => key.application !== location.hostname))
    throw new LineError("The keys that are asked for belong to another page.", "Say with --device where they are.");
  const { what, summary } = readSummary(request);
  showTitle(`Sign this ${what}?`, "Read it first. It was taken from the very bytes that are signed.");
  showSummary(summary);
  const { sections } = summary;
  offer({ line, label: `Sign the ${what}`, sections, act: (signal) => signStatement(request, signal) });
}

// What is shown is made here of the payload, and so is its digest; nobody else's summary is believed.
function readSummary({ payload }: SignRequest): { what: string; summary: StatementSummary } {
  const summary = summarizeStatement(parseStatement(nobleCrypto, payload));
  const digest = `sha256:${encodeHex(nobleCrypto.sha256(payload))}`;
  return { what: summary.what, summary: { ...summary, facts: [...summary.facts, ["statement", digest]] } };
}

interface Offer {
  readonly line: Line;
  readonly label: string;
  /** What stays in sight when it is done. */
  readonly sections: Summary["sections"];
  readonly act: (signal: AbortSignal) => Promise<Made>;
}

function offer({ line, label, sections, act }: Offer): void {
  showNote(noteFor(line.request));
  let reason: Refusal = "cancelled";
  let given = new AbortController();
  const cancel = (): void => {
    given.abort();
    void refuse(line, reason);
  };
  const ready = (text: string): void => {
    showButtons([
      { label: text, primary: true, onPress: () => void press() },
      { label: "Cancel", onPress: cancel },
    ]);
  };
  const press = async (): Promise<void> => {
    given = new AbortController();
    const { signal } = given;
    showStatus("busy", "Follow your browser: it asks for your fingerprint, PIN, phone or security key.");
    showButtons([
      { label, primary: true, disabled: true, onPress: () => undefined },
      { label: "Cancel", onPress: cancel },
    ]);
    try {
      await finish(line, sections, await act(signal));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CeremonyError)) return showEnd(error);
      ({ reason } = error);
      showStatus("bad", error.message, error.hint);
      ready("Try again");
    }
  };
  ready(label);
}

async function finish(line: Line, sections: Summary["sections"], { answer, facts }: Made): Promise<void> {
  const delivery = await line.deliver(answer);
  const done = line.request.kind === "sign" ? "Signed" : "Enrolled";
  showSummary({ sections, facts, remark: "" });
  showButtons([]);
  clearStatus();
  if (delivery.to === "terminal") {
    showTitle(done, "Your terminal goes on by itself. You can close this tab.");
    focusTitle();
    return;
  }
  showTitle(`${done}: one step is left`, "Copy the code and paste it where touchmark waits for it. It is no secret.");
  const area = showCode("Code for the terminal", delivery.code);
  showButtons([{ label: "Copy the code", primary: true, onPress: () => void copy(area) }]);
  focusTitle();
}

async function copy(area: HTMLTextAreaElement): Promise<void> {
  area.select();
  try {
    await navigator.clipboard.writeText(area.value);
    showStatus("good", "Copied.");
  } catch {
    showStatus("bad", "The browser did not let the page copy it.", "Copy the selected text yourself.");
  }
}

async function refuse(line: Line, reason: Refusal): Promise<void> {
  showButtons([]);
  clearStatus();
  try {
    await line.deliver({ kind: "refused", reason });
  } catch {
    // The program has its reason, or is gone: in both cases nothing was made.
  }
  showTitle("Cancelled", "Nothing was made, and your terminal knows it. You can close this tab.");
  showSummary({ sections: [], facts: [], remark: "" });
  focusTitle();
}

function showEnd(error: unknown): void {
  const known = error instanceof LineError || error instanceof CoreError;
  showTitle("This did not work", "Nothing was signed.");
  showSummary({ sections: [], facts: [], remark: "" });
  showStatus("bad", known ? error.message : String(error), known ? error.hint : "");
  showButtons([]);
}

function noteFor({ page }: PageRequest): string {
  return page === null
    ? "This page comes from your own computer, and its keys belong to “localhost”: any page that a program here serves could ask for them too. A page on your team’s own domain is stronger."
    : `The keys of this page belong to ${location.hostname}. Go on only if you have just run touchmark yourself.`;
}
