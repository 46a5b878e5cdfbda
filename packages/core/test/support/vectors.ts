import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The cases of one file of test/vectors/core. */
export function readVectors<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../../../../test/vectors/core/${name}`, import.meta.url), "utf8")) as T[];
}

/** A file of the public vectors that the environment may offer, or null. */
export function readPublicVector(path: string): string | null {
  const folder = process.env["TOUCHMARK_VECTORS"];
  const file = folder === undefined ? null : join(folder, path);
  return file !== null && existsSync(file) ? readFileSync(file, "utf8") : null;
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}
