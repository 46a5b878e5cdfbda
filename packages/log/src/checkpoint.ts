/** C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint) without extension lines. */
import { equalBytes } from "@touchmark/core";
import { encodeBase64, parseBase64 } from "./bytes.ts";
import { LogError } from "./error.ts";
import { emptyRoot } from "./merkle.ts";
import { encodeNote, type NoteSigner, parseNote, type VerifierKey, verifyNote } from "./note.ts";

/** `size` is the number of leaves, a safe integer; `root` is 32 bytes. */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Uint8Array };

/** A checkpoint whose signature was verified, and the note that carries it. */
export type SignedCheckpoint = Checkpoint & { readonly note: string };

/** Reads the text of a checkpoint's note. Throws `BAD_CHECKPOINT`. */
export function parseCheckpoint(text: string): Checkpoint {
  const checkpoint = parseAnyCheckpoint(text);
  if (text.split("\n").length !== 4) {
    throw new LogError("BAD_CHECKPOINT", "The checkpoint has not exactly three lines.");
  }
  // [C-13]
  if (!/^[!-*,-~]{1,128}$/.test(checkpoint.origin)) {
    throw new LogError("BAD_CHECKPOINT", "The checkpoint's origin is malformed.");
  }
  if (checkpoint.size === 0 && !equalBytes(checkpoint.root, emptyRoot())) {
    throw new LogError("BAD_CHECKPOINT", "The checkpoint of an empty tree has a root that is not the empty root.");
  }
  return checkpoint;
}

/**
 * Reads the text of any log's checkpoint, as a witness has to: with extension lines, under any origin of at most 255 bytes, and without judging the
 * root of an empty tree. Throws `BAD_CHECKPOINT`.
 */
export function parseAnyCheckpoint(text: string): Checkpoint {
  const lines = text.split("\n");
  const last = lines.pop();
  const [origin, sizeText, rootText] = lines;
  if (last !== "" || lines.includes("") || origin === undefined || sizeText === undefined || rootText === undefined) {
    throw new LogError("BAD_CHECKPOINT", "The checkpoint has fewer than three lines, or an empty one.");
  }
  if (Buffer.byteLength(origin) > 255) throw new LogError("BAD_CHECKPOINT", "The checkpoint's origin is too long.");
  const size = parseDecimal(sizeText);
  if (size === undefined) throw new LogError("BAD_CHECKPOINT", "The checkpoint's tree size is malformed.");
  const root = parseBase64(rootText);
  if (root?.length !== 32) throw new LogError("BAD_CHECKPOINT", "The checkpoint's root hash is malformed.");
  return { origin, size, root };
}

export function encodeCheckpoint(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${encodeBase64(checkpoint.root)}\n`;
}

/** Signs with the log's key; the result is a whole note. */
export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): string {
  const text = encodeCheckpoint(checkpoint);
  return encodeNote({ text, signatures: [signer.sign(text)] });
}

/**
 * Verifies that the log `key.name` signed this note. Throws `BAD_NOTE`, `UNSIGNED`, `BAD_CHECKPOINT`, or `WRONG_ORIGIN` if the checkpoint speaks for
 * another log than the key does.
 */
export function verifyCheckpoint(note: Uint8Array | string, key: VerifierKey): SignedCheckpoint {
  const bytes = typeof note === "string" ? Buffer.from(note, "utf8") : note;
  const parsed = parseNote(bytes);
  verifyNote(parsed, [key]);
  const checkpoint = parseCheckpoint(parsed.text);
  if (checkpoint.origin !== key.name) throw new LogError("WRONG_ORIGIN", "The checkpoint is of another log.");
  return { ...checkpoint, note: Buffer.from(bytes).toString("utf8") };
}

/** An ASCII decimal below 2^53 without leading zeros, or `undefined`. */
export function parseDecimal(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
