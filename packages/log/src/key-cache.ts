import { createPublicKey, type KeyObject } from "node:crypto";
import { bufferOver } from "./bytes.ts";

/** Imports a public key from its raw form, or answers `undefined` if it is no key. */
export type KeyImport = (raw: Uint8Array) => KeyObject | undefined;

/** Importing a key costs as much as a verification, so up to `limit` keys are kept, the oldest leaving first. Raw keys of another length than `rawBytes` are refused. */
export function keyCache(
  describe: (raw: Buffer) => Parameters<typeof createPublicKey>[0],
  rawBytes: number,
  limit: number,
): KeyImport {
  const kept = new Map<string, KeyObject>();
  return (raw) => {
    if (raw.length !== rawBytes) return undefined;
    const bytes = bufferOver(raw);
    const name = bytes.latin1Slice(0, rawBytes);
    const known = kept.get(name);
    if (known !== undefined) return known;
    const key = importKey(describe(bytes));
    if (key === undefined) return undefined;
    kept.set(name, key);
    if (kept.size > limit) {
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        break;
      }
    }
    return key;
  };
}

function importKey(described: Parameters<typeof createPublicKey>[0]): KeyObject | undefined {
  try {
    return createPublicKey(described);
  } catch {
    return undefined;
  }
}
