import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { encodeHex, encodeUtf8, isObject, parseEnvelope, parseJson } from "@touchmark/core";
import { type EarlierList, nodeCrypto } from "@touchmark/log";
import { CliError } from "../error.ts";
import { readWhole } from "../files/read-file.ts";
import { writeWhole } from "../files/write-file.ts";
import { MAX_EARLIER_FILE, parseEarlierList } from "../statements/earlier-file.ts";

// What a log could not take in yet. One file a statement in the Touchmark home, there before anybody is told that it waits; it leaves
// only when the log has answered: with its place, or with a refusal, and then it is set aside and not deleted.

/** A statement that waits for its log. `file` is where it came from, to be shown; `since` in seconds. */
export interface Waiting {
  origin: string;
  file: string;
  since: number;
  /** The envelope's bytes, as text. */
  envelope: string;
  earlier: Record<string, EarlierList> | null;
}

const FORMAT = "touchmark-outbox/v1";
const MAX_FILE = MAX_EARLIER_FILE + 1024 * 1024;

/** Puts a statement into the outbox; a newer envelope of the same statement takes the older one's place. Throws what the system throws. */
export async function queueStatement(home: string, waiting: Waiting): Promise<void> {
  await writeWhole(fileOf(home, waiting), `${JSON.stringify({ format: FORMAT, ...waiting })}\n`);
}

/** What waits for a log, the oldest first. Throws `OUTBOX_MALFORMED`. */
export function readOutbox(home: string, origin: string): Waiting[] {
  const folder = folderOf(home);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files
    .map((name) => parseWaiting(join(folder, name)))
    .filter((waiting) => waiting.origin === origin)
    .toSorted((a, b) => a.since - b.since || (a.file < b.file ? -1 : 1));
}

/** The log has it: it waits no more. */
export function leaveOutbox(home: string, waiting: Waiting): void {
  rmSync(fileOf(home, waiting), { force: true });
}

/** The log refused it for good: it is kept beside, so that nothing is lost. The path that it is kept at. */
export function setAside(home: string, waiting: Waiting): string {
  const refused = join(folderOf(home), "refused");
  mkdirSync(refused, { recursive: true });
  const path = join(refused, nameOf(waiting));
  renameSync(fileOf(home, waiting), path);
  return path;
}

function parseWaiting(file: string): Waiting {
  try {
    const value = parseJson(readWhole(file, MAX_FILE), { bytes: MAX_FILE, depth: 6 });
    if (!isObject(value)) throw new Error("it is no object");
    const { format, origin, file: from, since, envelope, earlier = null } = value;
    const texts = [origin, from, envelope].every((text) => typeof text === "string");
    if (format !== FORMAT || !texts || typeof since !== "number") throw new Error("a field is missing");
    parseEnvelope(envelope as string);
    const lists = earlier === null ? null : parseEarlierList(earlier);
    return { origin: origin as string, file: from as string, since, envelope: envelope as string, earlier: lists };
  } catch (cause) {
    throw new CliError(
      "OUTBOX_MALFORMED",
      `${file} is no statement that waits for a log.`,
      "Look at it, and move it away: the others are sent then.",
      cause,
    );
  }
}

function folderOf(home: string): string {
  return join(home, "outbox");
}

function fileOf(home: string, waiting: Waiting): string {
  return join(folderOf(home), nameOf(waiting));
}

function nameOf({ origin, envelope }: Waiting): string {
  const { payload } = parseEnvelope(envelope);
  const digest = nodeCrypto.sha256(Buffer.concat([encodeUtf8(`${origin}\n`), payload]));
  return `${encodeHex(digest).slice(0, 32)}.json`;
}
