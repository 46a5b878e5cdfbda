/** The HID report of a security key, unless its report descriptor says otherwise. */
export const PACKET_BYTES = 64;

/** Bytes of one report each way, as the host sees it. */
export interface PacketSizes {
  readonly in: number;
  readonly out: number;
}

export const USUAL_SIZES: PacketSizes = { in: PACKET_BYTES, out: PACKET_BYTES };

/** Carries whole reports both ways and knows nothing of what they mean. One reader at a time. */
export interface PacketPipe {
  readonly sizes: PacketSizes;
  /** Sends one report of `sizes.out` bytes. Rejects with a FidoError once the device is gone. */
  send(packet: Uint8Array): Promise<void>;
  /** From now on `listener` gets each report as it came, whatever its length or channel. */
  onPacket(listener: (packet: Uint8Array) => void): void;
  /** `listener` is called once if the other side goes away; not after `close`. */
  onGone(listener: (cause: unknown) => void): void;
  close(): Promise<void>;
}

/** Bytes that nobody can foresee; `node:crypto`'s randomBytes unless a test hands in its own. */
export type RandomBytes = (length: number) => Uint8Array;
