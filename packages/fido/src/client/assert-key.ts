import { hash } from "node:crypto";
import { FLAG } from "../ctap2/auth-data.ts";
import type { Authorization } from "../ctap2/authorization.ts";
import { PERMISSION } from "../ctap2/client-pin.ts";
import { type Assertion, getAssertion } from "../ctap2/get-assertion.ts";
import { STATUS } from "../ctap2/status.ts";
import { FidoError } from "../error.ts";
import { explain } from "../explain.ts";
import { getU2fAssertion } from "../u2f/credential.ts";
import { callOptionsFor } from "./call-options.ts";
import { checkRequest } from "./check-request.ts";
import type { FidoDevice } from "./devices.ts";
import { type CredentialSearch, findCredential, fittingIds } from "./find-credential.ts";
import type { Interaction } from "./interaction.ts";
import { authorize, decideUserVerification } from "./user-verification.ts";

export interface AssertRequest {
  readonly device: FidoDevice;
  readonly rpId: string;
  /** SHA-256 of the bytes to be signed ([K-8]): 32 bytes. */
  readonly clientDataHash: Uint8Array;
  /** The key signs with whichever of these it holds; `discoverable`: with the one that it keeps itself and was made last. */
  readonly credentialIds: readonly Uint8Array[] | "discoverable";
  readonly wantUv?: boolean;
  readonly interaction: Interaction;
}

export interface KeyAssertion {
  readonly credentialId: Uint8Array;
  /** 37 bytes: SHA-256 of the rpId, flags, counter. */
  readonly authData: Uint8Array;
  /** Over authData and clientDataHash: DER for ES256, 64 bytes for EdDSA. */
  readonly signature: Uint8Array;
  readonly flags: number;
  readonly counter: number;
  /** The user id of a discoverable credential, where the key gives it. */
  readonly userHandle: Uint8Array | undefined;
}

/** Signs with one touch, after a PIN if that is wanted or the key insists. The signature itself is the caller's to verify. Throws FidoError. */
export async function assertKey(request: AssertRequest): Promise<KeyAssertion> {
  checkRequest(request);
  const { device, interaction, rpId } = request;
  if (request.credentialIds === "discoverable" && device.info.options.get("rk") !== true)
    throw explain({ kind: "unable", what: "keep a credential itself" });
  // Before anybody types a PIN for nothing.
  const early = await search(request, { kind: "none" });
  let verify = decideUserVerification(device.info, { wantUv: request.wantUv === true, operation: "assert" });
  for (;;) {
    const authorization = verify
      ? await authorize(device, { permissions: PERMISSION.getAssertion, rpId }, interaction)
      : ({ kind: "none" } as const);
    const found =
      early.kind === "found" || authorization.kind !== "token" ? early : await search(request, authorization);
    if (found.kind === "absent") throw unknown();
    try {
      const assertion = await signWithOneOf(request, candidateLists(found, request), authorization);
      return checkAssertion(assertion, request);
    } catch (error) {
      // Some keys tell only now that they insist on a PIN.
      if (verify || !(error instanceof FidoError) || error.status !== STATUS.pinOrUvRequired) throw error;
      verify = true;
    }
  }
}

async function search(request: AssertRequest, authorization: Authorization): Promise<CredentialSearch> {
  const { device, rpId, credentialIds, interaction } = request;
  if (credentialIds === "discoverable") return { kind: "unsure" };
  return await findCredential(device, { rpId, credentialIds, authorization, signal: interaction.signal });
}

// A key that answers no questions without a touch is asked with one, list after list.
function candidateLists(found: CredentialSearch, { device, credentialIds }: AssertRequest): Uint8Array[][] {
  if (found.kind === "found") return [[found.credentialId]];
  if (credentialIds === "discoverable") return [[]];
  const fitting = fittingIds(device, credentialIds);
  const most = Math.max(1, device.info.maxCredentialCountInList ?? 1);
  return Array.from({ length: Math.ceil(fitting.length / most) }, (_, index) =>
    fitting.slice(index * most, (index + 1) * most),
  );
}

async function signWithOneOf(
  request: AssertRequest,
  lists: readonly Uint8Array[][],
  authorization: Authorization,
): Promise<Assertion> {
  const { device, rpId, clientDataHash, interaction } = request;
  for (const credentialIds of lists) {
    try {
      const options = callOptionsFor(device.name, interaction);
      const [first] = credentialIds;
      if (device.protocol === "u2f" && first !== undefined)
        return await getU2fAssertion(device.channel, rpId, clientDataHash, first, options);
      return await getAssertion(device, { rpId, clientDataHash, credentialIds, authorization }, options);
    } catch (error) {
      if (!(error instanceof FidoError) || error.status !== STATUS.noCredentials) throw error;
    }
  }
  throw unknown();
}

function checkAssertion(assertion: Assertion, request: AssertRequest): KeyAssertion {
  const { authData, authDataBytes } = assertion;
  const { flags, counter } = authData;
  if (Buffer.compare(authData.rpIdHash, hash("sha256", request.rpId, "buffer")) !== 0)
    throw bad("an assertion for another application");
  if ((flags & FLAG.up) === 0) throw bad("an assertion without a touch");
  if (request.wantUv === true && (flags & FLAG.uv) === 0) throw bad("an assertion without verifying the user");
  // [K-14]
  if (authData.attested !== undefined || authData.extensions !== undefined)
    throw bad("an assertion with parts that were not asked for");
  return {
    credentialId: assertion.credentialId,
    authData: authDataBytes,
    signature: assertion.signature,
    flags,
    counter,
    userHandle: assertion.userHandle,
  };
}

function unknown(): FidoError {
  return explain({ kind: "status", status: STATUS.noCredentials });
}

function bad(detail: string): FidoError {
  return explain({ kind: "garbage", detail });
}
