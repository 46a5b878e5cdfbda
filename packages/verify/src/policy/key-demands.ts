// What a policy may ask of the keys whose signatures are to count.
import { type HeldKey, isObject, type Json, parseBase64, type ReasonCode } from "@touchmark/core";

/** The demands of one rule [P-15] to [P-18]. */
export interface KeyDemands {
  userVerification: boolean;
  deviceBound: boolean;
  /** Also where models or firmware are asked about: nothing but a believed attestation tells them. */
  attested: boolean;
  /** AAGUIDs, 32 hex digits. */
  forbidModels: ReadonlySet<string>;
  /** Maker → the first version that is good enough. */
  forbidFirmwareBelow: ReadonlyMap<string, string>;
}

/** What an attestation tells of a key [K-20] to [K-23]. */
export interface KeyAttestation {
  /** Why it is not believed; empty if it is. Sentences that are safe to print. */
  refusals: readonly { code: ReasonCode; message: string }[];
  /** 32 hex digits. */
  aaguid: string | undefined;
  /** `yubico`; undefined for every maker whose firmware is not known. */
  maker: string | undefined;
  /** Every version that the firmware may be, as far as it is known. */
  firmware: readonly string[] | undefined;
}

/** Judges the attestation of a key against the policy's roots. `time` is in seconds. */
export type AttestationJudge = (key: HeldKey, time: number) => KeyAttestation;

const MOST_ROOTS = 32;
const MAX_ROOT = 8 * 1024;
const MOST_MODELS = 256;
const MAKERS = ["yubico"];
const MODEL = /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const FIRMWARE = /^\d{1,3}\.\d{1,3}\.\d{1,3}$/;

/** Reads `keys` of a rule; `what` names it in a complaint. */
export function readKeyDemands(value: Json | undefined, what: string, problems: string[]): KeyDemands | null {
  if (value === undefined) return null;
  if (!isObject(value)) {
    problems.push(`${what} is not an object`);
    return null;
  }
  const known = ["userVerification", "deviceBound", "attested", "forbidModels", "forbidFirmwareBelow"];
  for (const key of Object.keys(value))
    if (!known.includes(key)) problems.push(`${what} has the unknown key ${JSON.stringify(key)}`);
  const choice = (name: string): boolean => {
    const chosen = value[name] ?? false;
    if (typeof chosen !== "boolean") problems.push(`${what}.${name} is neither true nor false`);
    return chosen === true;
  };
  const forbidModels = readModels(value["forbidModels"], what, problems);
  const forbidFirmwareBelow = readFirmware(value["forbidFirmwareBelow"], what, problems);
  return {
    userVerification: choice("userVerification"),
    deviceBound: choice("deviceBound"),
    attested: choice("attested") || forbidModels.size > 0 || forbidFirmwareBelow.size > 0,
    forbidModels,
    forbidFirmwareBelow,
  };
}

/** Reads `attestationRoots` [P-16]: DER, not looked into. `demands` are those of all rules. */
export function readAttestationRoots(
  value: Json | undefined,
  demands: Iterable<KeyDemands | null>,
  problems: string[],
): Uint8Array[] {
  if (value === undefined) {
    if ([...demands].some((one) => one?.attested))
      problems.push("attested keys are asked for, and attestationRoots names nobody who could vouch for them");
    return [];
  }
  const list = Array.isArray(value) ? value : [];
  if (list.length === 0 || list.length > MOST_ROOTS)
    problems.push(`attestationRoots is not a list of 1 to ${MOST_ROOTS} certificates`);
  return list.flatMap((item) => {
    const root = readRoot(item);
    if (root === null) problems.push("attestationRoots has an item that is not base64 of a certificate's DER");
    return root ?? [];
  });
}

function readRoot(value: Json): Uint8Array | null {
  if (typeof value !== "string" || value.length > MAX_ROOT * 2) return null;
  try {
    const der = parseBase64(value);
    return der.length <= MAX_ROOT && der[0] === 0x30 ? der : null;
  } catch {
    return null;
  }
}

// [P-17]
function readModels(value: Json | undefined, what: string, problems: string[]): Set<string> {
  const list = Array.isArray(value) ? value : [];
  const models = list.map((item) => (typeof item === "string" && MODEL.test(item) ? item.replaceAll("-", "") : null));
  if (value !== undefined && (list.length === 0 || list.length > MOST_MODELS || models.includes(null)))
    problems.push(`${what}.forbidModels is not a list of 1 to ${MOST_MODELS} AAGUIDs in lower-case hex`);
  return new Set(models.filter((model) => model !== null));
}

// [P-18]
function readFirmware(value: Json | undefined, what: string, problems: string[]): Map<string, string> {
  const entries = isObject(value) ? Object.entries(value) : [];
  if (value !== undefined && entries.length === 0) problems.push(`${what}.forbidFirmwareBelow names no maker`);
  const limits = new Map<string, string>();
  for (const [maker, version] of entries) {
    if (!MAKERS.includes(maker))
      problems.push(
        `${what}.forbidFirmwareBelow names ${JSON.stringify(maker)}, whose firmware is not known; known is ${MAKERS.join(", ")}`,
      );
    if (typeof version === "string" && FIRMWARE.test(version)) limits.set(maker, version);
    else problems.push(`${what}.forbidFirmwareBelow.${maker} is not three numbers with dots, as "5.7.0"`);
  }
  return limits;
}
