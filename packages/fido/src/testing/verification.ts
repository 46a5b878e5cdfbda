import type { CborMap } from "../cbor/canonical.ts";
import { STATUS } from "../ctap2/status.ts";
import { type CommandContext, Refusal, type SoftDevice } from "./device.ts";
import { bytesOf } from "./parameters.ts";
import { checkToken, protocolByVersion } from "./pin-state.ts";
import { awaitUserPresence } from "./user-presence.ts";

export interface TokenUse {
  readonly rpId: string;
  readonly clientDataHash: Uint8Array;
  readonly permission: number;
  /** Where this command carries its pinUvAuthParam and protocol. */
  readonly paramKey: number;
  readonly protocolKey: number;
}

/** CTAP 2.1 section 6.1.2 step 1: with an empty pinUvAuthParam the host only wants a touch. */
export async function answerTouchProbe(
  device: SoftDevice,
  parameters: CborMap,
  paramKey: number,
  context: CommandContext,
): Promise<void> {
  const param = parameters.get(paramKey);
  if (!device.model.hasClientPin || !(param instanceof Uint8Array) || param.length > 0) return;
  await awaitUserPresence(device, context);
  throw new Refusal(device.store.state.pinHash === undefined ? STATUS.pinNotSet : STATUS.pinInvalid);
}

/** Whether a token was presented and holds. Throws Refusal if one was presented and does not. */
export function verifyToken(device: SoftDevice, parameters: CborMap, use: TokenUse): boolean {
  if (!parameters.has(use.paramKey)) return false;
  const protocol = protocolByVersion(parameters.get(use.protocolKey), device.model.pinProtocols);
  checkToken(device.pin, protocol, bytesOf(parameters, use.paramKey), use.clientDataHash, use.permission, use.rpId);
  return true;
}

/** Throws unless a key that insists on a verified user has one. */
export function checkAlwaysUv({ model, store }: SoftDevice, isVerified: boolean): void {
  if (!model.alwaysUv || isVerified) return;
  throw new Refusal(
    store.state.pinHash !== undefined || model.fingerprint !== undefined
      ? STATUS.pinOrUvRequired
      : STATUS.operationDenied,
  );
}
