import { parseEvidence } from "@touchmark/log";
import { encodeCompanion } from "@touchmark/verify";

/** A touchmark.lock as an install writes it, of what the log says now. `pins`: package id to authority digest. */
export async function companionText(
  logUrl: string,
  packages: Readonly<Record<string, readonly string[]>>,
  pins: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await fetch(`${logUrl}evidence`, { method: "POST", body: JSON.stringify({ packages }) });
  const evidence = parseEvidence(await answer.bytes());
  return Buffer.from(encodeCompanion({ pins: new Map(Object.entries(pins)), evidence })).toString("utf8");
}
