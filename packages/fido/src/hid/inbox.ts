import { explain } from "../explain.ts";
import type { PacketPipe } from "../pipe/packet-pipe.ts";
import { channelOf } from "./framing.ts";

/** Reports that came for one channel, in order, with waiting that ends. */
export interface Inbox {
  /** Forgets what has come and keeps from now on what comes for `channel`; undefined keeps nothing. */
  watch(channel: number | undefined): void;
  /** The next report within `milliseconds`. Throws DEVICE_GONE once the device is gone, DEVICE_GARBAGE if flooded. */
  next(milliseconds: number, signal?: AbortSignal): Promise<Uint8Array | "timeout" | "aborted">;
}

// The longest message is 130 reports; more than this waiting at once is a flood.
const MOST_WAITING = 512;

/** Every open handle sees all channels' reports, so those for others are dropped here and never prolong a wait. */
export function createInbox(pipe: PacketPipe): Inbox {
  const waiting: Uint8Array[] = [];
  let watched: number | undefined;
  let wake: (() => void) | undefined;
  let failure: (() => Error) | undefined;

  pipe.onPacket((packet) => {
    if (watched === undefined) return;
    // A report that is too short to tell its channel is kept: the reader refuses it with a word.
    if (packet.length === pipe.sizes.in && channelOf(packet) !== watched) return;
    if (waiting.length >= MOST_WAITING) failure ??= () => explain({ kind: "garbage", detail: "a flood of packets" });
    else waiting.push(packet);
    wake?.();
  });
  pipe.onGone((cause) => {
    failure = () => explain({ kind: "gone", cause });
    wake?.();
  });

  return {
    watch(channel) {
      waiting.length = 0;
      watched = channel;
    },
    async next(milliseconds, signal) {
      const { promise, resolve } = Promise.withResolvers<"timeout" | "aborted" | "woken">();
      const onAbort = (): void => {
        resolve("aborted");
      };
      if (waiting.length === 0 && failure === undefined) {
        if (signal?.aborted) return "aborted";
        signal?.addEventListener("abort", onAbort, { once: true });
        const timer = setTimeout(resolve, Math.max(0, milliseconds), "timeout" as const);
        wake = () => {
          resolve("woken");
        };
        const outcome = await promise;
        clearTimeout(timer);
        wake = undefined;
        signal?.removeEventListener("abort", onAbort);
        if (outcome !== "woken") return outcome;
      }
      if (failure !== undefined) throw failure();
      return waiting.shift() ?? "timeout";
    },
  };
}
