/** Two checkpoints that one log signed and that contradict each other, as a file that anybody can check without asking the log. */
import { equalBytes } from "@touchmark/core";
import { encodeBase64, parseBase64 } from "./bytes.ts";
import { type SignedCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { LogError, type NotePair } from "./error.ts";
import { verifyConsistency } from "./merkle.ts";
import { encodeVerifierKey, MAX_NOTE_BYTES, parseVerifierKey, type VerifierKey } from "./note.ts";

/** [M-12] Not verified; `key` is the one that the file names. */
export type Fork = NotePair & { readonly key: VerifierKey };

const FORMAT = "touchmark-fork/v1";
const BORDER = `\n${"=".repeat(40)}\n\n`;
const MAX_HASHES = 64;
export const MAX_FORK_BYTES: number = 2 * MAX_NOTE_BYTES + 64 * 1024;

export function encodeFork({ key, older, newer, prefix }: Fork): string {
  const lines = [FORMAT, `key ${encodeVerifierKey(key)}`];
  if (prefix) {
    lines.push(`root ${encodeBase64(prefix.root)}`);
    for (const hash of prefix.proof) lines.push(`proof ${encodeBase64(hash)}`);
  }
  return `${lines.join("\n")}\n${BORDER}${older}${BORDER}${newer}`;
}

/** Reads a fork's file. Throws `BAD_PROOF` for another form, `BAD_KEY`. */
export function parseFork(text: string): Fork {
  if (text.length > MAX_FORK_BYTES) throw malformed();
  const [head = "", older, newer, ...rest] = text.split(BORDER);
  const [format, keyLine = "", ...lines] = head.split("\n");
  if (format !== FORMAT || older === undefined || newer === undefined || rest.length > 0 || lines.pop() !== "") {
    throw malformed();
  }
  const key = parseVerifierKey(valueOf(keyLine, "key"));
  const [rootLine, ...proofLines] = lines;
  if (rootLine === undefined) return { key, older, newer };
  if (proofLines.length > MAX_HASHES) throw malformed();
  const prefix = {
    root: parseHash(valueOf(rootLine, "root")),
    proof: proofLines.map((line) => parseHash(valueOf(line, "proof"))),
  };
  return { key, older, newer, prefix };
}

/**
 * [M-12] The two checkpoints, if the file proves by itself that the key's owner signed two histories. Throws `BAD_PROOF` if it doesn't, and what
 * {@link verifyCheckpoint} throws.
 */
export function verifyFork({ key, older, newer, prefix }: Fork): { older: SignedCheckpoint; newer: SignedCheckpoint } {
  const pair = { older: verifyCheckpoint(older, key), newer: verifyCheckpoint(newer, key) };
  const root = prefixRoot(pair.older.size, pair.newer, prefix);
  if (equalBytes(root, pair.older.root)) throw notProven("The two checkpoints do not contradict each other.");
  return pair;
}

/** The root that the first `size` leaves of the newer tree have. */
function prefixRoot(size: number, newer: SignedCheckpoint, prefix: NotePair["prefix"]): Uint8Array {
  if (size === newer.size) return newer.root;
  if (!prefix) throw notProven("The proof of how the larger tree began is missing.");
  verifyConsistency(size, newer.size, prefix.proof, prefix.root, newer.root);
  return prefix.root;
}

function valueOf(line: string, name: string): string {
  if (!line.startsWith(`${name} `)) throw malformed();
  return line.slice(name.length + 1);
}

function parseHash(text: string): Uint8Array {
  const hash = parseBase64(text);
  if (hash?.length !== 32) throw malformed();
  return hash;
}

function malformed(): LogError {
  return new LogError("BAD_PROOF", "This is not a file about a log with two histories.");
}

function notProven(message: string): LogError {
  return new LogError("BAD_PROOF", message);
}
