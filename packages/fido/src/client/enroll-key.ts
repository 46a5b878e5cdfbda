import { hash } from "node:crypto";
import type { Attestation } from "../ctap2/attestation.ts";
import { FLAG } from "../ctap2/auth-data.ts";
import type { Authorization } from "../ctap2/authorization.ts";
import { PERMISSION } from "../ctap2/client-pin.ts";
import { type Algorithm, type CredentialPublicKey, EDDSA, ES256 } from "../ctap2/cose-key.ts";
import { makeCredential } from "../ctap2/make-credential.ts";
import { STATUS } from "../ctap2/status.ts";
import { FidoError } from "../error.ts";
import { explain } from "../explain.ts";
import { callOptionsFor } from "./call-options.ts";
import type { FidoDevice } from "./devices.ts";
import { findCredential } from "./find-credential.ts";
import type { Interaction } from "./interaction.ts";
import { checkRequest, checkUser } from "./check-request.ts";
import { authorize, decideUserVerification } from "./user-verification.ts";

export interface EnrollRequest {
  readonly device: FidoDevice;
  readonly rpId: string;
  /** 32 bytes that the attestation will bind the key to. */
  readonly clientDataHash: Uint8Array;
  readonly user: { readonly id: Uint8Array; readonly name: string };
  /** Best first. */
  readonly algorithms: readonly Algorithm[];
  /** Credentials already enrolled; a key that holds one of them is refused. */
  readonly excludeCredentialIds?: readonly Uint8Array[];
  readonly wantUv?: boolean;
  readonly interaction: Interaction;
}

export interface EnrolledKey {
  readonly credentialId: Uint8Array;
  readonly publicKey: CredentialPublicKey;
  /** 16 bytes; zeros if the key hides its model. */
  readonly aaguid: Uint8Array;
  readonly authData: Uint8Array;
  /** The attestation object in WebAuthn's form: CBOR of fmt, attStmt, authData. */
  readonly attestationObject: Uint8Array;
  readonly fmt: string;
  readonly flags: number;
}

/** Makes a credential: a PIN if the key asks for one, then one touch. Throws FidoError; nothing is left on the key if it does. */
export async function enrollKey(request: EnrollRequest): Promise<EnrolledKey> {
  checkRequest(request);
  checkUser(request.user);
  const { device, interaction, rpId } = request;
  const algorithms = request.algorithms.filter(
    (algorithm) => device.info.algorithms.length === 0 || device.info.algorithms.includes(algorithm),
  );
  if (algorithms.length === 0) throw explain({ kind: "status", status: STATUS.unsupportedAlgorithm });
  await refuseIfEnrolled(request, { kind: "none" });

  let verify = decideUserVerification(device.info, { wantUv: request.wantUv === true, operation: "enroll" });
  for (;;) {
    const authorization = verify
      ? await authorize(device, { permissions: scopeOf(request), rpId }, interaction)
      : ({ kind: "none" } as const);
    if (authorization.kind === "token") await refuseIfEnrolled(request, authorization);
    try {
      const attestation = await makeCredential(
        device,
        { rpId, clientDataHash: request.clientDataHash, user: request.user, algorithms, authorization },
        callOptionsFor(device.name, interaction),
      );
      return checkEnrolled(attestation, request, algorithms);
    } catch (error) {
      // Some keys tell only now that they insist on a PIN.
      if (verify || !(error instanceof FidoError) || error.status !== STATUS.pinOrUvRequired) throw error;
      verify = true;
    }
  }
}

function scopeOf(request: EnrollRequest): number {
  const exclude = request.excludeCredentialIds ?? [];
  return exclude.length === 0 ? PERMISSION.makeCredential : PERMISSION.makeCredential | PERMISSION.getAssertion;
}

// Asked beforehand and not in makeCredential: the list may be longer than a key takes, and no touch is wasted.
async function refuseIfEnrolled(request: EnrollRequest, authorization: Authorization): Promise<void> {
  const credentialIds = request.excludeCredentialIds ?? [];
  const { rpId, interaction } = request;
  const search = await findCredential(request.device, {
    rpId,
    credentialIds,
    authorization,
    signal: interaction.signal,
  });
  if (search.kind === "found") throw explain({ kind: "status", status: STATUS.credentialExcluded });
}

function checkEnrolled(
  attestation: Attestation,
  request: EnrollRequest,
  algorithms: readonly Algorithm[],
): EnrolledKey {
  const { authData } = attestation;
  const { credentialId, publicKey, aaguid } = authData.attested;
  if (Buffer.compare(authData.rpIdHash, hash("sha256", request.rpId, "buffer")) !== 0)
    throw bad("a credential for another application");
  if ((authData.flags & FLAG.up) === 0) throw bad("a credential made without a touch");
  if (request.wantUv === true && (authData.flags & FLAG.uv) === 0)
    throw bad("a credential made without verifying the user");
  if (!algorithms.includes(publicKey.alg === "ES256" ? ES256 : EDDSA)) throw bad("a credential with another algorithm");
  return {
    credentialId,
    publicKey,
    aaguid,
    authData: attestation.authDataBytes,
    attestationObject: attestation.objectBytes,
    fmt: attestation.fmt,
    flags: authData.flags,
  };
}

function bad(detail: string): FidoError {
  return explain({ kind: "garbage", detail });
}
