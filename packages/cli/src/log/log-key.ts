import { randomBytes } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { encodeBase64, isLogOrigin, parseBase64, parseUtf8 } from "@touchmark/core";
import { NOTE_ED25519, type NoteSigner, noteSigner } from "@touchmark/log";
import { CliError } from "../error.ts";
import { readIfThere } from "../files/read-file.ts";

const MAX_FILE = 1024;
const SEED_BYTES = 32;

/** The signer whose key lies in a log's folder, in the form that signed-note's own tools write; null if there is none. Throws `LOG_KEY_BAD`. */
export function readLogKey(directory: string): NoteSigner | null {
  const file = join(directory, "log.key");
  const bytes = readIfThere(file, MAX_FILE);
  if (bytes === null) return null;
  try {
    const [, name = "", id, material = ""] =
      /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+(.+)\n$/.exec(parseUtf8(bytes)) ?? [];
    const secret = parseBase64(material);
    if (secret[0] !== NOTE_ED25519) throw new Error("it is of an unknown form");
    const signer = noteSigner(name, secret.subarray(1));
    if (signer.key.keyId.toString(16).padStart(8, "0") !== id) throw new Error("its id is not that of its key");
    return signer;
  } catch (cause) {
    throw new CliError(
      "LOG_KEY_BAD",
      `${file} is not a log's key.`,
      "Restore it from a backup: a log cannot go on without its key.",
      cause,
    );
  }
}

/** Makes the key of a new log, readable by its owner only. Throws `USAGE` for a bad origin and what the system throws. */
export async function makeLogKey(directory: string, origin: string): Promise<NoteSigner> {
  if (!isLogOrigin(origin)) {
    throw new CliError(
      "USAGE",
      "The log's origin is malformed.",
      "It is 1 to 128 printable characters without space and +, as log.example/main.",
    );
  }
  const seed = Uint8Array.from(randomBytes(SEED_BYTES));
  const signer = noteSigner(origin, seed);
  const id = signer.key.keyId.toString(16).padStart(8, "0");
  await mkdir(directory, { recursive: true });
  const handle = await open(join(directory, "log.key"), "wx", 0o600);
  try {
    await handle.writeFile(`PRIVATE+KEY+${origin}+${id}+${encodeBase64(Uint8Array.of(NOTE_ED25519, ...seed))}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return signer;
}
