// CTAP 2.1 section 6.5: PINs and the tokens that stand for them.
import { hash } from "node:crypto";
import { type CborMap, cborMap, type CborValue } from "../cbor/canonical.ts";
import { asMap, booleanAt, bytesAt, countAt } from "../cbor/fields.ts";
import { FidoError } from "../error.ts";
import { explain } from "../explain.ts";
import type { CallOptions } from "../hid/channel.ts";
import { encodeAgreementKey, parseAgreementKey } from "./cose-key.ts";
import type { AuthenticatorInfo } from "./info.ts";
import { choosePinProtocol, createAgreement, type PinProtocol } from "./pin-protocol.ts";
import { callCborMap, CTAP2, type CtapSession } from "./session.ts";

export const PERMISSION = { makeCredential: 0x01, getAssertion: 0x02 } as const;

export const SUBCOMMAND = {
  getPinRetries: 0x01,
  getKeyAgreement: 0x02,
  setPin: 0x03,
  changePin: 0x04,
  getPinToken: 0x05,
  getTokenUsingUv: 0x06,
  getUvRetries: 0x07,
  getTokenUsingPin: 0x09,
} as const;

/** A token is good for one touch: after it the key has forgotten its permissions. */
export interface PinToken {
  readonly protocol: PinProtocol;
  readonly bytes: Uint8Array;
}

export interface TokenScope {
  /** Sum of PERMISSION values. */
  readonly permissions: number;
  readonly rpId: string;
}

export interface PinRetries {
  readonly retries: number;
  /** The key takes no PIN until it has been unplugged. */
  readonly powerCycleNeeded: boolean;
}

/** How many wrong PINs the key still takes. Throws FidoError. */
export async function getPinRetries(session: CtapSession): Promise<PinRetries> {
  const answer = await callClientPin(session, protocolOf(session), SUBCOMMAND.getPinRetries, []);
  const retries = countAt(answer, 0x03, "pinRetries");
  if (retries === undefined) throw explain({ kind: "garbage", detail: "no number of PIN retries" });
  return { retries, powerCycleNeeded: booleanAt(answer, 0x04, "powerCycleState") ?? false };
}

/** How many fingers or the like the key still fails to recognise before it asks for the PIN; undefined if it does not say. */
export async function getUvRetries(session: CtapSession): Promise<number | undefined> {
  try {
    return countAt(await callClientPin(session, protocolOf(session), SUBCOMMAND.getUvRetries, []), 0x05, "uvRetries");
  } catch (error) {
    // Keys of CTAP 2.0 don't know the question.
    if (error instanceof FidoError && error.code === "DEVICE_REFUSED") return undefined;
    throw error;
  }
}

/** Sets the first PIN of a key that has none. Throws PIN_POLICY if the PIN does not fit, and FidoError. */
export async function setPin(session: CtapSession, pin: string): Promise<void> {
  const text = checkedPin(pin, session.info);
  const { protocol, platformKey, secret } = await agree(session);
  const newPin = protocol.encrypt(secret, padPin(text), session.randomBytes);
  await callClientPin(session, protocol, SUBCOMMAND.setPin, [
    [0x03, platformKey],
    [0x04, protocol.authenticate(secret, newPin)],
    [0x05, newPin],
  ]);
}

/** Replaces a PIN. Throws PIN_WRONG, PIN_POLICY and FidoError. */
export async function changePin(session: CtapSession, oldPin: string, newPin: string): Promise<void> {
  const text = checkedPin(newPin, session.info);
  const { protocol, platformKey, secret } = await agree(session);
  const newPinSealed = protocol.encrypt(secret, padPin(text), session.randomBytes);
  const oldHashSealed = protocol.encrypt(secret, pinHash(oldPin), session.randomBytes);
  await callClientPin(session, protocol, SUBCOMMAND.changePin, [
    [0x03, platformKey],
    [0x04, protocol.authenticate(secret, Buffer.concat([newPinSealed, oldHashSealed]))],
    [0x05, newPinSealed],
    [0x06, oldHashSealed],
  ]);
}

/** Trades a PIN for a token, with permissions where the key knows them. Throws PIN_WRONG, PIN_AUTH_BLOCKED, PIN_BLOCKED and FidoError. */
export async function getTokenUsingPin(session: CtapSession, pin: string, scope: TokenScope): Promise<PinToken> {
  const { protocol, platformKey, secret } = await agree(session);
  const withPermissions = session.info.options.get("pinUvAuthToken") === true;
  const answer = await callClientPin(
    session,
    protocol,
    withPermissions ? SUBCOMMAND.getTokenUsingPin : SUBCOMMAND.getPinToken,
    [
      [0x03, platformKey],
      [0x06, protocol.encrypt(secret, pinHash(pin), session.randomBytes)],
      ...(withPermissions ? scopeFields(scope) : []),
    ],
  );
  return openToken(answer, protocol, secret);
}

