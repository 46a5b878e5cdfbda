import {
  type Authority,
  encodeSshSignature,
  type EnvelopeSignature,
  envelopeSignedBytes,
  parseBase64,
  parseKey,
  signatureFromAssertion,
  verifySshSignature,
} from "@touchmark/core";
import { assertKey, type Interaction } from "@touchmark/fido";
import { nodeCrypto } from "@touchmark/log";
import { CliError } from "../error.ts";
import type { EnrolledKey } from "./key-store.ts";
import { openKey } from "./open-key.ts";

export interface SigningRequest {
  payload: Uint8Array;
  /** Keys of one holder with one application; whichever is plugged in signs. */
  keys: readonly EnrolledKey[];
  device: string;
  demands: Pick<Authority, "userVerification" | "deviceBound">;
  interaction: Interaction;
  /** The file of `--trace`, by its whole path. */
  trace: string | undefined;
}

/** One signature over a statement with one touch, verified before it is given back. Throws `BAD_OWN_SIGNATURE`, FidoError. */
export async function signPayload(
  request: SigningRequest,
): Promise<{ signature: EnvelopeSignature; key: EnrolledKey }> {
  const { payload, keys, demands, interaction, trace } = request;
  const tbs = envelopeSignedBytes(nodeCrypto, payload);
  const rpId = parseKey(keys[0]!.key).application;
  const credentialIds = keys.map(({ credentialId }) => parseBase64(credentialId));
  const device = await openKey({ device: request.device, trace, interaction, holding: { rpId, credentialIds } });
  try {
    const assertion = await assertKey({
      device,
      rpId,
      clientDataHash: nodeCrypto.sha256(tbs), // [K-8]
      credentialIds,
      wantUv: demands.userVerification,
      interaction,
    });
    const used = credentialIds.findIndex((id) => Buffer.compare(id, assertion.credentialId) === 0);
    const key = keys[used];
    if (key === undefined) throw bad("The security key signed with a credential that nobody asked for.");
    const signature = signatureFromAssertion(nodeCrypto, parseKey(key.key), assertion.authData, assertion.signature);
    verifyOwn(() => {
      verifySshSignature(nodeCrypto, signature, tbs, demands);
    });
    return { signature: { keyid: key.fingerprint, sig: encodeSshSignature(signature) }, key };
  } finally {
    await device.close();
  }
}

function verifyOwn(verify: () => void): void {
  try {
    verify();
  } catch (cause) {
    throw bad("The security key's signature does not verify; nothing was written.", cause);
  }
}

function bad(message: string, cause?: unknown): CliError {
  return new CliError("BAD_OWN_SIGNATURE", message, "Try again; if this comes back, use another key.", cause);
}
