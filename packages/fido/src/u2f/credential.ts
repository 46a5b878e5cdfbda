// CTAP 2.1 section 7: what a U2F key says, in the form of CTAP2, so that one verifier serves both.
import { hash } from "node:crypto";
import { cborMap, encodeCbor } from "../cbor/canonical.ts";
import { type Attestation, encodeAttestationObject, parseAttestationObject } from "../ctap2/attestation.ts";
import { FLAG, parseAuthData } from "../ctap2/auth-data.ts";
import { encodeCredentialKey, ES256 } from "../ctap2/cose-key.ts";
import type { Assertion } from "../ctap2/get-assertion.ts";
import type { AuthenticatorInfo } from "../ctap2/info.ts";
import { explain } from "../explain.ts";
import type { CallOptions, CtapChannel } from "../hid/channel.ts";
import { MAX_MESSAGE_BYTES } from "../hid/framing.ts";
import { authenticate, knowsHandle, register } from "./messages.ts";

/** A key handle's length is told in one byte. */
const MAX_HANDLE = 255;

/** What there is to know of a key that speaks U2F alone. */
export const U2F_INFO: AuthenticatorInfo = {
  versions: ["U2F_V2"],
  extensions: [],
  aaguid: new Uint8Array(16),
  options: new Map(),
  maxMessageBytes: MAX_MESSAGE_BYTES,
  pinProtocols: [],
  maxCredentialCountInList: 1,
  maxCredentialIdLength: MAX_HANDLE,
  algorithms: [ES256],
  forcePinChange: false,
  minPinLength: 4,
  maxPinLength: undefined,
  pinComplexity: false,
  firmwareVersion: undefined,
  uvAttempts: 1,
  transports: [],
};

export function isU2fOnly(info: AuthenticatorInfo): boolean {
  return !info.versions.some((version) => version.startsWith("FIDO_2"));
}

/** CTAP 2.1 section 7.1.2. Throws FidoError. */
export async function makeU2fCredential(
  channel: CtapChannel,
  rpId: string,
  clientDataHash: Uint8Array,
  options: CallOptions,
): Promise<Attestation> {
  const application = applicationOf(rpId);
  const { publicKey, keyHandle, certificate, signature } = await register(
    channel,
    { challenge: clientDataHash, application },
    options,
  );
  const authData = Buffer.concat([
    application,
    Uint8Array.of(FLAG.up | FLAG.at, 0, 0, 0, 0),
    U2F_INFO.aaguid,
    Uint8Array.of(0, keyHandle.length),
    keyHandle,
    encodeCbor(encodeCredentialKey({ alg: "ES256", point: publicKey })),
  ]);
  const attStmt = encodeCbor(cborMap(["sig", signature], ["x5c", [certificate]]));
  // Read like any other key's, so that the point is held against its curve.
  return parseAttestationObject(encodeAttestationObject("fido-u2f", attStmt, authData));
}

/** CTAP 2.1 section 7.2.2. Throws FidoError. */
export async function getU2fAssertion(
  channel: CtapChannel,
  rpId: string,
  clientDataHash: Uint8Array,
  credentialId: Uint8Array,
  options: CallOptions,
): Promise<Assertion> {
  const application = applicationOf(rpId);
  const question = { challenge: clientDataHash, application };
  const { presence, counter, signature } = await authenticate(channel, question, credentialId, options);
  if (presence !== FLAG.up) throw explain({ kind: "garbage", detail: "a U2F signature without a touch" });
  const authDataBytes = new Uint8Array(37);
  authDataBytes.set(application);
  authDataBytes[32] = presence;
  new DataView(authDataBytes.buffer).setUint32(33, counter);
  return { credentialId, authDataBytes, authData: parseAuthData(authDataBytes), signature, userHandle: undefined };
}

/** The first of the credentials that the key has made for the application. Throws FidoError. */
export async function findU2fCredential(
  channel: CtapChannel,
  rpId: string,
  credentialIds: readonly Uint8Array[],
  options: CallOptions,
): Promise<Uint8Array | undefined> {
  for (const id of credentialIds) {
    if (id.length <= MAX_HANDLE && (await knowsHandle(channel, applicationOf(rpId), id, options))) return id;
  }
  return undefined;
}

/** Waits for a touch by making a key pair that nobody keeps. Throws TOUCH_TIMEOUT, CANCELLED and FidoError. */
export async function awaitU2fTouch(channel: CtapChannel, options: CallOptions): Promise<void> {
  await register(channel, { challenge: new Uint8Array(32), application: new Uint8Array(32) }, options);
}

function applicationOf(rpId: string): Uint8Array {
  return new Uint8Array(hash("sha256", rpId, "buffer"));
}
