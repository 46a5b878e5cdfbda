import { createMemoryPipe, type MemoryEnd } from "../src/pipe/memory.ts";
import type { PacketPipe } from "../src/pipe/packet-pipe.ts";

/** What a scripted device may do when a packet has come. */
export interface Turn {
  readonly packet: Uint8Array;
  readonly channel: number;
  /** The command, if the packet begins a message. */
  readonly command: number | undefined;
  readonly end: MemoryEnd;
  /** Sends a packet on a channel: its first byte after the channel, then the rest, padded with zeros. */
  readonly say: (channel: number, ...bytes: readonly number[]) => void;
}

export interface ScriptedDevice {
  readonly pipe: PacketPipe;
  readonly end: MemoryEnd;
  /** Every packet that the host has sent. */
  readonly received: Uint8Array[];
}

export const CHANNEL = 0x0a0b0c0d;

/** A device that allocates channel CHANNEL and leaves everything else to `script`. */
export function scriptedDevice(
  script: (turn: Turn) => void,
  onInit: (turn: Turn) => void = answerInit,
): ScriptedDevice {
  const received: Uint8Array[] = [];
  const { pipe, end } = createMemoryPipe({
    receive(packet) {
      received.push(packet);
      const channel = new DataView(packet.buffer, packet.byteOffset).getUint32(0);
      const marker = packet[4] ?? 0;
      const turn: Turn = {
        packet,
        channel,
        command: marker & 0x80 ? marker & 0x7f : undefined,
        end,
        say: (to, ...bytes) => end.deliver(report(to, ...bytes)),
      };
      if (turn.command === 0x06) onInit(turn);
      else script(turn);
    },
    hostClosed: () => undefined,
  });
  return { pipe, end, received };
}

/** INIT's answer: the nonce, the channel, version 2, device 1.2.3, capabilities wink and CBOR. */
export function answerInit(
  { packet, channel, say }: Turn,
  nonce: Uint8Array = packet.slice(7, 15),
  allocated = CHANNEL,
): void {
  say(channel, 0x86, 0, 17, ...nonce, ...channelBytes(allocated), 2, 1, 2, 3, 0x05);
}

export function report(channel: number, ...bytes: readonly number[]): Uint8Array {
  const packet = new Uint8Array(64);
  packet.set([...channelBytes(channel), ...bytes]);
  return packet;
}

function channelBytes(channel: number): number[] {
  return [channel >>> 24, (channel >>> 16) & 0xff, (channel >>> 8) & 0xff, channel & 0xff];
}
