// CTAP 2.1 sections 6.5.2 to 6.5.5: the authenticator's side of PINs and tokens.
import { type ECDH, timingSafeEqual } from "node:crypto";
import { createAgreement, PIN_PROTOCOL_ONE, PIN_PROTOCOL_TWO, type PinProtocol } from "../ctap2/pin-protocol.ts";
import { STATUS } from "../ctap2/status.ts";
import type { RandomBytes } from "../pipe/packet-pipe.ts";
import { Refusal } from "./device.ts";
import { MAX_PIN_RETRIES, type StateStore } from "./state.ts";

/** Forgotten at every power cycle. */
export interface PinState {
  agreement: ECDH;
  wrongInARow: number;
  token: IssuedToken | undefined;
  /** No token before the PIN has been changed. Outlives a loss of power. */
  mustChange: boolean;
}

interface IssuedToken {
  readonly bytes: Uint8Array;
  readonly version: 1 | 2;
  permissions: number;
  rpId: string | undefined;
}

const MOST_WRONG_IN_A_ROW = 3;

export function createPinState(randomBytes: RandomBytes, mustChange: boolean): PinState {
  return { agreement: createAgreement(randomBytes), wrongInARow: 0, token: undefined, mustChange };
}

export function protocolByVersion(version: unknown, offered: readonly number[]): PinProtocol {
  if (version === undefined) throw new Refusal(STATUS.missingParameter);
  const protocol = [PIN_PROTOCOL_ONE, PIN_PROTOCOL_TWO].find(
    (one) => one.version === version && offered.includes(one.version),
  );
  if (protocol === undefined) throw new Refusal(STATUS.invalidParameter);
  return protocol;
}

export interface PinSubject {
  readonly pin: PinState;
  readonly store: StateStore;
  readonly randomBytes: RandomBytes;
}

/** Throws the refusal due when no PIN may be tried now. */
export function checkNotBlocked({ pin, store }: PinSubject): void {
  if (store.state.pinRetries === 0) throw new Refusal(STATUS.pinBlocked);
  if (pin.wrongInARow >= MOST_WRONG_IN_A_ROW) throw new Refusal(STATUS.pinAuthBlocked);
}

/** Compares the PIN hash and counts. The count is saved before the comparison, so that pulling the plug gains no attempt. */
export async function verifyPinHash(subject: PinSubject, candidate: Uint8Array): Promise<void> {
  const { pin, store, randomBytes } = subject;
  const { state } = store;
  if (state.pinHash === undefined) throw new Refusal(STATUS.pinNotSet);
  checkNotBlocked(subject);
  state.pinRetries--;
  await store.save();
  if (candidate.length !== state.pinHash.length || !timingSafeEqual(candidate, state.pinHash)) {
    pin.agreement = createAgreement(randomBytes);
    pin.wrongInARow++;
    checkNotBlocked(subject);
    throw new Refusal(STATUS.pinInvalid);
  }
  state.pinRetries = MAX_PIN_RETRIES;
  pin.wrongInARow = 0;
  await store.save();
}

/** A new token; every earlier one is void. */
export function issueToken(
  { pin, randomBytes }: PinSubject,
  version: 1 | 2,
  permissions: number,
  rpId?: string,
): Uint8Array {
  const bytes = randomBytes(32);
  pin.token = { bytes, version, permissions, rpId };
  return bytes;
}

/** Throws unless `param` authenticates `message` under a live token with `permission` for `rpId`. */
export function checkToken(
  pin: PinState,
  protocol: PinProtocol,
  param: Uint8Array,
  message: Uint8Array,
  permission: number,
  rpId: string,
): void {
  const { token } = pin;
  if (token === undefined || token.version !== protocol.version) throw new Refusal(STATUS.pinAuthInvalid);
  const expected = protocol.authenticate(token.bytes, message);
  const isValid = expected.length === param.length && timingSafeEqual(expected, param);
  const isPermitted = (token.permissions & permission) !== 0 && (token.rpId === undefined || token.rpId === rpId);
  if (!isValid || !isPermitted) throw new Refusal(STATUS.pinAuthInvalid);
  token.rpId = rpId;
}

/** After a touch a token has no permissions left. */
export function spendToken(pin: PinState): void {
  if (pin.token !== undefined) pin.token.permissions = 0;
}
