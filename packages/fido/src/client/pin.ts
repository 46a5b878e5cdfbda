import { changePin as change, setPin as set } from "../ctap2/client-pin.ts";
import type { FidoDevice } from "./devices.ts";

/** Sets the first PIN of a key. Throws PIN_POLICY and FidoError. */
export async function setPin(device: FidoDevice, pin: string): Promise<void> {
  await set(device, pin);
  await device.refresh();
}

/** Replaces a key's PIN. Throws PIN_WRONG, PIN_POLICY and FidoError. */
export async function changePin(device: FidoDevice, oldPin: string, newPin: string): Promise<void> {
  await change(device, oldPin, newPin);
  await device.refresh();
}
