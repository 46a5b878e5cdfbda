// CTAP 2.1 section 11.2.4: messages of up to 7,609 bytes cut into reports, which have 64 bytes on nearly every key.
import { explain } from "../explain.ts";
import { PACKET_BYTES } from "../pipe/packet-pipe.ts";

export const BROADCAST_CHANNEL = 0xffffffff;
export const MAX_MESSAGE_BYTES = 7609;

const INIT_HEADER = 7;
const CONTINUATION_HEADER = 5;
const MAX_CONTINUATIONS = 128;
const INIT_BIT = 0x80;

export const COMMAND = {
  ping: 0x01,
  msg: 0x03,
  init: 0x06,
  wink: 0x08,
  cbor: 0x10,
  cancel: 0x11,
  keepalive: 0x3b,
  error: 0x3f,
} as const;

export type Packet = InitPacket | ContinuationPacket;

/** The first report of a message. `length` is the whole message's, `data` what this report holds of it. */
export interface InitPacket {
  readonly kind: "init";
  readonly channel: number;
  readonly command: number;
  readonly length: number;
  readonly data: Uint8Array;
}

export interface ContinuationPacket {
  readonly kind: "continuation";
  readonly channel: number;
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** The longest message that reports of this many bytes carry. */
export function maxMessageBytes(packetBytes: number): number {
  const all = packetBytes - INIT_HEADER + MAX_CONTINUATIONS * (packetBytes - CONTINUATION_HEADER);
  return Math.min(MAX_MESSAGE_BYTES, all);
}

/** Cuts a message into reports, padded with zeros. Throws DEVICE_REFUSED if it is longer than they carry. */
export function encodeMessage(
  channel: number,
  command: number,
  payload: Uint8Array,
  packetBytes: number = PACKET_BYTES,
): Uint8Array[] {
  if (payload.length > maxMessageBytes(packetBytes)) throw explain({ kind: "status", status: 0x39 });
  const initData = packetBytes - INIT_HEADER;
  const continuationData = packetBytes - CONTINUATION_HEADER;
  const first = Buffer.alloc(packetBytes);
  first.writeUInt32BE(channel, 0);
  first[4] = INIT_BIT | command;
  first.writeUInt16BE(payload.length, 5);
  first.set(payload.subarray(0, initData), INIT_HEADER);
  const packets: Uint8Array[] = [first];
  for (let at = initData, sequence = 0; at < payload.length; at += continuationData, sequence++) {
    const packet = Buffer.alloc(packetBytes);
    packet.writeUInt32BE(channel, 0);
    packet[4] = sequence;
    packet.set(payload.subarray(at, at + continuationData), CONTINUATION_HEADER);
    packets.push(packet);
  }
  return packets;
}

/** Reads one report. Throws DEVICE_GARBAGE unless it has its length and announces no more than reports of it carry. */
export function parsePacket(bytes: Uint8Array, packetBytes: number = PACKET_BYTES): Packet {
  if (bytes.length !== packetBytes) {
    throw explain({ kind: "garbage", detail: `a packet of ${bytes.length} bytes instead of ${packetBytes}` });
  }
  const channel = channelOf(bytes);
  const marker = bytes[4] ?? 0;
  if ((marker & INIT_BIT) === 0) {
    return { kind: "continuation", channel, sequence: marker, data: bytes.subarray(CONTINUATION_HEADER) };
  }
  const length = ((bytes[5] ?? 0) << 8) | (bytes[6] ?? 0);
  if (length > maxMessageBytes(packetBytes))
    throw explain({ kind: "garbage", detail: `a message of ${length} bytes announced` });
  const data = bytes.subarray(INIT_HEADER, INIT_HEADER + Math.min(length, packetBytes - INIT_HEADER));
  return { kind: "init", channel, command: marker & ~INIT_BIT, length, data };
}

/** The channel that a report is for; undefined if it is too short to have one. */
export function channelOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}

/** A message of which not every report has come yet. */
export interface Assembly {
  readonly command: number;
  readonly data: Uint8Array;
  filled: number;
  nextSequence: number;
}

export function beginAssembly(packet: InitPacket): Assembly {
  const data = new Uint8Array(packet.length);
  data.set(packet.data);
  return { command: packet.command, data, filled: packet.data.length, nextSequence: 0 };
}

export function isComplete(assembly: Assembly): boolean {
  return assembly.filled === assembly.data.length;
}

/** Adds the next report; false if its sequence number is not the one due. */
export function addToAssembly(assembly: Assembly, packet: ContinuationPacket): boolean {
  if (packet.sequence !== assembly.nextSequence) return false;
  const part = packet.data.subarray(0, assembly.data.length - assembly.filled);
  assembly.data.set(part, assembly.filled);
  assembly.filled += part.length;
  assembly.nextSequence++;
  return true;
}
