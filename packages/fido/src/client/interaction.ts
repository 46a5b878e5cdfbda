import type { KeepaliveStatus } from "../hid/channel.ts";

/** Why a PIN is asked for: the first time, or again because the last one would not do. */
export type PinReason = "needed" | "wrong" | "too-short" | "too-long";

/** `none`: no key is plugged in. `other`: none of those plugged in is the one. */
export type PlugInReason = "none" | "other";

export interface PinQuestion {
  readonly deviceName: string;
  /** Wrong PINs that the key still takes before it locks for good. */
  readonly retries: number;
  /** In code points. */
  readonly minLength: number;
  readonly reason: PinReason;
}

/** The person's part, handed in by whoever owns the terminal. */
export interface Interaction {
  /** The PIN as typed, or undefined if the person would rather not. */
  askPin(question: PinQuestion): Promise<string | undefined>;
  /** The key blinks and waits for a finger. Called once for each wait. */
  showTouch(deviceName: string): void;
  /** The key did not recognise its user's finger or the like and lets them try again; `retries` where it tells. */
  showUvFailed?(deviceName: string, retries: number | undefined): void;
  /** There is no key to be used yet: it is time to plug one in. Called once for each wait, with the reason. */
  showPlugIn?(reason: PlugInReason): void;
  /** Each sign of life while the key is at work, about ten a second. */
  showKeepalive?(status: KeepaliveStatus, deviceName: string): void;
  /** Fires when the person gives up (Ctrl-C): the key is told to stop, and the call throws CANCELLED. */
  readonly signal?: AbortSignal | undefined;
}
