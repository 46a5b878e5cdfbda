// What is known against models of keys: one table, and who is concerned.
import type { Algorithm } from "../ctap2/cose-key.ts";
import { ES256 } from "../ctap2/cose-key.ts";
import { findFirmware, type FirmwareClues, isYubico } from "./firmware.ts";

export interface Advisory {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  /** Whose keys. */
  readonly maker: "Yubico";
  /** Credentials of these algorithms only. */
  readonly algorithms: readonly Algorithm[];
  /** The first firmware without the fault. */
  readonly fixedIn: string;
}

export interface AdvisoryFinding extends Advisory {
  /** `possible`: nothing tells which firmware the key has. */
  readonly certainty: "affected" | "possible";
}

export const ADVISORIES: readonly Advisory[] = [
  {
    id: "CVE-2024-45678",
    name: "EUCLEAK",
    text: "Whoever has the key in hand for a while, with a laboratory, can copy its ECDSA keys; Ed25519 keys are not concerned.",
    maker: "Yubico",
    algorithms: [ES256],
    fixedIn: "5.7.0",
  },
];

/** The advisories that concern a credential of this algorithm. */
export function findAdvisories(clues: FirmwareClues, algorithm: Algorithm): AdvisoryFinding[] {
  if (!isYubico(clues)) return [];
  const firmware = findFirmware(clues);
  return ADVISORIES.filter(({ algorithms }) => algorithms.includes(algorithm)).flatMap(
    (advisory): AdvisoryFinding[] => {
      if (firmware === undefined) return [{ ...advisory, certainty: "possible" }];
      const isOld = firmware.versions.some((version) => isBelow(version, advisory.fixedIn));
      return isOld ? [{ ...advisory, certainty: "affected" }] : [];
    },
  );
}

// Of a line like 5.6 only the numbers that are there are compared: 5.7 is not below 5.7.0.
function isBelow(version: string, limit: string): boolean {
  const limits = limit.split(".").map(Number);
  for (const [index, part] of version.split(".").map(Number).entries()) {
    const other = limits[index] ?? 0;
    if (part !== other) return part < other;
  }
  return false;
}
