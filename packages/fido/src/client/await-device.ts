import { setTimeout as pause } from "node:timers/promises";
import type { FidoError } from "../error.ts";
import { explain } from "../explain.ts";
import { type DeviceDescription, type DeviceEdges, type FidoDevice, listDevices, openDevice } from "./devices.ts";
import type { Interaction, PlugInReason } from "./interaction.ts";
import { findHolders, firstTouched, type Holding, isPassing } from "./select-device.ts";

export interface AwaitRequest {
  /** As `listDevices` takes it. */
  readonly spec?: string;
  /** Waiting for a key to be plugged in needs its `showPlugIn`; without it there is no waiting. Its signal ends the wait. */
  readonly interaction: Interaction;
  /** If given, only a key that holds one of these credentials will do. */
  readonly holding?: Holding;
  readonly edges?: DeviceEdges & WatchEdges;
}

/** How it is noticed that a key was plugged in. */
export interface WatchEdges {
  readonly list?: (spec: string) => Promise<readonly DeviceDescription[]>;
  /** Resolves when it is time to look again; half a second by default. May reject when `signal` fires. */
  readonly nextLook?: (signal: AbortSignal) => Promise<unknown>;
}

/**
 * The key to be used, open. None there, or not the right one: waits until it is plugged in. Several: all blink, and the first
 * that is touched is it; one that is plugged in meanwhile blinks with them.
 * Throws NO_DEVICE and CREDENTIAL_UNKNOWN where it does not wait, TOUCH_TIMEOUT, CANCELLED, and what the only key says when it can't be opened or falls silent.
 */
export async function awaitDevice(request: AwaitRequest): Promise<FidoDevice> {
  const { interaction, holding } = request;
  const bench = createBench(request);
  let shown: PlugInReason | undefined;
  let chosen: FidoDevice | undefined;
  try {
    for (;;) {
      let open = await bench.update();
      let candidates: readonly FidoDevice[] = open;
      if (interaction.signal?.aborted) throw explain({ kind: "cancelled" });
      if (holding !== undefined) {
        const { holders, lost } = await findHolders(open, holding, interaction);
        candidates = holders;
        for (const [device, problem] of lost) await bench.drop(device, problem);
        open = open.filter((device) => !lost.has(device));
      }
      if (candidates.length > 0) {
        chosen = await bench.choose(candidates);
        if (chosen !== undefined) return chosen;
        continue;
      }
      const reason = open.length === 0 ? "none" : "other";
      if (interaction.showPlugIn === undefined)
        throw bench.trouble() ?? explain(reason === "none" ? { kind: "no-device" } : { kind: "status", status: 0x2e });
      if (shown !== reason) interaction.showPlugIn(reason);
      shown = reason;
      await bench.look(interaction.signal);
    }
  } finally {
    await bench.closeAllBut(chosen);
  }
}

interface Bench {
  /** The keys that are plugged in and open, after opening the new ones and forgetting those that have gone. */
  update(): Promise<FidoDevice[]>;
  /** Closes a key that no longer answers; the next update opens it anew. */
  drop(device: FidoDevice, problem: FidoError): Promise<void>;
  /** Why the only key there could not be opened or asked just now, though it may be ready in a moment. */
  trouble(): unknown;
  /** The first that is touched; undefined if another key was plugged in meanwhile. */
  choose(candidates: readonly FidoDevice[]): Promise<FidoDevice | undefined>;
  /** Resolves when it is time to look again. Throws CANCELLED. */
  look(signal: AbortSignal | undefined): Promise<void>;
  closeAllBut(chosen: FidoDevice | undefined): Promise<void>;
}

const LOOK_EVERY = 500;

function createBench({ spec = "usb", interaction, edges = {} }: AwaitRequest): Bench {
  const list = edges.list ?? listDevices;
  const nextLook = edges.nextLook ?? ((signal) => pause(LOOK_EVERY, undefined, { signal }));
  const open = new Map<string, FidoDevice>();
  /** Plugged in and of no use. */
  const broken = new Map<string, unknown>();
  let passing: unknown;

  async function look(signal: AbortSignal | undefined): Promise<void> {
    await nextLook(signal ?? new AbortController().signal).catch(() => undefined);
    if (signal?.aborted) throw explain({ kind: "cancelled" });
  }

  async function anotherPluggedIn(signal: AbortSignal): Promise<undefined> {
    const known = new Set([...open.keys(), ...broken.keys()]);
    for (;;) {
      await look(signal);
      if ((await list(spec)).some(({ path }) => !known.has(path))) return undefined;
    }
  }

  return {
    look,
    async update() {
      const there = new Map((await list(spec)).map((description) => [description.path, description]));
      for (const [path, device] of open) {
        if (there.has(path)) continue;
        open.delete(path);
        await device.close().catch(() => undefined);
      }
      for (const path of broken.keys()) if (!there.has(path)) broken.delete(path);
      const added = [...there.values()].filter(({ path }) => !open.has(path) && !broken.has(path));
      await Promise.all(
        added.map(async (description) => {
          try {
            open.set(description.path, await openDevice(description, edges));
          } catch (error) {
            broken.set(description.path, error);
          }
        }),
      );
      const [failure] = broken.values();
      if (open.size === 0 && broken.size > 0 && !isPassing(failure)) throw failure;
      passing = open.size === 0 ? failure : undefined;
      if (open.size === 0) broken.clear();
      return [...open.values()];
    },
    async drop(device, problem) {
      open.delete(device.path);
      await device.close().catch(() => undefined);
      if (open.size === 0) passing = problem;
    },
    trouble: () => passing,
    async choose(candidates) {
      const [only] = candidates;
      if (candidates.length === 1) return only;
      const stop = new AbortController();
      const signals = interaction.signal === undefined ? [stop.signal] : [stop.signal, interaction.signal];
      const signal = AbortSignal.any(signals);
      const touched = firstTouched(candidates, { ...interaction, signal });
      try {
        return await Promise.race([touched, anotherPluggedIn(signal)]);
      } finally {
        stop.abort();
        await touched.catch(() => undefined);
      }
    },
    async closeAllBut(chosen) {
      await Promise.allSettled(
        [...open.values()].filter((device) => device !== chosen).map((device) => device.close()),
      );
    },
  };
}
