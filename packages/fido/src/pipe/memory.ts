import { explain } from "../explain.ts";
import { type PacketPipe, type PacketSizes, USUAL_SIZES } from "./packet-pipe.ts";

/** The far end of a memory pipe: what the device does. */
export interface MemoryEnd {
  /** The device sends a report; any length, so that tests can send broken ones. */
  deliver(packet: Uint8Array): void;
  /** The device is pulled out. */
  vanish(cause?: unknown): void;
}

/** What the host does, as seen from the device. */
export interface MemoryDevice {
  receive(packet: Uint8Array): void;
  hostClosed(): void;
}

/** A pipe inside one process. Reports are copied and arrive in a later turn of the event loop, as they would from a wire. */
export function createMemoryPipe(
  device: MemoryDevice,
  sizes: PacketSizes = USUAL_SIZES,
): { readonly pipe: PacketPipe; readonly end: MemoryEnd } {
  let onPacket: ((packet: Uint8Array) => void) | undefined;
  let onGone: ((cause: unknown) => void) | undefined;
  let state: "open" | "closed" | "gone" = "open";

  const pipe: PacketPipe = {
    sizes,
    async send(packet) {
      if (state !== "open") throw explain({ kind: "gone" });
      const copy = new Uint8Array(packet);
      setImmediate(() => {
        if (state === "open") device.receive(copy);
      });
    },
    onPacket(listener) {
      onPacket = listener;
    },
    onGone(listener) {
      onGone = listener;
    },
    async close() {
      if (state !== "open") return;
      state = "closed";
      device.hostClosed();
    },
  };
  const end: MemoryEnd = {
    deliver(packet) {
      const copy = new Uint8Array(packet);
      setImmediate(() => {
        if (state === "open") onPacket?.(copy);
      });
    },
    vanish(cause) {
      if (state !== "open") return;
      state = "gone";
      onGone?.(cause);
    },
  };
  return { pipe, end };
}
