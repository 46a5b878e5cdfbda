import { encodeBase64, enrolmentHash, type Key } from "@touchmark/core";
import type { BatchAttestation } from "@touchmark/fido/testing";
import { nodeCrypto } from "@touchmark/log";
import { cborMap, encodeCbor } from "../../packages/fido/src/cbor/canonical.ts";
import { encodeAttestationObject } from "../../packages/fido/src/ctap2/attestation.ts";
import { encodeCredentialKey } from "../../packages/fido/src/ctap2/cose-key.ts";

/** What a security key would have said at its enrolment: its maker's batch key signs for a P-256 key that a test holds. */
export function attestationOf(
  { holder, key }: { holder: string; key: Key },
  batch: BatchAttestation,
  aaguid: Uint8Array,
): { format: string; object: string } {
  const authData = Buffer.concat([
    nodeCrypto.sha256(Buffer.from(key.application)),
    Uint8Array.of(0x41, 0, 0, 0, 0),
    aaguid,
    Uint8Array.of(0, 16),
    nodeCrypto.sha256(key.publicKey).subarray(0, 16),
    encodeCbor(encodeCredentialKey({ alg: "ES256", point: key.publicKey })),
  ]);
  const sig = batch.sign(Buffer.concat([authData, enrolmentHash(nodeCrypto, holder)]));
  const statement = encodeCbor(
    cborMap(["alg", -7], ["sig", sig], ["x5c", [batch.certificate, ...batch.intermediates]]),
  );
  return { format: "packed", object: encodeBase64(encodeAttestationObject("packed", statement, authData)) };
}
