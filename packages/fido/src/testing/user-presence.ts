import { STATUS } from "../ctap2/status.ts";
import { type CommandContext, Refusal, type SoftDevice } from "./device.ts";
import { spendToken } from "./pin-state.ts";

/** Waits for the finger while keepalives say so. Throws the refusal due if it does not come. */
export async function awaitUserPresence(device: SoftDevice, context: CommandContext): Promise<void> {
  const timeout = AbortSignal.timeout(device.touchTimeout);
  context.setWaiting("touch");
  const outcome = await device.touch()(AbortSignal.any([context.signal, timeout]));
  context.setWaiting("processing");
  if (context.signal.aborted) throw new Refusal(STATUS.keepaliveCancel);
  if (outcome === "touched") return;
  throw new Refusal(timeout.aborted ? device.model.noTouchStatus : STATUS.operationDenied);
}

/** A touch for makeCredential or getAssertion: afterwards no token has a permission left. */
export async function spendTouch(device: SoftDevice, context: CommandContext): Promise<void> {
  await awaitUserPresence(device, context);
  spendToken(device.pin);
}
