import { randomBytes as systemRandomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { FidoError } from "../error.ts";
import type { RandomBytes } from "../pipe/packet-pipe.ts";
import { CREDENTIAL_ID_BYTES } from "./credential.ts";
import {
  createSoftwareAuthenticator,
  type SoftwareAuthenticator,
  type SoftwareAuthenticatorOptions,
} from "./authenticator.ts";
import { type AuthenticatorState, createState, type StateStore } from "./state.ts";

/**
 * The software authenticator whose state lies in `path`, which is made if it is missing (mode 0600).
 * Throws BAD_STATE_FILE if it can't be read, written or understood.
 */
export async function openSoftAuthenticator(
  path: string,
  options: Partial<SoftwareAuthenticatorOptions> = {},
): Promise<SoftwareAuthenticator> {
  const randomBytes = options.randomBytes ?? ((length) => new Uint8Array(systemRandomBytes(length)));
  const store = await openStateFile(path, randomBytes);
  return createSoftwareAuthenticator({ ...options, randomBytes, store });
}

interface StateFile {
  readonly kind: typeof KIND;
  readonly warning: string;
  readonly deviceSecret: string;
  readonly pinHash: string | null;
  readonly pinRetries: number;
  readonly uvRetries: number;
  readonly counter: number;
  readonly discoverable: readonly {
    readonly rpIdHash: string;
    readonly userId: string;
    readonly credentialId: string;
  }[];
}

const KIND = "touchmark software authenticator v1";
const WARNING = "This is NOT hardware: whoever reads this file can sign.";
const MAX_FILE_BYTES = 64 * 1024;

async function openStateFile(path: string, randomBytes: RandomBytes): Promise<StateStore> {
  const text = await readState(path);
  const state = text === undefined ? createState(randomBytes) : parseState(path, text);
  const store: StateStore = { state, save: () => writeState(path, state, randomBytes) };
  if (text === undefined) await store.save();
  return store;
}

async function readState(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw bad(path, "cannot be read", cause);
  }
}

function parseState(path: string, text: string): AuthenticatorState {
  if (text.length > MAX_FILE_BYTES) throw bad(path, "is no state of a software authenticator");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad(path, "is no state of a software authenticator", cause);
  }
  if (!isStateFile(value)) throw bad(path, "is no state of a software authenticator");
  return {
    deviceSecret: fromHex(value.deviceSecret),
    pinHash: value.pinHash === null ? undefined : fromHex(value.pinHash),
    pinRetries: value.pinRetries,
    uvRetries: value.uvRetries,
    counter: value.counter,
    discoverable: value.discoverable.map(({ rpIdHash, userId, credentialId }) => ({
      rpIdHash: fromHex(rpIdHash),
      userId: fromHex(userId),
      credentialId: fromHex(credentialId),
    })),
  };
}

function isStateFile(value: unknown): value is StateFile {
  if (typeof value !== "object" || value === null) return false;
  const file = value as Partial<Record<keyof StateFile, unknown>>;
  return (
    file.kind === KIND &&
    isHex(file.deviceSecret, 32) &&
    (file.pinHash === null || isHex(file.pinHash, 16)) &&
    isCount(file.pinRetries, 8) &&
    isCount(file.uvRetries, 8) &&
    isCount(file.counter, 0xffffffff) &&
    Array.isArray(file.discoverable) &&
    file.discoverable.every(isKept)
  );
}

function isKept(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const kept = value as Partial<Record<keyof StateFile["discoverable"][number], unknown>>;
  return isHex(kept.rpIdHash, 32) && isHex(kept.credentialId, CREDENTIAL_ID_BYTES) && isHex(kept.userId, undefined);
}

function isHex(value: unknown, bytes: number | undefined): boolean {
  if (typeof value !== "string" || !/^(?:[0-9a-f]{2})+$/.test(value)) return false;
  return bytes === undefined || value.length === 2 * bytes;
}

function isCount(value: unknown, most: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}

// Written beside and renamed, so that a crash leaves the old state or the new one.
async function writeState(path: string, state: AuthenticatorState, randomBytes: RandomBytes): Promise<void> {
  const file: StateFile = {
    kind: KIND,
    warning: WARNING,
    deviceSecret: toHex(state.deviceSecret),
    pinHash: state.pinHash === undefined ? null : toHex(state.pinHash),
    pinRetries: state.pinRetries,
    uvRetries: state.uvRetries,
    counter: state.counter,
    discoverable: state.discoverable.map(({ rpIdHash, userId, credentialId }) => ({
      rpIdHash: toHex(rpIdHash),
      userId: toHex(userId),
      credentialId: toHex(credentialId),
    })),
  };
  const beside = `${path}.${toHex(randomBytes(6))}`;
  try {
    const handle = await open(beside, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(file, null, 1)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (cause) {
    await rm(beside, { force: true });
    throw bad(path, "cannot be written", cause);
  }
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function bad(path: string, what: string, cause?: unknown): FidoError {
  return new FidoError("BAD_STATE_FILE", `The software authenticator's file ${path} ${what}.`, {
    hint: "Name another file after soft:; a missing one is made.",
    cause,
  });
}
