import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The cases of one file of test/vectors/core. */
export function readVectors<T>(name: string): T[] {
  return readCases(`core/${name}`);
}

/** The cases of test/vectors/statements, by the kind that they are about. */
export function readKindVectors<T>(): Map<string, T[]> {
  const names = readdirSync(new URL("statements", VECTORS)).filter((name) => name.endsWith(".json"));
  return new Map(names.map((name) => [name.slice(0, -".json".length), readCases(`statements/${name}`)]));
}

const VECTORS = new URL("../../../../test/vectors/", import.meta.url);

function readCases<T>(path: string): T[] {
  return JSON.parse(readFileSync(new URL(path, VECTORS), "utf8")) as T[];
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
