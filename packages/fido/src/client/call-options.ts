import type { CallOptions } from "../hid/channel.ts";
import type { Interaction } from "./interaction.ts";

/** Lets the person see what the key is waiting for: `showTouch` at the first sign of it, `showKeepalive` at each. */
export function callOptionsFor(deviceName: string, interaction: Interaction): CallOptions {
  let shown = false;
  return {
    signal: interaction.signal,
    onKeepalive(status) {
      interaction.showKeepalive?.(status, deviceName);
      if (status !== "touch" || shown) return;
      shown = true;
      interaction.showTouch(deviceName);
    },
  };
}
