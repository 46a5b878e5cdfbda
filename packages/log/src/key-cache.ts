import { createPublicKey, type KeyObject } from "node:crypto";

/** Imports a public key from its DER form, or answers `undefined` if it is no key. */
export type KeyImport = (raw: Uint8Array) => KeyObject | undefined;

/**
 * Importing a key costs as much as a verification, so keys are kept, the longest unused one leaving when there are more than `limit`. Raw keys of another
 * length than `rawBytes` are refused.
 */
export function keyCache(spkiPrefix: Uint8Array, rawBytes: number, limit: number): KeyImport {
  const kept = new Map<string, KeyObject>();
  return (raw) => {
    if (raw.length !== rawBytes) return undefined;
    const name = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("latin1");
    const key = kept.get(name) ?? importKey(Buffer.concat([spkiPrefix, raw]));
    if (key === undefined) return undefined;
    kept.delete(name);
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