/** Trades a fingerprint or the like, taken by the key itself, for a token. Throws UV_FAILED and FidoError. */
export async function getTokenUsingUv(
  session: CtapSession,
  scope: TokenScope,
  options: CallOptions,
): Promise<PinToken> {
  const { protocol, platformKey, secret } = await agree(session);
  const fields: Field[] = [[0x03, platformKey], ...scopeFields(scope)];
  const answer = await callClientPin(session, protocol, SUBCOMMAND.getTokenUsingUv, fields, options);
  return openToken(answer, protocol, secret);
}

export type PinMisfit = "too-short" | "too-long";

const MAX_PIN_BYTES = 63;

export type PinLengths = Pick<AuthenticatorInfo, "minPinLength" | "maxPinLength">;

/** CTAP 2.2 section 6.5.1: NFC, as many code points as the key wants, at most 63 bytes of UTF-8, not ending in a zero. */
export function checkPin(pin: string, { minPinLength, maxPinLength }: PinLengths): PinMisfit | undefined {
  const text = pin.normalize("NFC");
  const codePoints = Array.from(text).length;
  if (codePoints < minPinLength || text.endsWith("\0")) return "too-short";
  const isTooLong = Buffer.byteLength(text) > MAX_PIN_BYTES || codePoints > (maxPinLength ?? MAX_PIN_BYTES);
  return isTooLong ? "too-long" : undefined;
}

/** The PIN protocol to be used with this key. Throws UV_UNAVAILABLE if it has none that we know. */
export function protocolOf(session: CtapSession): PinProtocol {
  // Keys of CTAP 2.0 may leave the list out and speak protocol one.
  const offered = session.info.pinProtocols.length === 0 ? [1] : session.info.pinProtocols;
  const protocol = choosePinProtocol(offered);
  if (protocol === undefined) throw explain({ kind: "uv-unavailable" });
  return protocol;
}

interface Agreement {
  readonly protocol: PinProtocol;
  readonly platformKey: CborMap;
  readonly secret: Uint8Array;
}

// Anew each time: the key makes itself a new pair after every wrong PIN.
async function agree(session: CtapSession): Promise<Agreement> {
  const protocol = protocolOf(session);
  const answer = await callClientPin(session, protocol, SUBCOMMAND.getKeyAgreement, []);
  const peer = parseAgreementKey(asMap(answer.get(0x01), "the key agreement"));
  const pair = createAgreement(session.randomBytes);
  return {
    protocol,
    platformKey: encodeAgreementKey(pair.getPublicKey()),
    secret: protocol.deriveSecret(pair.computeSecret(peer)),
  };
}

type Field = readonly [number, CborValue];

async function callClientPin(
  session: CtapSession,
  protocol: PinProtocol,
  subcommand: number,
  fields: readonly Field[],
  options: CallOptions = {},
): Promise<CborMap> {
  const parameters = cborMap([0x01, protocol.version], [0x02, subcommand], ...fields);
  return await callCborMap(session, CTAP2.clientPin, parameters, options);
}

function scopeFields(scope: TokenScope): Field[] {
  return [
    [0x09, scope.permissions],
    [0x0a, scope.rpId],
  ];
}

function openToken(answer: CborMap, protocol: PinProtocol, secret: Uint8Array): PinToken {
  const bytes = protocol.decrypt(secret, bytesAt(answer, 0x02, "the token"));
  if (!protocol.isTokenLength(bytes.length)) throw explain({ kind: "garbage", detail: "a token of impossible length" });
  return { protocol, bytes };
}

function checkedPin(pin: string, lengths: PinLengths): string {
  const misfit = checkPin(pin, lengths);
  if (misfit === undefined) return pin.normalize("NFC");
  const { minPinLength, maxPinLength } = lengths;
  const most = maxPinLength === undefined ? "" : `${maxPinLength} characters and `;
  throw new FidoError(
    "PIN_POLICY",
    misfit === "too-short"
      ? `A PIN of this key has at least ${minPinLength} characters.`
      : `A PIN of this key has at most ${most}63 bytes.`,
    { hint: "Choose another PIN." },
  );
}

function padPin(text: string): Uint8Array {
  const padded = new Uint8Array(64);
  padded.set(Buffer.from(text));
  return padded;
}

function pinHash(pin: string): Uint8Array {
  return new Uint8Array(hash("sha256", pin.normalize("NFC"), "buffer")).subarray(0, 16);
}
