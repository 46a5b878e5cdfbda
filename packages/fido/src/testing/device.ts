import type { Algorithm } from "../ctap2/cose-key.ts";
import type { RandomBytes } from "../pipe/packet-pipe.ts";
import type { BatchAttestation } from "./batch-attestation.ts";
import type { PinState } from "./pin-state.ts";
import type { StateStore } from "./state.ts";
import type { TouchPolicy } from "./touch.ts";

/** What kind of key is played. */
export interface AuthenticatorModel {
  readonly versions: readonly string[];
  readonly aaguid: Uint8Array;
  readonly algorithms: readonly Algorithm[];
  readonly pinProtocols: readonly (1 | 2)[];
  /** false: the key has no PINs at all. */
  readonly hasClientPin: boolean;
  /** CTAP 2.1 tokens with permissions; false plays CTAP 2.0. */
  readonly hasPermissions: boolean;
  readonly alwaysUv: boolean;
  readonly makeCredUvNotRqd: boolean;
  /** A fingerprint reader, and what it says; undefined = none. */
  readonly fingerprint: (() => "match" | "mismatch") | undefined;
  readonly minPinLength: number;
  readonly maxPinLength: number | undefined;
  /** Rules for PINs beyond their length; undefined = none. */
  readonly acceptsPin: ((pin: string) => boolean) | undefined;
  /** The PIN has to be changed before it is good for a token. */
  readonly forcePinChange: boolean;
  readonly hasCredProtect: boolean;
  /** Places for discoverable credentials; 0 = the key keeps none. */
  readonly discoverablePlaces: number;
  /** What getInfo says; undefined = nothing. */
  readonly firmwareVersion: number | undefined;
  /** `u2f` plays a key from before CTAP2. */
  readonly speaks: "ctap2" | "u2f" | "both";
  readonly canWink: boolean;
  /** Bytes of a HID report. */
  readonly packetBytes: number;
  readonly maxMessageBytes: number;
  readonly maxCredentialCountInList: number | undefined;
  readonly maxCredentialIdLength: number | undefined;
  readonly attestation: "self" | "batch" | "none";
  /** What the key says when nobody touches it; real ones differ. */
  readonly noTouchStatus: number;
  /** Leaves the credential out of an assertion when one was listed. */
  readonly omitsSingleCredential: boolean;
}

/** One software authenticator, as its commands see it. */
export interface SoftDevice {
  readonly model: AuthenticatorModel;
  readonly store: StateStore;
  readonly pin: PinState;
  readonly batch: BatchAttestation | undefined;
  readonly randomBytes: RandomBytes;
  readonly touch: () => TouchPolicy;
  readonly touchTimeout: number;
}

/** What a command may do while it runs. */
export interface CommandContext {
  /** Fires when the host sends CANCEL. */
  readonly signal: AbortSignal;
  /** Tells the host which keepalives to show. */
  setWaiting(waiting: "processing" | "touch"): void;
}

/** Ends a command with this CTAP2 status byte. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`CTAP2 status 0x${status.toString(16)}`);
    this.status = status;
  }
}
