import type { Authorization } from "../ctap2/authorization.ts";
import {
  checkPin,
  getPinRetries,
  getTokenUsingPin,
  getTokenUsingUv,
  getUvRetries,
  type PinToken,
  type TokenScope,
} from "../ctap2/client-pin.ts";
import type { AuthenticatorInfo } from "../ctap2/info.ts";
import { STATUS } from "../ctap2/status.ts";
import { FidoError } from "../error.ts";
import { explain } from "../explain.ts";
import { callOptionsFor } from "./call-options.ts";
import type { FidoDevice } from "./devices.ts";
import type { Interaction, PinReason } from "./interaction.ts";

export interface VerificationWish {
  readonly wantUv: boolean;
  readonly operation: "enroll" | "assert";
}

/** Whether this key's user must be verified: because the caller wants it, or because the key does it no other way. */
export function decideUserVerification(info: AuthenticatorInfo, wish: VerificationWish): boolean {
  const isProtected = info.options.get("clientPin") === true || info.options.get("uv") === true;
  if (wish.wantUv || info.options.get("alwaysUv") === true) return true;
  return wish.operation === "enroll" && isProtected && info.options.get("makeCredUvNotRqd") !== true;
}

/**
 * Has the key's user verified by the key's own means or, failing that, by the PIN. The result is good for one touch.
 * Throws PIN_NOT_SET, UV_UNAVAILABLE, UV_FAILED, UV_BLOCKED, PIN_WRONG (given up), PIN_AUTH_BLOCKED, PIN_BLOCKED, PIN_POLICY,
 * PIN_CHANGE_NEEDED, CANCELLED.
 */
export async function authorize(
  device: FidoDevice,
  scope: TokenScope,
  interaction: Interaction,
): Promise<Authorization> {
  const { options } = device.info;
  const hasPin = options.get("clientPin") === true;
  if (options.get("uv") === true) {
    if (options.get("pinUvAuthToken") !== true) return { kind: "built-in" };
    const token = await tokenByUv(device, scope, interaction, hasPin);
    if (token !== undefined) return { kind: "token", token };
  }
  if (hasPin && options.get("noMcGaPermissionsWithClientPin") !== true) {
    return { kind: "token", token: await tokenByPin(device, scope, interaction) };
  }
  if (options.has("clientPin") && !hasPin) throw explain({ kind: "status", status: STATUS.pinNotSet });
  throw explain({ kind: "uv-unavailable" });
}

const FALL_BACK: ReadonlySet<number | undefined> = new Set([
  STATUS.uvBlocked,
  STATUS.invalidSubcommand,
  STATUS.unauthorizedPermission,
]);

async function tokenByUv(
  device: FidoDevice,
  scope: TokenScope,
  interaction: Interaction,
  hasPin: boolean,
): Promise<PinToken | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await getTokenUsingUv(device, scope, callOptionsFor(device.name, interaction));
    } catch (error) {
      if (!(error instanceof FidoError)) throw error;
      if (error.status !== STATUS.uvInvalid) {
        if (hasPin && FALL_BACK.has(error.status)) return undefined;
        throw error;
      }
      const retries = await getUvRetries(device);
      if (attempt < device.info.uvAttempts && retries !== 0) interaction.showUvFailed?.(device.name, retries);
      else if (hasPin) return undefined;
      else throw explain({ kind: "status", status: STATUS.uvInvalid, ...(retries !== undefined && { retries }) });
    }
  }
}

/** PINs that don't even fit, before it is called off. */
const MISFITS_ALLOWED = 3;

// Never tries a PIN again by itself: each try is one that the person typed after seeing how many are left.
async function tokenByPin(device: FidoDevice, scope: TokenScope, interaction: Interaction): Promise<PinToken> {
  if (device.info.forcePinChange) throw explain({ kind: "pin-change-needed" });
  const minLength = device.info.minPinLength;
  let reason: PinReason = "needed";
  let misfits = 0;
  for (;;) {
    const { retries, powerCycleNeeded } = await getPinRetries(device);
    if (retries === 0) throw explain({ kind: "status", status: STATUS.pinBlocked, retries });
    if (powerCycleNeeded) throw explain({ kind: "status", status: STATUS.pinAuthBlocked, retries });
    const pin = await interaction.askPin({ deviceName: device.name, retries, minLength, reason });
    if (interaction.signal?.aborted) throw explain({ kind: "cancelled" });
    if (pin === undefined)
      throw reason === "wrong"
        ? explain({ kind: "status", status: STATUS.pinInvalid, retries })
        : explain({ kind: "cancelled" });
    const misfit = checkPin(pin, device.info);
    if (misfit !== undefined) {
      if (++misfits >= MISFITS_ALLOWED) throw explain({ kind: "status", status: STATUS.pinPolicyViolation });
      reason = misfit;
      continue;
    }
    try {
      return await getTokenUsingPin(device, pin, scope);
    } catch (error) {
      if (!(error instanceof FidoError) || error.status !== STATUS.pinInvalid) throw error;
      reason = "wrong";
    }
  }
}
