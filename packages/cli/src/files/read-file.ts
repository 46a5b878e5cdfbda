import { open } from "node:fs/promises";
import { cleanText } from "@touchmark/core";
import { CliError } from "../error.ts";

/** The bytes of a file of at most `limit` bytes. Throws `FILE_TOO_LARGE` and what the system throws. */
export async function readWhole(path: string, limit: number): Promise<Uint8Array> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    if (size > limit) throw tooLarge(path, limit);
    const bytes = await handle.readFile().catch((error: unknown) => {
      // A folder can be opened; the failure to read it doesn't say which one it was.
      if (error instanceof Error) Object.assign(error, { path });
      throw error;
    });
    if (bytes.length > limit) throw tooLarge(path, limit);
    return Uint8Array.from(bytes);
  } finally {
    await handle.close();
  }
}

/** As `readWhole`; null if there is no such file. */
export async function readIfThere(path: string, limit: number): Promise<Uint8Array | null> {
  try {
    return await readWhole(path, limit);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

function tooLarge(path: string, limit: number): CliError {
  return new CliError("FILE_TOO_LARGE", `${cleanText(path)} is over ${limit} bytes long.`);
}
