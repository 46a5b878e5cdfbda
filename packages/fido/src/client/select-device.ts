import { awaitTouch } from "../ctap2/selection.ts";
import { explain } from "../explain.ts";
import { callOptionsFor } from "./call-options.ts";
import type { FidoDevice } from "./devices.ts";
import { findCredential } from "./find-credential.ts";
import type { Interaction } from "./interaction.ts";

export interface SelectionRequest {
  /** Open keys; at least one. Those not chosen are closed. */
  readonly devices: readonly FidoDevice[];
  readonly interaction: Interaction;
  /** If given, keys that hold none of these credentials are left out before anybody has to touch. */
  readonly holding?: { readonly rpId: string; readonly credentialIds: readonly Uint8Array[] };
}

/**
 * The key to be used. One key: that one. Several: all blink, the first that is touched is it, the others are told to stop.
 * Throws NO_DEVICE, CREDENTIAL_UNKNOWN, TOUCH_TIMEOUT, CANCELLED; all keys are closed if it throws.
 */
export async function selectDevice(request: SelectionRequest): Promise<FidoDevice> {
  let chosen: FidoDevice | undefined;
  try {
    const candidates = await filterHolding(request);
    const [only] = candidates;
    if (only === undefined)
      throw explain(request.devices.length === 0 ? { kind: "no-device" } : { kind: "status", status: 0x2e });
    chosen = candidates.length === 1 ? only : await firstTouched(candidates, request.interaction);
    return chosen;
  } finally {
    await Promise.allSettled(request.devices.filter((device) => device !== chosen).map((device) => device.close()));
  }
}

async function filterHolding({ devices, holding, interaction }: SelectionRequest): Promise<readonly FidoDevice[]> {
  if (holding === undefined) return devices;
  const searches = await Promise.all(
    devices.map((device) =>
      findCredential(device, { ...holding, signal: interaction.signal }).catch(() => ({ kind: "unsure" }) as const),
    ),
  );
  const found = devices.filter((_, index) => searches[index]?.kind === "found");
  // Credentials that hide from unverified users look absent, so only a find can rule the other keys out.
  return found.length > 0 ? found : devices;
}

async function firstTouched(devices: readonly FidoDevice[], interaction: Interaction): Promise<FidoDevice> {
  const stop = new AbortController();
  const signal = interaction.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, interaction.signal]);
  const waits = devices.map(async (device) => {
    await awaitTouch(device, callOptionsFor(device.name, { ...interaction, signal }));
    return device;
  });
  try {
    return await Promise.any(waits);
  } catch (error) {
    const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    throw first;
  } finally {
    stop.abort();
    await Promise.allSettled(waits);
  }
}
