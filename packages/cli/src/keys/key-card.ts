import { encodeUtf8, isHolder, isObject, keyFingerprint, parseJson, parseKey, parseUtf8 } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { CliError } from "../error.ts";
import { readWhole } from "../files/read-file.ts";
import type { EnrolledKey } from "./key-store.ts";

/** One line of a key card: what the writer of a claim needs to know of a key. */
export interface CardKey {
  holder: string;
  /** The key record [K-1]. */
  record: string;
  fingerprint: string;
  attestation?: { format: string; object: string; clientData?: string };
}

const MAX_CARD = 1024 * 1024;

/** The lines of a key card. */
export function encodeCard(keys: EnrolledKey[]): string[] {
  return keys.map(({ holder, key, attestation }) =>
    JSON.stringify({ holder, key, ...(attestation && { attestation }) }),
  );
}

/** Reads a key card. Throws `CARD_MALFORMED` and what the system throws. */
export function readCard(path: string): CardKey[] {
  const bytes = readWhole(path, MAX_CARD);
  let line = 0;
  try {
    const lines = parseUtf8(bytes).split("\n");
    if (lines.at(-1) === "") lines.pop();
    if (lines.length === 0) lines.push("");
    return lines.map((text) => {
      line++;
      return readLine(text);
    });
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : "";
    throw new CliError(
      "CARD_MALFORMED",
      `${path} is not a key card: line ${line}: ${detail}`,
      "A holder makes one with: touchmark key export --out FILE",
      cause,
    );
  }
}

function readLine(text: string): CardKey {
  const value = parseJson(encodeUtf8(text), { bytes: MAX_CARD, depth: 3 });
  if (!isObject(value) || !/^holder,key(?:,attestation)?$/.test(Object.keys(value).join()))
    throw new Error("it does not have exactly holder, key and attestation, in this order.");
  const { holder, key, attestation } = value;
  if (typeof holder !== "string" || !isHolder(holder)) throw new Error("the holder's label is malformed.");
  if (typeof key !== "string") throw new Error("the key is not text.");
  const fingerprint = keyFingerprint(nodeCrypto, parseKey(key));
  if (attestation === undefined) return { holder, record: key, fingerprint };
  const { format, object, clientData } = isObject(attestation) ? attestation : {};
  if (typeof format !== "string" || typeof object !== "string") throw new Error("the attestation is malformed.");
  if (clientData === undefined) return { holder, record: key, fingerprint, attestation: { format, object } };
  if (typeof clientData !== "string") throw new Error("the attestation is malformed.");
  return { holder, record: key, fingerprint, attestation: { format, object, clientData } };
}
