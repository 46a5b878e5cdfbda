import { join } from "node:path";
import {
  isHolder,
  isObject,
  type Json,
  type JsonObject,
  keyFingerprint,
  parseBase64,
  parseJson,
  parseKey,
} from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { CliError } from "../error.ts";
import { readIfThere } from "../files/read-file.ts";
import { writeWhole } from "../files/write-file.ts";

/** A key that was enrolled here. Nothing of it is secret: without the security key it signs nothing. */
export interface EnrolledKey {
  holder: string;
  /** The key record [K-1]. */
  key: string;
  fingerprint: string;
  /** Base64; empty where only OpenSSH knows it. */
  credentialId: string;
  /** Where it was enrolled, as `--device` takes it. */
  device: string;
  /** What the key calls itself; AAGUID in hex; the ways to it that it names. */
  model: { name: string; aaguid: string; transports: string[] };
  /** Enrolled with `--uv`: its signatures are made with PIN or fingerprint. */
  userVerification: boolean;
  /** null where the key was made elsewhere, as by ssh-keygen. */
  attestation: { format: string; object: string; clientData?: string } | null;
}

const MAX_FILE = 4 * 1024 * 1024;
const KEYS = ["holder", "key", "fingerprint", "credentialId", "device", "model", "userVerification", "attestation"];

/** The keys in `keys.json` of the Touchmark home, in the order of their enrolment. Throws `KEYS_MALFORMED`. */
export function readKeys(home: string): EnrolledKey[] {
  const file = fileOf(home);
  const bytes = readIfThere(file, MAX_FILE);
  if (bytes === null) return [];
  try {
    const value = parseJson(bytes, { bytes: MAX_FILE });
    const fields = fieldsOf(value, ["version", "keys"]);
    if (fields["version"] !== 1 || !Array.isArray(fields["keys"])) throw new Error("it is of another version");
    const keys = fields["keys"].map(readKey);
    if (new Set(keys.map(({ fingerprint }) => fingerprint)).size !== keys.length)
      throw new Error("one key stands twice");
    return keys;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : "";
    throw new CliError(
      "KEYS_MALFORMED",
      `${file} cannot be used: ${detail}`,
      "Restore it, or move it away and enrol again.",
      cause,
    );
  }
}

/** Remembers one more key. */
export async function addKey(home: string, key: EnrolledKey): Promise<void> {
  await writeKeys(home, [...readKeys(home), key]);
}

/** Forgets keys. */
export async function removeKeys(home: string, fingerprints: ReadonlySet<string>): Promise<void> {
  await writeKeys(
    home,
    readKeys(home).filter(({ fingerprint }) => !fingerprints.has(fingerprint)),
  );
}

/** A key as it stands in a JSON document. */
export function keyDocument({ model, attestation, ...key }: EnrolledKey): JsonObject {
  return { ...key, model: { ...model }, attestation: attestation === null ? null : { ...attestation } };
}

async function writeKeys(home: string, keys: EnrolledKey[]): Promise<void> {
  await writeWhole(fileOf(home), `${JSON.stringify({ version: 1, keys }, null, 2)}\n`);
}

function fileOf(home: string): string {
  return join(home, "keys.json");
}

function readKey(value: Json): EnrolledKey {
  const fields = fieldsOf(value, KEYS);
  const model = readModel(fields["model"]);
  const key: EnrolledKey = {
    holder: textOf(fields, "holder"),
    key: textOf(fields, "key"),
    fingerprint: textOf(fields, "fingerprint"),
    credentialId: textOf(fields, "credentialId"),
    device: textOf(fields, "device"),
    model,
    userVerification: fields["userVerification"] === true,
    attestation: readAttestation(fields["attestation"]),
  };
  if (!isHolder(key.holder)) throw new Error("a holder's label is malformed");
  if (keyFingerprint(nodeCrypto, parseKey(key.key)) !== key.fingerprint)
    throw new Error("a fingerprint is not that of its key");
  parseBase64(key.credentialId);
  return key;
}

// Keys that were enrolled before transports were kept have none.
function readModel(value: Json | undefined): EnrolledKey["model"] {
  const keepsTransports = isObject(value) && "transports" in value;
  const fields = fieldsOf(value, ["name", "aaguid", ...(keepsTransports ? ["transports"] : [])]);
  const transports = keepsTransports ? listOf(fields, "transports") : [];
  return { name: textOf(fields, "name"), aaguid: textOf(fields, "aaguid"), transports };
}

function readAttestation(value: Json | undefined): EnrolledKey["attestation"] {
  if (value === null) return null;
  const isBrowsers = isObject(value) && "clientData" in value;
  const fields = fieldsOf(value, isBrowsers ? ["format", "object", "clientData"] : ["format", "object"]);
  const attestation = { format: textOf(fields, "format"), object: textOf(fields, "object") };
  return isBrowsers ? { ...attestation, clientData: textOf(fields, "clientData") } : attestation;
}

function fieldsOf(value: Json | undefined, keys: string[]): JsonObject {
  if (!isObject(value) || Object.keys(value).toSorted().join() !== keys.toSorted().join())
    throw new Error(`an object does not have exactly the keys ${keys.join(", ")}`);
  return value;
}

function listOf(fields: JsonObject, name: string): string[] {
  const value = fields[name];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) throw new Error(`${name} is no list`);
  return value;
}

function textOf(fields: JsonObject, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new Error(`${name} is not text`);
  return value;
}
