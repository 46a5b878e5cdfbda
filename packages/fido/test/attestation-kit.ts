import { enrolmentHash } from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import { expect } from "vitest";
import {
  type AttestationRequest,
  type AttestationRoots,
  type AttestationVerdict,
  checkAttestation,
  type EnrolledKey,
} from "../src/index.ts";
import { parseCertificate } from "../src/attestation/certificate.ts";
import { splitRoots } from "../src/attestation/roots.ts";
import { type AuthenticatorModel, type BatchAttestation } from "../src/testing/index.ts";
import { enroll, plugged, RP_ID } from "./kit.ts";

export const HOLDER = "ada";
/** 2026-11-23. */
export const NOW = 1_795_392_000;
export const AAGUID: Uint8Array = new TextEncoder().encode("NOT-HARDWARE-KEY");

/** A key of HOLDER, attested by `batch`. */
export async function enrolled(
  batch: BatchAttestation,
  model: Partial<AuthenticatorModel> = {},
  algorithm: -7 | -8 = -7,
): Promise<EnrolledKey> {
  const { device } = await plugged({ batch, model: { attestation: "batch", ...model } });
  return await enroll(device, { clientDataHash: enrolmentHash(nobleCrypto, HOLDER), algorithms: [algorithm] });
}

export function rootsOf(...ders: readonly Uint8Array[]): AttestationRoots {
  return splitRoots(ders.flatMap((der) => parseCertificate(der) ?? []));
}

export function check(key: EnrolledKey, changes: Partial<AttestationRequest> = {}): AttestationVerdict {
  return checkAttestation({
    attestation: { format: key.fmt, object: key.attestationObject },
    key: { publicKey: pointOf(key.publicKey), application: RP_ID },
    clientDataHash: enrolmentHash(nobleCrypto, HOLDER),
    time: NOW,
    ...changes,
  });
}

export function pointOf(key: EnrolledKey["publicKey"]): Uint8Array {
  return key.alg === "ES256" ? key.point : key.key;
}

/** The verdict's codes; each of its sentences is one. */
export function codesOf(verdict: AttestationVerdict): string[] {
  expect(verdict.attested).toBe(verdict.reasons.length === 0);
  for (const { message } of verdict.reasons) expect(message).toMatch(/^[A-Z].*\.$/);
  return verdict.reasons.map(({ code }) => code);
}
