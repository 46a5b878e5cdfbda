import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  encodeFork,
  LogError,
  type NotePair,
  type SignedCheckpoint,
  verifyCheckpoint,
  type VerifierKey,
} from "@touchmark/log";
import { VerifyError } from "../errors.ts";

// The newest checkpoint that this user has seen of each log, so that a log (or whoever stands in for it) can't go back
// behind it; and the newest one that each touchmark.lock on this machine has held, so that no such file can be set back [V-5].
// One file each; a file that doesn't verify is an error, never "nothing seen yet".

/**
 * The newest checkpoint that was seen of a log, or that the touchmark.lock at the path `companion` has held; null if there was none.
 * Throws `MEMORY_UNUSABLE`.
 */
export function readRemembered(
  directory: string,
  key: VerifierKey,
  companion: string | null = null,
): SignedCheckpoint | null {
  const file = fileOf(directory, key, companion);
  let note: Buffer;
  try {
    note = readFileSync(file);
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw new VerifyError(
      "MEMORY_UNUSABLE",
      `The remembered checkpoint of ${key.name} cannot be read.`,
      `Look at ${file}`,
      cause,
    );
  }
  try {
    return verifyCheckpoint(note, key);
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    throw new VerifyError(
      "MEMORY_UNUSABLE",
      `The remembered checkpoint of ${key.name} is damaged.`,
      `Look at ${file}; remove it only if you know why it is damaged.`,
      cause,
    );
  }
}

/** Remembers a checkpoint that was verified and extends the one remembered so far; an older one changes nothing. Throws `MEMORY_UNUSABLE`. */
export function remember(
  directory: string,
  key: VerifierKey,
  checkpoint: SignedCheckpoint,
  companion: string | null = null,
): void {
  const file = fileOf(directory, key, companion);
  if (holds(file, checkpoint.note)) return; // the usual case, and what was verified needs no second look
  const before = readRemembered(directory, key, companion);
  if (before === null || before.size < checkpoint.size) writeWhole(file, checkpoint.note);
}

/** Keeps two contradicting notes as proof [M-12]; the path of the file. Throws `MEMORY_UNUSABLE`. */
export function keepFork(directory: string, key: VerifierKey, notes: NotePair): string {
  const file = join(directory, "forks", `${nameOf(key)}-${digestOf(notes.newer).slice(0, 16)}.txt`);
  writeWhole(file, encodeFork({ ...notes, key }));
  return file;
}

function fileOf(directory: string, key: VerifierKey, companion: string | null): string {
  if (companion === null) return join(directory, "checkpoints", `${nameOf(key)}.note`);
  return join(directory, "companions", digestOf(companion).slice(0, 32), `${nameOf(key)}.note`);
}

function nameOf(key: VerifierKey): string {
  return digestOf(key.name).slice(0, 32);
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(temporary, text, { flag: "wx" });
    renameSync(temporary, file);
  } catch (cause) {
    throw new VerifyError(
      "MEMORY_UNUSABLE",
      "The newest checkpoint cannot be remembered.",
      `Is ${dirname(file)} writable?`,
      cause,
    );
  }
}

function holds(file: string, text: string): boolean {
  try {
    return readFileSync(file, "utf8") === text;
  } catch {
    return false; // whatever is wrong with it, reading it in earnest says so
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
