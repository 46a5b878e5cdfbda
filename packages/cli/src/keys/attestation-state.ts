import { parseBase64, parseKey } from "@touchmark/core";
import {
  type AttestationRoots,
  type AttestationVerdict,
  FLAG,
  type Metadata,
  parseAttestationObject,
} from "@touchmark/fido";
import { judgeHeldKey } from "@touchmark/fido/attestation";
import { nodeCrypto } from "@touchmark/log";
import type { EnrolledKey } from "./key-store.ts";

export interface AttestationQuestion {
  roots: AttestationRoots | undefined;
  metadata?: Metadata | undefined;
  /** Seconds since 1970. */
  time: number;
  firmwareVersion?: number | undefined;
}

/** What the attestation of an enrolled key is worth; null if it was enrolled without one. Throws CoreError if a browser wrote it down for another holder or page. */
export function checkEnrolled(key: EnrolledKey, question: AttestationQuestion): AttestationVerdict | null {
  if (key.attestation === null) return null;
  const { format, object, clientData } = key.attestation;
  const attestation = {
    format,
    object: parseBase64(object),
    clientData: clientData === undefined ? null : parseBase64(clientData),
  };
  return judgeHeldKey(nodeCrypto, { holder: key.holder, key: parseKey(key.key), attestation }, question);
}

/** `attested`, or in few words why not. */
export function describeAttestation(verdict: AttestationVerdict | null): string {
  if (verdict === null) return "none";
  if (verdict.attested) return `attested by ${verdict.path.at(-1) ?? "nobody"}`;
  return verdict.reasons.map(({ code }) => code.toLowerCase().replaceAll("_", " ")).join(", ");
}

/** Whether it is a passkey that was copied elsewhere when it was made [K-13]; undefined where nothing tells. */
export function isSynced({ attestation }: EnrolledKey): boolean | undefined {
  if (attestation === null) return undefined;
  const { flags } = parseAttestationObject(parseBase64(attestation.object)).authData;
  return (flags & FLAG.bs) !== 0;
}
