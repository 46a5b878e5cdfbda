import type { ServerResponse } from "node:http";
import { cleanText } from "@touchmark/core";
import type { Refusal } from "./decision.ts";

/**
 * 403 is the one status that no client tries again, and each shows another part of it: npm the reason phrase, the body and the notice, pnpm and yarn the phrase.
 */
export function answerRefusal(response: ServerResponse, refusal: Refusal): void {
  const release = refusal.version === undefined ? refusal.name : `${refusal.name}@${refusal.version}`;
  const text = `Refused by touchmark: ${release}: ${refusal.reason} (${refusal.code})`;
  answerJson(
    response,
    403,
    { error: refusal.hint === "" ? text : `${text} - ${refusal.hint}` },
    { "npm-notice": headerText(text) },
    headerText(text),
  );
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  phrase?: string,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const bytes = Buffer.from(JSON.stringify(body));
  const all = {
    "content-type": "application/json",
    "content-length": bytes.length,
    "cache-control": "no-store",
    ...headers,
  };
  if (phrase === undefined) response.writeHead(status, all);
  else response.writeHead(status, phrase, all);
  response.end(bytes);
}

/** Header values and reason phrases are printable ASCII. */
function headerText(text: string): string {
  return cleanText(text, 300).replace(/[^\x20-\x7e]/gu, "?");
}
