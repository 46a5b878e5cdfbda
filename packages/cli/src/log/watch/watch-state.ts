import { createHash } from "node:crypto";
import { join } from "node:path";
import { encodeBase64, isObject, type JsonObject, parseBase64, parseJson } from "@touchmark/core";
import { concatDigests, digestsFromBytes, NO_PEAKS, type Peaks, type VerifierKey } from "@touchmark/log";
import { CliError } from "../../error.ts";
import { readIfThere } from "../../files/read-file.ts";
import { writeWhole } from "../../files/write-file.ts";

/** How far a watcher has read, what it knows of keys, and which alerts have not got through yet. */
export interface WatchState {
  peaks: Peaks;
  /** The note of the last checkpoint that was read to its end; null before the first. */
  note: string | null;
  /** Key records and fingerprints of the packages' authorities so far. */
  keys: string[];
  /** Events that `--exec` or the webhook have not taken yet, the oldest first. */
  undelivered: JsonObject[];
}

const FORMAT = "touchmark-watch/v1";
const MAX_FILE = 16 * 1024 * 1024;

/** Where the state of a watch over these packages of a log lies. */
export function watchFile(home: string, key: VerifierKey, packages: readonly string[]): string {
  const name = createHash("sha256")
    .update([key.name, ...packages.toSorted()].join("\n"))
    .digest("hex");
  return join(home, "watch", `${name.slice(0, 32)}.json`);
}

/** The state in a file; nothing was read yet if there is none. Throws `WATCH_MALFORMED`. */
export function readWatch(file: string): WatchState {
  const bytes = readIfThere(file, MAX_FILE);
  if (bytes === null) return { peaks: NO_PEAKS, note: null, keys: [], undelivered: [] };
  try {
    const value = parseJson(bytes, { bytes: MAX_FILE });
    if (!isObject(value) || value["format"] !== FORMAT) throw new Error("it is of another form");
    const { size, peaks, note, keys, undelivered } = value;
    const texts = Array.isArray(keys) && keys.every((key) => typeof key === "string");
    const events = Array.isArray(undelivered) && undelivered.every(isObject);
    if (typeof size !== "number" || typeof peaks !== "string" || typeof note !== "string" || !texts || !events) {
      throw new Error("a field is missing");
    }
    return { peaks: { size, digests: digestsFromBytes(parseBase64(peaks)) }, note, keys, undelivered };
  } catch (cause) {
    throw new CliError(
      "WATCH_MALFORMED",
      `${file} cannot be used: ${cause instanceof Error ? cause.message : ""}`,
      "Remove it; the log is then read from its beginning.",
      cause,
    );
  }
}

export async function writeWatch(file: string, { peaks, note, keys, undelivered }: WatchState): Promise<void> {
  const { size, digests } = peaks;
  const document = { format: FORMAT, size, peaks: encodeBase64(concatDigests(digests)), note, keys, undelivered };
  await writeWhole(file, `${JSON.stringify(document)}\n`);
}
