// What must not be written down: PINs in every disguise, tokens and what is made with them, and whatever extensions carry.
// What is not known is left out. Lengths stay as they are, so that a trace can be played again.
import {
  type CborKey,
  type CborMap,
  type CborValue,
  decodeCbor,
  decodeCborPrefix,
  encodeCbor,
} from "../cbor/canonical.ts";
import { FLAG } from "../ctap2/auth-data.ts";
import { CTAP2 } from "../ctap2/session.ts";
import { FidoError } from "../error.ts";
import { COMMAND } from "../hid/framing.ts";
import type { Collected } from "./collector.ts";

export interface Redacted extends Collected {
  /** What was overwritten with zeros. */
  readonly cleared: readonly string[];
}

export interface Redactor {
  /** Host's messages and device's, in the order in which they came. */
  host(message: Collected): Redacted;
  device(message: Collected): Redacted;
}

/** Clears secrets out of both sides of a talk. */
export function createRedactor(): Redactor {
  /** What the host has asked last, by channel: an answer does not say what it answers. */
  const asked = new Map<number, number | undefined>();
  return {
    host(message) {
      const isCbor = message.command === COMMAND.cbor && message.isWhole;
      if (message.command !== COMMAND.cancel) asked.set(message.channel, isCbor ? message.data[0] : undefined);
      return redact(message, isCbor ? HOST[message.data[0] ?? -1] : undefined);
    },
    device: (message) => redact(message, DEVICE[asked.get(message.channel) ?? -1]),
  };
}

interface Rule {
  /** Values to be cleared, all bytes in them, by the key of CTAP2. */
  readonly clear?: Readonly<Record<number, string>>;
  /** Where authenticator data lies, whose extensions are cleared. */
  readonly authData?: number;
}

const HOST: Readonly<Record<number, Rule>> = {
  [CTAP2.makeCredential]: { clear: { 0x06: "extensions", 0x08: "pinUvAuthParam" } },
  [CTAP2.getAssertion]: { clear: { 0x04: "extensions", 0x06: "pinUvAuthParam" } },
  [CTAP2.getInfo]: {},
  // The platform's key is no secret, but another one each time: what is played again is compared without it.
  [CTAP2.clientPin]: { clear: { 0x03: "keyAgreement", 0x04: "pinUvAuthParam", 0x05: "newPinEnc", 0x06: "pinHashEnc" } },
  [CTAP2.selection]: {},
};

const DEVICE: Readonly<Record<number, Rule>> = {
  [CTAP2.makeCredential]: { clear: { 0x05: "largeBlobKey", 0x06: "unsignedExtensionOutputs" }, authData: 0x02 },
  [CTAP2.getAssertion]: { clear: { 0x07: "largeBlobKey", 0x08: "unsignedExtensionOutputs" }, authData: 0x02 },
  [CTAP2.getInfo]: { clear: { 0x19: "encIdentifier", 0x1e: "encCredStoreState" } },
  [CTAP2.clientPin]: { clear: { 0x02: "pinUvAuthToken" } },
  [CTAP2.selection]: {},
};

/** Messages of the transport that carry nothing of a person's. U2F knows neither PIN nor token. */
const OPEN: ReadonlySet<number> = new Set([
  COMMAND.init,
  COMMAND.ping,
  COMMAND.wink,
  COMMAND.cancel,
  COMMAND.keepalive,
  COMMAND.error,
  COMMAND.msg,
]);

function redact(message: Collected, rule: Rule | undefined): Redacted {
  if (message.isWhole && OPEN.has(message.command)) return { ...message, cleared: [] };
  const cleared =
    rule === undefined || message.command !== COMMAND.cbor || !message.isWhole
      ? undefined
      : redactCbor(message.data, rule);
  if (cleared !== undefined) return { ...message, ...cleared };
  const data = new Uint8Array(message.data.length);
  // The command or status: it says what it was.
  if (message.command === COMMAND.cbor) data.set(message.data.subarray(0, 1));
  return { ...message, data, cleared: message.data.length > 1 ? ["everything"] : [] };
}

function redactCbor(
  data: Uint8Array,
  rule: Rule,
): { readonly data: Uint8Array; readonly cleared: string[] } | undefined {
  if (data.length <= 1) return { data, cleared: [] };
  const map = readMap(data.subarray(1));
  if (map === undefined) return undefined;
  const cleared: string[] = [];
  for (const [key, name] of Object.entries(rule.clear ?? {})) {
    const value = map.get(Number(key));
    if (value === undefined) continue;
    map.set(Number(key), zeroed(value));
    cleared.push(name);
  }
  if (rule.authData !== undefined) {
    const value = map.get(rule.authData);
    const authData = value instanceof Uint8Array ? redactAuthData(value) : undefined;
    if (authData === undefined) return undefined;
    if (authData !== value) cleared.push("extension outputs");
    map.set(rule.authData, authData);
  }
  const redacted = Uint8Array.of(data[0] ?? 0, ...encodeCbor(map));
  return redacted.length === data.length ? { data: redacted, cleared } : undefined;
}

const FIXED_BYTES = 37;
const ATTESTED_BYTES = 18;

// Clears the extensions at the end of authenticator data; undefined where that end can't be found.
function redactAuthData(bytes: Uint8Array): Uint8Array | undefined {
  const flags = bytes[32] ?? 0;
  if ((flags & FLAG.ed) === 0) return bytes;
  try {
    let at = FIXED_BYTES;
    if ((flags & FLAG.at) !== 0) {
      const idLength = ((bytes[at + 16] ?? 0) << 8) | (bytes[at + 17] ?? 0);
      at += ATTESTED_BYTES + idLength;
      at += decodeCborPrefix(bytes.subarray(at)).end;
    }
    const redacted = Uint8Array.of(...bytes.subarray(0, at), ...encodeCbor(zeroed(decodeCbor(bytes.subarray(at)))));
    return redacted.length === bytes.length ? redacted : undefined;
  } catch (error) {
    if (error instanceof FidoError) return undefined;
    throw error;
  }
}

function readMap(bytes: Uint8Array): CborMap | undefined {
  try {
    const value = decodeCbor(bytes);
    return value instanceof Map ? value : undefined;
  } catch (error) {
    if (error instanceof FidoError) return undefined;
    throw error;
  }
}

// Bytes become zeros, text dots; numbers and truth values are settings, not secrets.
function zeroed(value: CborValue): CborValue {
  if (value instanceof Uint8Array) return new Uint8Array(value.length);
  if (typeof value === "string") return ".".repeat(Buffer.byteLength(value));
  if (Array.isArray(value)) return value.map(zeroed);
  if (value instanceof Map) return new Map([...value].map(([key, part]): [CborKey, CborValue] => [key, zeroed(part)]));
  return value;
}
