// Synchronous on purpose: the thread pool and the promises of node:fs would cost the start of `touchmark verify` several milliseconds.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { cleanText } from "@touchmark/core";
import { CliError } from "../error.ts";

/** The bytes of a file of at most `limit` bytes. Throws `FILE_TOO_LARGE` and what the system throws. */
export function readWhole(path: string, limit: number): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const stats = fstatSync(fd);
    if (stats.isDirectory()) throw Object.assign(new Error("It is a folder."), { code: "EISDIR", path });
    if (stats.size > limit) throw tooLarge(path, limit);
    return readBounded(fd, stats.size, path, limit);
  } finally {
    closeSync(fd);
  }
}

/** As `readWhole`; null if there is no such file. */
export function readIfThere(path: string, limit: number): Uint8Array | null {
  try {
    return readWhole(path, limit);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

// What is no plain file may go on after the size that it named.
function readBounded(fd: number, size: number, path: string, limit: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const part = Buffer.allocUnsafe(Math.max(size - length, 4096) + 1);
    const read = readSync(fd, part);
    length += read;
    if (length > limit) throw tooLarge(path, limit);
    if (read === 0) return Uint8Array.from(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    parts.push(part.subarray(0, read));
  }
}

function tooLarge(path: string, limit: number): CliError {
  return new CliError("FILE_TOO_LARGE", `${cleanText(path)} is over ${limit} bytes long.`);
}
