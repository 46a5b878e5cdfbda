import { randomBytes } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { encodeBase64, parseBase64, parseUtf8 } from "@touchmark/core";
import { type Cosigner, cosigner, type CosignatureType } from "@touchmark/log";
import { CliError } from "../error.ts";
import { readIfThere } from "../files/read-file.ts";

const MAX_FILE = 4096;
const SEED_BYTES = 32;
const LINE = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+(.+)$/;

/** The cosigners whose keys lie in a witness's or auditor's folder, one a line in the form of signed-note's own tools; null if there are none. Throws `LOG_KEY_BAD`. */
export function readCosigners(directory: string): Cosigner[] | null {
  const file = join(directory, "cosigner.key");
  const bytes = readIfThere(file, MAX_FILE);
  if (bytes === null) return null;
  try {
    const lines = parseUtf8(bytes).split("\n");
    if (lines.pop() !== "" || lines.length === 0) throw new Error("it does not end in a line feed");
    return lines.map(readCosigner);
  } catch (cause) {
    throw new CliError(
      "LOG_KEY_BAD",
      `${file} is not a cosigner's key.`,
      "Restore it from a backup: nobody would count the cosignatures of another key.",
      cause,
    );
  }
}

/** Makes one key of each of these types, readable by its owner only. Throws `BAD_KEY` for a name that can't be one, and what the system throws. */
export async function makeCosigners(
  directory: string,
  name: string,
  types: readonly CosignatureType[],
): Promise<Cosigner[]> {
  const seeds = types.map((type) => ({ type, seed: Uint8Array.from(randomBytes(SEED_BYTES)) }));
  const made = seeds.map(({ type, seed }) => cosigner(name, seed, type));
  const lines = seeds.map(({ type, seed }, i) => {
    const material = encodeBase64(Uint8Array.of(type, ...seed));
    return `PRIVATE+KEY+${name}+${idOf(made[i]!)}+${material}\n`;
  });
  await mkdir(directory, { recursive: true });
  const handle = await open(join(directory, "cosigner.key"), "wx", 0o600);
  try {
    await handle.writeFile(lines.join(""));
    await handle.sync();
  } finally {
    await handle.close();
  }
  return made;
}

function readCosigner(line: string): Cosigner {
  const [, name = "", id, material = ""] = LINE.exec(line) ?? [];
  const secret = parseBase64(material);
  const made = cosigner(name, secret.subarray(1), secret[0] as CosignatureType);
  if (idOf(made) !== id) throw new Error("its id is not that of its key");
  return made;
}

function idOf({ key }: Cosigner): string {
  return key.keyId.toString(16).padStart(8, "0");
}
