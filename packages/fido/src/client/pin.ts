import { changePin as change, setPin as set } from "../ctap2/client-pin.ts";
import { STATUS } from "../ctap2/status.ts";
import { FidoError } from "../error.ts";
import { explain } from "../explain.ts";
import type { FidoDevice } from "./devices.ts";

/** What a key wants of a PIN. */
export interface PinRules {
  readonly isSet: boolean;
  /** The key takes no PIN for a token until it has been changed. */
  readonly mustChange: boolean;
  /** In code points. */
  readonly minLength: number;
  /** In code points; and at most 63 bytes of UTF-8 everywhere. */
  readonly maxLength: number;
  /** The key refuses PINs by rules of its own that it does not tell. */
  readonly hasHiddenRules: boolean;
}

const MAX_LENGTH = 63;

/** The key's own rules for PINs. Throws UV_UNAVAILABLE if it has none. */
export function pinRules({ info }: FidoDevice): PinRules {
  const isSet = info.options.get("clientPin");
  if (isSet === undefined) throw explain({ kind: "uv-unavailable" });
  return {
    isSet,
    mustChange: info.forcePinChange,
    minLength: info.minPinLength,
    maxLength: Math.min(info.maxPinLength ?? MAX_LENGTH, MAX_LENGTH),
    hasHiddenRules: info.pinComplexity,
  };
}

/** Sets the first PIN of a key. Throws UV_UNAVAILABLE, PIN_SET_ALREADY, PIN_POLICY and FidoError. */
export async function setPin(device: FidoDevice, pin: string): Promise<void> {
  if (pinRules(device).isSet) {
    throw new FidoError("PIN_SET_ALREADY", "This security key has a PIN already.", {
      hint: "Change it; the old one is needed for that.",
    });
  }
  await orHiddenRules(device, set(device, pin));
  await device.refresh();
}

/** Replaces a key's PIN. Throws UV_UNAVAILABLE, PIN_NOT_SET, PIN_WRONG, PIN_POLICY, PIN_AUTH_BLOCKED, PIN_BLOCKED and FidoError. */
export async function changePin(device: FidoDevice, oldPin: string, newPin: string): Promise<void> {
  if (!pinRules(device).isSet) throw explain({ kind: "status", status: STATUS.pinNotSet });
  await orHiddenRules(device, change(device, oldPin, newPin));
  await device.refresh();
}

// The length was right, or it would not have been sent.
async function orHiddenRules(device: FidoDevice, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const isPolicy = error instanceof FidoError && error.status === STATUS.pinPolicyViolation;
    if (isPolicy && device.info.pinComplexity) throw explain({ kind: "pin-rules" });
    throw error;
  }
}
