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
import { makeU2fCredential } from "../u2f/credential.ts";
import { callOptionsFor } from "./call-options.ts";
import { checkRequest, checkUser } from "./check-request.ts";
import type { FidoDevice } from "./devices.ts";
import { findCredential, fittingIds } from "./find-credential.ts";
import type { Interaction } from "./interaction.ts";
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
  /** To whom the key shows and uses the credential; without it, to whoever touches it. */
  readonly protection?: CredentialProtection;
  /**
   * The key keeps the credential itself, and finds it without its id. It has few places for such, and a new one replaces
   * another with the same rpId and user id: give each its own user id.
   */
  readonly discoverable?: boolean;
  readonly interaction: Interaction;
}

/** CTAP 2.1 section 12.1. `list`: without a verified user only to those who know the credential's id. `verified`: to a verified user only. */
export type CredentialProtection = "list" | "verified";

export interface EnrolledKey {
  readonly credentialId: Uint8Array;
  readonly publicKey: CredentialPublicKey;
  /** 16 bytes; zeros if the key hides its model, or speaks U2F. */
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
  checkAbilities(request);
  let isExcludedFirst = await refuseIfEnrolled(request, { kind: "none" });

  let verify = decideUserVerification(device.info, {
    wantUv: request.wantUv === true || request.protection === "verified",
    operation: "enroll",
  });
  for (;;) {
    const authorization = verify
      ? await authorize(device, { permissions: scopeOf(request), rpId }, interaction)
      : ({ kind: "none" } as const);
    if (authorization.kind === "token") isExcludedFirst = await refuseIfEnrolled(request, authorization);
    try {
      const attestation = await make(request, {
        algorithms,
        authorization,
        // What the key did not tell beforehand it has to see to itself.
        exclude: isExcludedFirst && authorization.kind !== "built-in" ? [] : (request.excludeCredentialIds ?? []),
      });
      return checkEnrolled(attestation, request, algorithms);
    } catch (error) {
      // Some keys tell only now that they insist on a PIN.
      if (verify || !(error instanceof FidoError) || error.status !== STATUS.pinOrUvRequired) throw error;
      verify = true;
    }
  }
}

// Before anybody types a PIN or touches a key for nothing.
function checkAbilities({ device: { info }, protection, discoverable }: EnrollRequest): void {
  if (protection !== undefined && !info.extensions.includes("credProtect"))
    throw explain({ kind: "unable", what: "keep a credential from users that it has not verified" });
  if (discoverable === true && info.options.get("rk") !== true)
    throw explain({ kind: "unable", what: "keep a credential itself" });
}

function scopeOf(request: EnrollRequest): number {
  const exclude = request.excludeCredentialIds ?? [];
  return exclude.length === 0 ? PERMISSION.makeCredential : PERMISSION.makeCredential | PERMISSION.getAssertion;
}

// Asked beforehand and not in makeCredential alone: the list may be longer than a key takes, and no touch is wasted.
// true: the key has none of them, as far as it shows them.
async function refuseIfEnrolled(request: EnrollRequest, authorization: Authorization): Promise<boolean> {
  const credentialIds = request.excludeCredentialIds ?? [];
  const { rpId, interaction } = request;
  const search = await findCredential(request.device, {
    rpId,
    credentialIds,
    authorization,
    signal: interaction.signal,
  });
  if (search.kind === "found") throw explain({ kind: "status", status: STATUS.credentialExcluded });
  return search.kind === "absent";
}

interface Making {
  readonly algorithms: readonly Algorithm[];
  readonly authorization: Authorization;
  readonly exclude: readonly Uint8Array[];
}

const PROTECTION: Record<CredentialProtection, number> = { list: 2, verified: 3 };

async function make(request: EnrollRequest, { algorithms, authorization, exclude }: Making): Promise<Attestation> {
  const { device, rpId, clientDataHash, user, discoverable, protection, interaction } = request;
  const options = callOptionsFor(device.name, interaction);
  if (device.protocol === "u2f") return await makeU2fCredential(device.channel, rpId, clientDataHash, options);
  const wish = {
    rpId,
    clientDataHash,
    user,
    algorithms,
    authorization,
    discoverable: discoverable === true,
    protection: protection === undefined ? undefined : PROTECTION[protection],
  };
  // As many as the key takes; a message that is too long is refused before it is sent.
  let excludeCredentialIds = fittingIds(device, exclude).slice(
    0,
    device.info.maxCredentialCountInList ?? exclude.length,
  );
  for (;;) {
    try {
      return await makeCredential(device, { ...wish, excludeCredentialIds }, options);
    } catch (error) {
      const isTooLong = error instanceof FidoError && error.status === STATUS.requestTooLarge;
      if (!isTooLong || excludeCredentialIds.length === 0) throw error;
      excludeCredentialIds = excludeCredentialIds.slice(0, -1);
    }
  }
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
  if (request.protection !== undefined) {
    const level = authData.extensions?.get("credProtect");
    if (typeof level !== "number" || level < PROTECTION[request.protection])
      throw bad("a credential that is less protected than asked");
  }
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
