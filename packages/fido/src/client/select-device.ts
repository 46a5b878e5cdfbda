import { awaitTouch } from "../ctap2/selection.ts";
import { FidoError } from "../error.ts";
import { explain } from "../explain.ts";
import { awaitU2fTouch } from "../u2f/credential.ts";
import { callOptionsFor } from "./call-options.ts";
import type { FidoDevice } from "./devices.ts";
import { findCredential } from "./find-credential.ts";
import type { Interaction } from "./interaction.ts";

export interface Holding {
  readonly rpId: string;
  readonly credentialIds: readonly Uint8Array[];
  /** The credentials may be of those that a key hides from users it has not verified: then an absent one proves nothing. */
  readonly mayHide?: boolean;
}

export interface SelectionRequest {
  /** Open keys; at least one. Those not chosen are closed. */
  readonly devices: readonly FidoDevice[];
  readonly interaction: Interaction;
  /** If given, keys that hold none of these credentials are left out before anybody has to touch. */
  readonly holding?: Holding;
}

/**
 * The key to be used. One key: that one. Several: all blink, the first that is touched is it, the others are told to stop.
 * Throws NO_DEVICE, CREDENTIAL_UNKNOWN, TOUCH_TIMEOUT, CANCELLED; all keys are closed if it throws.
 */
export async function selectDevice(request: SelectionRequest): Promise<FidoDevice> {
  let chosen: FidoDevice | undefined;
  try {
    const candidates = await preferHolders(request);
    const [only] = candidates;
    if (only === undefined)
      throw explain(request.devices.length === 0 ? { kind: "no-device" } : { kind: "status", status: 0x2e });
    chosen = candidates.length === 1 ? only : await firstTouched(candidates, request.interaction);
    return chosen;
  } finally {
    await Promise.allSettled(request.devices.filter((device) => device !== chosen).map((device) => device.close()));
  }
}

async function preferHolders({ devices, holding, interaction }: SelectionRequest): Promise<readonly FidoDevice[]> {
  if (holding === undefined) return devices;
  const { holders } = await findHolders(devices, { ...holding, mayHide: true }, interaction);
  return holders.length > 0 ? holders : devices;
}

export interface HolderSearch {
  /** The keys that hold one of the credentials; if none is known to, those that might. */
  readonly holders: readonly FidoDevice[];
  /** The keys that fell silent or went away over the question, and with what: nothing is known of them. */
  readonly lost: ReadonlyMap<FidoDevice, FidoError>;
}

/** Asks all of the keys at once. Throws CANCELLED. */
export async function findHolders(
  devices: readonly FidoDevice[],
  { rpId, credentialIds, mayHide }: Holding,
  { signal }: Interaction,
): Promise<HolderSearch> {
  const lost = new Map<FidoDevice, FidoError>();
  const searches = await Promise.all(
    devices.map(async (device) => {
      try {
        return (await findCredential(device, { rpId, credentialIds, signal })).kind;
      } catch (error) {
        if (!isPassing(error)) return "unsure";
        lost.set(device, error);
        return "lost";
      }
    }),
  );
  // A search that was called off says nothing of its key.
  if (signal?.aborted) throw explain({ kind: "cancelled" });
  const ofKind = (...kinds: readonly string[]): FidoDevice[] =>
    devices.filter((_, index) => kinds.includes(searches[index] ?? ""));
  const found = ofKind("found");
  const holders = found.length > 0 ? found : ofKind("unsure", ...(mayHide === true ? ["absent"] : []));
  return { holders, lost };
}

/** A key that was just plugged in may not be ready, or be gone again: it is tried anew. Other troubles don't end by waiting. */
export function isPassing(error: unknown): error is FidoError {
  return error instanceof FidoError && (error.code === "DEVICE_GONE" || error.code === "DEVICE_SILENT");
}

/** All blink; the first that is touched is it, the others are told to stop. Throws TOUCH_TIMEOUT, CANCELLED. */
export async function firstTouched(devices: readonly FidoDevice[], interaction: Interaction): Promise<FidoDevice> {
  const stop = new AbortController();
  const signal = interaction.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, interaction.signal]);
  const waits = devices.map(async (device) => {
    const options = callOptionsFor(device.name, { ...interaction, signal });
    await (device.protocol === "u2f" ? awaitU2fTouch(device.channel, options) : awaitTouch(device, options));
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
