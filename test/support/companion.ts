import { equalBytes, packageIdHash } from "@touchmark/core";
import { nodeCrypto, parseEntry, parseEvidence } from "@touchmark/log";
import { encodeCompanion } from "@touchmark/verify";

/** A touchmark.lock as an install writes it, of what the log says now. `pins`: package id to authority digest. */
export async function companionText(
  logUrl: string,
  packages: Readonly<Record<string, readonly string[]>>,
  pins: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await fetch(`${logUrl}evidence`, { method: "POST", body: JSON.stringify({ packages }) });
  const evidence = parseEvidence(await answer.bytes());
  const entries = [...evidence.entries].map(([index, bytes]) => ({ index, ...parseEntry(bytes) }));
  const made = Object.entries(pins).map(([packageId, authority]) => {
    const hash = packageIdHash(nodeCrypto, packageId);
    const claim = entries.find(({ kind, packageHash }) => kind === "claim" && equalBytes(packageHash, hash));
    return [packageId, { authority, epoch: 1, entry: claim?.index ?? 0, proof: [] }] as const;
  });
  return Buffer.from(encodeCompanion({ pins: new Map(made), evidence })).toString("utf8");
}
