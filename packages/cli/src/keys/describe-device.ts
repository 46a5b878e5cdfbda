import { cleanText, encodeHex, parseBase64, parseKey } from "@touchmark/core";
import {
  type AdvisoryFinding,
  type AttestationVerdict,
  describeModel,
  EDDSA,
  ES256,
  type FidoDevice,
  findCredential,
  type Firmware,
  getPinRetries,
  pinRules,
} from "@touchmark/fido";
import { checkEnrolled, describeAttestation } from "./attestation-state.ts";
import type { Trust } from "./attestation-trust.ts";
import type { EnrolledKey } from "./key-store.ts";

/** A key's PIN. `none`: the key has no PINs at all. */
export type PinState =
  | { kind: "none" }
  | { kind: "unset"; minLength: number }
  | { kind: "set"; minLength: number; retries: number; replugNeeded: boolean; mustChange: boolean };

/** What can be known of a plugged-in key without a touch. Texts are safe to print. */
export interface DeviceReport {
  name: string;
  place: string;
  protocol: string;
  /** 32 hex digits; undefined for what speaks U2F only. */
  aaguid: string | undefined;
  model: AttestationVerdict["model"];
  firmware: Firmware | undefined;
  /** As the key itself counts; what it means only its maker knows. */
  firmwareNumber: number | undefined;
  algorithms: string[];
  pin: PinState;
  options: { name: string; value: boolean }[];
  /** Of its enrolled credentials; of a key that has none here, of whatever it would make. */
  advisories: readonly AdvisoryFinding[];
  enrolled: { key: EnrolledKey; attestation: string; advisories: readonly AdvisoryFinding[] }[];
}

export interface ReportQuestion extends Trust {
  known: readonly EnrolledKey[];
}

/** Asks an open key about itself. Throws FidoError. */
export async function reportDevice(device: FidoDevice, { known, ...trust }: ReportQuestion): Promise<DeviceReport> {
  const { info } = device;
  const { firmwareVersion } = info;
  const held = await heldKeys(device, known);
  const verdicts = held.map((key) => checkEnrolled(key, { ...trust, firmwareVersion }));
  const told = device.protocol === "u2f" ? undefined : describeModel(info);
  const enrolled = held.map((key, i) => ({
    key,
    attestation: describeAttestation(verdicts[i] ?? null),
    advisories: verdicts[i]?.advisories ?? [],
  }));
  return {
    name: cleanText(device.name),
    place: cleanText(device.path),
    protocol: device.protocol === "u2f" ? "U2F" : info.versions.map((version) => cleanText(version)).join(", "),
    aaguid: device.protocol === "u2f" ? undefined : encodeHex(info.aaguid),
    model: first(verdicts, (verdict) => verdict.model) ?? told?.model,
    firmware: first(verdicts, (verdict) => verdict.firmware) ?? told?.firmware,
    firmwareNumber: firmwareVersion,
    algorithms: info.algorithms.map(algorithmName),
    pin: await pinState(device),
    options: [...info.options].map(([name, value]) => ({ name: cleanText(name), value })),
    advisories:
      enrolled.length === 0 ? (told?.advisories ?? []) : distinct(enrolled.flatMap(({ advisories }) => advisories)),
    enrolled,
  };
}

async function heldKeys(device: FidoDevice, known: readonly EnrolledKey[]): Promise<EnrolledKey[]> {
  const held: EnrolledKey[] = [];
  for (const key of known) {
    if (key.credentialId === "") continue;
    const rpId = parseKey(key.key).application;
    const search = await findCredential(device, { rpId, credentialIds: [parseBase64(key.credentialId)] });
    if (search.kind === "found") held.push(key);
  }
  return held;
}

async function pinState(device: FidoDevice): Promise<PinState> {
  if (!device.info.options.has("clientPin")) return { kind: "none" };
  const { isSet, minLength, mustChange } = pinRules(device);
  if (!isSet) return { kind: "unset", minLength };
  const { retries, powerCycleNeeded } = await getPinRetries(device);
  return { kind: "set", minLength, retries, replugNeeded: powerCycleNeeded, mustChange };
}

function distinct(advisories: readonly AdvisoryFinding[]): AdvisoryFinding[] {
  return [...new Map(advisories.map((advisory) => [advisory.id, advisory])).values()];
}

function first<T>(verdicts: (AttestationVerdict | null)[], pick: (verdict: AttestationVerdict) => T): T | undefined {
  for (const verdict of verdicts) {
    const picked = verdict === null ? undefined : pick(verdict);
    if (picked !== undefined) return picked;
  }
  return undefined;
}

function algorithmName(algorithm: number): string {
  if (algorithm === ES256) return "es256";
  return algorithm === EDDSA ? "ed25519" : `COSE ${algorithm}`;
}
