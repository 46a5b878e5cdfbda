import { createPublicKey, type KeyObject } from "node:crypto";
import { bufferOver } from "./bytes.ts";

/** Imports a public key from its DER form, or answers `undefined` if it is no key. */
export type KeyImport = (raw: Uint8Array) => KeyObject | undefined;

/** Importing a key costs as much as a verification, so up to `limit` keys are kept, the oldest leaving first. Raw keys of another length than `rawBytes` are refused. */
export function keyCache(spkiPrefix: Uint8Array, rawBytes: number, limit: number): KeyImport {
  const kept = new Map<string, KeyObject>();
  return (raw) => {
    if (raw.length !== rawBytes) return undefined;
    const name = bufferOver(raw).latin1Slice(0, rawBytes);
    const known = kept.get(name);
    if (known !== undefined) return known;
    const key = importKey(Buffer.concat([spkiPrefix, raw]));
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

function importKey(der: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
