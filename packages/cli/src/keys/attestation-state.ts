import { parseBase64, parseKey } from "@touchmark/core";
import {
  type AttestationRoots,
  type AttestationVerdict,
  checkAttestation,
  enrolmentHash,
  FLAG,
  parseAttestationObject,
} from "@touchmark/fido";
import type { EnrolledKey } from "./key-store.ts";

export interface AttestationQuestion {
  roots: AttestationRoots | undefined;
  /** Seconds since 1970. */
  time: number;
  firmwareVersion?: number | undefined;
}

/** What the attestation of an enrolled key is worth; null if it was enrolled without one. */
export function checkEnrolled(key: EnrolledKey, question: AttestationQuestion): AttestationVerdict | null {
  if (key.attestation === null) return null;
  const { format, object } = key.attestation;
  return checkAttestation({
    attestation: { format, object: parseBase64(object) },
    key: parseKey(key.key),
    clientDataHash: enrolmentHash(key.holder), // [K-15]
    ...question,
  });
}

/** `attested`, or in few words why not. */
export function describeAttestation(verdict: AttestationVerdict | null): string {
  if (verdict === null) return "none";
  if (verdict.attested) return "attested";
  return verdict.reasons.map(({ code }) => code.toLowerCase().replaceAll("_", " ")).join(", ");
}

/** Whether it is a passkey that can be copied to other devices [K-13]; undefined where nothing tells. */
export function isSynced({ attestation }: EnrolledKey): boolean | undefined {
  if (attestation === null) return undefined;
  const { flags } = parseAttestationObject(parseBase64(attestation.object)).authData;
  return (flags & (FLAG.be | FLAG.bs)) !== 0;
}
