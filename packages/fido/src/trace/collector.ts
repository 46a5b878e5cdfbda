import { FidoError } from "../error.ts";
import { addToAssembly, type Assembly, beginAssembly, encodeMessage, isComplete, parsePacket } from "../hid/framing.ts";

/** A message out of its packets; or a piece that is none, of which nothing may be believed. */
export interface Collected {
  readonly channel: number;
  readonly command: number;
  readonly data: Uint8Array;
  /** Every packet has come, and nothing but packets of this message. */
  readonly isWhole: boolean;
}

export interface Collector {
  /** Takes one packet and returns what has ended by it: a message, and before it one that was broken off. */
  add(packet: Uint8Array): Collected[];
  /** What has begun and not ended. */
  rest(): Collected[];
}

/** Puts one direction's packets together, as both sides do, and never throws. */
export function createCollector(packetBytes: number): Collector {
  let open: { readonly channel: number; readonly assembly: Assembly } | undefined;

  function rest(): Collected[] {
    if (open === undefined) return [];
    const { channel, assembly } = open;
    open = undefined;
    return [{ channel, command: assembly.command, data: assembly.data, isWhole: isComplete(assembly) }];
  }

  return {
    rest,
    add(bytes) {
      const packet = read(bytes, packetBytes);
      if (packet === undefined) return rest();
      if (packet.kind === "continuation") {
        if (open?.channel !== packet.channel || !addToAssembly(open.assembly, packet)) return rest();
        return isComplete(open.assembly) ? rest() : [];
      }
      const before = rest();
      open = { channel: packet.channel, assembly: beginAssembly(packet) };
      return isComplete(open.assembly) ? [...before, ...rest()] : before;
    },
  };
}

/** The packets of a message; padding that came with it is not kept. */
export function packetsOf({ channel, command, data }: Collected, packetBytes: number): Uint8Array[] {
  return encodeMessage(channel, command, data, packetBytes);
}

function read(bytes: Uint8Array, packetBytes: number): ReturnType<typeof parsePacket> | undefined {
  try {
    return parsePacket(bytes, packetBytes);
  } catch (error) {
    if (error instanceof FidoError) return undefined;
    throw error;
  }
}
