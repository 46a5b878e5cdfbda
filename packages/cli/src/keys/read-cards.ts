import { resolve } from "node:path";
import { type Context, usageError } from "../command.ts";
import { type CardKey, readCard } from "./key-card.ts";

/** The keys of several key cards. Throws `CARD_MALFORMED` and what the system throws. */
export function readCards(files: readonly string[], { io }: Context): CardKey[] {
  return files.flatMap((file) => readCard(resolve(io.cwd, file)));
}

/** Throws `USAGE` if a key stands on two of the cards, or twice on one. */
export function refuseTwice(keys: readonly CardKey[], command: string): void {
  const seen = new Set<string>();
  for (const { fingerprint, holder } of keys) {
    if (seen.has(fingerprint)) throw usageError(command, `A key of ${holder} stands twice: ${fingerprint}.`);
    seen.add(fingerprint);
  }
}
