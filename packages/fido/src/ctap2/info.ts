import { type CborValue, decodeCbor } from "../cbor/canonical.ts";
import { asMap, booleanAt, bytesAt, countAt, listAt } from "../cbor/fields.ts";
import { explain } from "../explain.ts";
import type { CtapChannel } from "../hid/channel.ts";
import { MAX_MESSAGE_BYTES } from "../hid/framing.ts";
import { callCbor, CTAP2, encodeCommand } from "./session.ts";

/** CTAP 2.2 section 6.4, what matters here. */
export interface AuthenticatorInfo {
  readonly versions: readonly string[];
  readonly extensions: readonly string[];
  /** 16 bytes that name the model. */
  readonly aaguid: Uint8Array;
  /** `clientPin`: true = a PIN is set, false = none yet, absent = the key has no PINs. And so on. */
  readonly options: ReadonlyMap<string, boolean>;
  readonly maxMessageBytes: number;
  readonly pinProtocols: readonly number[];
  readonly maxCredentialCountInList: number | undefined;
  readonly maxCredentialIdLength: number | undefined;
  /** COSE numbers, best first; empty if the key does not say. */
  readonly algorithms: readonly number[];
  readonly forcePinChange: boolean;
  /** In code points. */
  readonly minPinLength: number;
  /** In code points; a PIN has at most 63 bytes besides. */
  readonly maxPinLength: number | undefined;
  /** The key has rules for PINs beyond their length, and tells them to nobody. */
  readonly pinComplexity: boolean;
  /** As the vendor counts. Nothing vouches for it. */
  readonly firmwareVersion: number | undefined;
  readonly uvAttempts: number;
  /** `usb`, `nfc` and so on; empty if the key does not say. */
  readonly transports: readonly string[];
}

const DEFAULT_MAX_MESSAGE = 1024;
const DEFAULT_MIN_PIN = 4;

/** Asks a key what it can do. Throws FidoError. */
export async function getInfo(channel: CtapChannel): Promise<AuthenticatorInfo> {
  return parseInfo(await callCbor(channel, encodeCommand(CTAP2.getInfo), DEFAULT_MAX_MESSAGE));
}

/** Reads the answer to getInfo. Throws DEVICE_GARBAGE. */
export function parseInfo(bytes: Uint8Array): AuthenticatorInfo {
  const map = asMap(decodeCbor(bytes), "getInfo");
  const versions = listAt(map, 0x01, "versions", asText);
  if (versions.length === 0) throw explain({ kind: "garbage", detail: "no versions named" });
  const options = new Map<string, boolean>();
  for (const [name, value] of map.has(0x04) ? asMap(map.get(0x04), "options") : []) {
    if (typeof name === "string" && typeof value === "boolean") options.set(name, value);
  }
  return {
    versions,
    extensions: listAt(map, 0x02, "extensions", asText),
    aaguid: bytesAt(map, 0x03, "aaguid", 16),
    options,
    maxMessageBytes: Math.min(countAt(map, 0x05, "maxMsgSize") ?? DEFAULT_MAX_MESSAGE, MAX_MESSAGE_BYTES),
    pinProtocols: listAt(map, 0x06, "pinUvAuthProtocols", (value) => (typeof value === "number" ? value : undefined)),
    maxCredentialCountInList: countAt(map, 0x07, "maxCredentialCountInList"),
    maxCredentialIdLength: countAt(map, 0x08, "maxCredentialIdLength"),
    transports: listAt(map, 0x09, "transports", asText),
    algorithms: listAt(map, 0x0a, "algorithms", (value) => {
      const algorithm = value instanceof Map ? value.get("alg") : undefined;
      return typeof algorithm === "number" ? algorithm : undefined;
    }),
    forcePinChange: booleanAt(map, 0x0c, "forcePINChange") ?? false,
    minPinLength: countAt(map, 0x0d, "minPINLength") ?? DEFAULT_MIN_PIN,
    maxPinLength: countAt(map, 0x1d, "maxPINLength"),
    pinComplexity: booleanAt(map, 0x1b, "pinComplexityPolicy") ?? false,
    firmwareVersion: countAt(map, 0x0e, "firmwareVersion"),
    uvAttempts: countAt(map, 0x11, "preferredPlatformUvAttempts") ?? 1,
  };
}

function asText(value: CborValue): string | undefined {
  return typeof value === "string" ? value : undefined;
}
