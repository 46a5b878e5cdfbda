// What the tests of this package share: keys, people and devices that misbehave on purpose.
import { createPublicKey, type KeyObject, randomBytes as systemRandomBytes, verify } from "node:crypto";
import { expect } from "vitest";
import {
  assertKey,
  type CredentialPublicKey,
  type DeviceEdges,
  enrollKey,
  type EnrolledKey,
  type EnrollRequest,
  FidoError,
  type FidoDevice,
  type FidoErrorCode,
  type Interaction,
  type KeyAssertion,
  openDevice,
  type PinQuestion,
  setPin,
} from "../src/index.ts";
import {
  createSoftwareAuthenticator,
  describeSoftDevice,
  type SoftwareAuthenticator,
  type SoftwareAuthenticatorOptions,
} from "../src/testing/index.ts";

export const RP_ID = "ssh:touchmark";
export const PIN = "pewter-1234";
export const QUICK: DeviceEdges = {
  timing: { packet: 400, transaction: 1_500, busy: 300, busyRetry: 10, cancel: 300 },
};

export function random(length: number): Uint8Array {
  return new Uint8Array(systemRandomBytes(length));
}

/** An authenticator and an open handle on it. */
export async function plugged(
  options: Partial<SoftwareAuthenticatorOptions> = {},
): Promise<{ readonly authenticator: SoftwareAuthenticator; readonly device: FidoDevice }> {
  const authenticator = createSoftwareAuthenticator({ keepaliveEvery: 10, touchTimeout: 200, ...options });
  const device = await openDevice(describeSoftDevice(authenticator), QUICK);
  return { authenticator, device };
}

/** The same with a PIN set. */
export async function pluggedWithPin(options: Partial<SoftwareAuthenticatorOptions> = {}): ReturnType<typeof plugged> {
  const both = await plugged(options);
  await setPin(both.device, PIN);
  return both;
}

export interface Person extends Interaction {
  readonly questions: PinQuestion[];
  readonly touches: string[];
}

/** Somebody who answers the questions for a PIN with `pins`, one after the other, and then gives up. */
export function person(pins: readonly string[] = [], signal?: AbortSignal): Person {
  const questions: PinQuestion[] = [];
  const touches: string[] = [];
  return {
    questions,
    touches,
    signal,
    askPin: async (question) => {
      questions.push(question);
      return pins[questions.length - 1];
    },
    showTouch: (name) => void touches.push(name),
  };
}

export function enroll(device: FidoDevice, changes: Partial<EnrollRequest> = {}): Promise<EnrolledKey> {
  return enrollKey({
    device,
    rpId: RP_ID,
    clientDataHash: random(32),
    user: { id: Uint8Array.of(1, 2, 3), name: "ada" },
    algorithms: [-7],
    interaction: person(),
    ...changes,
  });
}

/** Signs and verifies with node:crypto. */
export async function signAndVerify(
  device: FidoDevice,
  key: EnrolledKey,
  interaction: Interaction,
  wantUv = false,
): Promise<KeyAssertion> {
  const clientDataHash = random(32);
  const assertion = await assertKey({
    device,
    rpId: RP_ID,
    clientDataHash,
    credentialIds: [key.credentialId],
    interaction,
    wantUv,
  });
  expect(verifies(key.publicKey, assertion, clientDataHash)).toBe(true);
  return assertion;
}

export function verifies(
  publicKey: CredentialPublicKey,
  assertion: Pick<KeyAssertion, "authData" | "signature">,
  clientDataHash: Uint8Array,
): boolean {
  const signed = Buffer.concat([assertion.authData, clientDataHash]);
  return verify(publicKey.alg === "ES256" ? "sha256" : null, signed, toKeyObject(publicKey), assertion.signature);
}

export function toKeyObject(key: CredentialPublicKey): KeyObject {
  const url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
  if (key.alg === "EdDSA")
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: url(key.key) }, format: "jwk" });
  const [x, y] = [url(key.point.subarray(1, 33)), url(key.point.subarray(33))];
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
}

/** The FidoError that `work` ends with; fails the test if it ends otherwise. */
export async function refusal(work: Promise<unknown>): Promise<FidoError> {
  try {
    await work;
  } catch (error) {
    expect(error).toBeInstanceOf(FidoError);
    return error as FidoError;
  }
  throw new Error("nothing was thrown");
}

export async function expectCode(work: Promise<unknown>, code: FidoErrorCode): Promise<FidoError> {
  const error = await refusal(work);
  expect(error.code, error.message).toBe(code);
  return error;
}

/** The code that `work` throws. */
export function codeOf(work: () => unknown): FidoErrorCode {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(FidoError);
    return (error as FidoError).code;
  }
  throw new Error("nothing was thrown");
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
