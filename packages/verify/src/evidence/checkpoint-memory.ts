import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LogError, type NotePair, type SignedCheckpoint, verifyCheckpoint, type VerifierKey } from "@touchmark/log";
import { VerifyError } from "../errors.ts";

// The newest checkpoint that this user has seen of each log, so that a log (or whoever stands in for it) can't go back
// behind it [V-5]. One file a log; a file that doesn't verify is an error, never "nothing seen yet".

/** The remembered checkpoint of a log, or null if none was ever seen. Throws `MEMORY_UNUSABLE`. */
export function readRemembered(directory: string, key: VerifierKey): SignedCheckpoint | null {
  const file = fileOf(directory, key);
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
export function remember(directory: string, key: VerifierKey, checkpoint: SignedCheckpoint): void {
  const before = readRemembered(directory, key);
  if (before === null || before.size < checkpoint.size) writeWhole(fileOf(directory, key), checkpoint.note);
}

/** Keeps two contradicting notes as proof [V-5]; the path of the file. Throws `MEMORY_UNUSABLE`. */
export function keepFork(directory: string, key: VerifierKey, notes: NotePair): string {
  const file = join(
    directory,
    "forks",
    `${nameOf(key)}-${createHash("sha256").update(notes.newer).digest("hex").slice(0, 16)}.txt`,
  );
  writeWhole(file, `${notes.older}\n${"=".repeat(40)}\n\n${notes.newer}`);
  return file;
}

function fileOf(directory: string, key: VerifierKey): string {
  return join(directory, "checkpoints", `${nameOf(key)}.note`);
}

function nameOf(key: VerifierKey): string {
  return createHash("sha256").update(key.name).digest("hex").slice(0, 32);
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

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
