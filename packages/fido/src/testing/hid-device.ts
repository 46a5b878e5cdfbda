// The device's side of CTAP 2.1 section 11.2: channels, one transaction at a time, keepalives, CANCEL.
import { STATUS } from "../ctap2/status.ts";
import { FidoError } from "../error.ts";
import { CAPABILITY } from "../hid/channel.ts";
import {
  addToAssembly,
  type Assembly,
  beginAssembly,
  BROADCAST_CHANNEL,
  COMMAND,
  type ContinuationPacket,
  encodeMessage,
  type InitPacket,
  isComplete,
  type Packet,
  parsePacket,
} from "../hid/framing.ts";
import type { CommandContext } from "./device.ts";

export interface HidDeviceOptions {
  /** Sends a report to every host that has the device open. */
  broadcast(packet: Uint8Array): void;
  /** Answers a CBOR message. */
  answer(message: Uint8Array, context: CommandContext): Promise<Uint8Array>;
  /** Answers a U2F message; undefined if the device knows none. */
  answerU2f: ((message: Uint8Array) => Promise<Uint8Array>) | undefined;
  readonly wink: () => void;
  /** Milliseconds between keepalives. */
  readonly keepaliveEvery: number;
  /** Capability bits of the INIT answer. */
  readonly capabilities: number;
  /** Bytes of a report, both ways. */
  readonly packetBytes: number;
}

export interface HidDevice {
  /** A report from a host. Never throws. */
  readonly receive: (bytes: Uint8Array) => void;
  /** Loses power: whatever is going on ends without a word, and no channel is known any more. */
  reset(): void;
}

interface Transaction {
  readonly channel: number;
  readonly assembly: Assembly;
  /** Fires on CANCEL, INIT or reset; present once the whole message has come. */
  abort: AbortController | undefined;
  silenced: boolean;
  timer: NodeJS.Timeout | undefined;
}

const PROTOCOL_VERSION = 2;
const MAX_CHANNELS = 1_000_000;
/** How long the rest of a message may take to come. */
const ASSEMBLY_TIMEOUT = 500;

export function createHidDevice(options: HidDeviceOptions): HidDevice {
  let channels = 0;
  let current: Transaction | undefined;

  function send(channel: number, command: number, payload: Uint8Array): void {
    for (const packet of encodeMessage(channel, command, payload, options.packetBytes)) options.broadcast(packet);
  }

  function refuse(channel: number, code: number): void {
    send(channel, COMMAND.error, Uint8Array.of(code));
  }

  function drop(): void {
    if (current === undefined) return;
    current.silenced = true;
    clearTimeout(current.timer);
    current.abort?.abort();
    current = undefined;
  }

  function receiveInit(packet: InitPacket): void {
    const { channel, command } = packet;
    if (command === COMMAND.init) {
      receiveInitCommand(packet);
      return;
    }
    if (channel === 0 || channel === BROADCAST_CHANNEL || channel > channels) {
      refuse(channel, STATUS.invalidChannel);
      return;
    }
    if (command === COMMAND.cancel) {
      if (current?.channel === channel) current.abort?.abort();
      return;
    }
    if (current !== undefined) {
      // A new message on the channel whose message is still coming is out of sequence; everything else has to wait.
      const isOutOfSequence = current.channel === channel && current.abort === undefined;
      if (isOutOfSequence) drop();
      refuse(channel, isOutOfSequence ? STATUS.invalidSequence : STATUS.channelBusy);
      return;
    }
    const transaction: Transaction = {
      channel,
      assembly: beginAssembly(packet),
      abort: undefined,
      silenced: false,
      timer: undefined,
    };
    current = transaction;
    transaction.timer = setTimeout(() => {
      drop();
      refuse(channel, STATUS.timeout);
    }, ASSEMBLY_TIMEOUT);
    if (isComplete(transaction.assembly)) void run(transaction);
  }

  function receiveInitCommand({ channel, length, data }: InitPacket): void {
    if (length !== 8) {
      refuse(channel, STATUS.invalidLength);
      return;
    }
    if (channel !== BROADCAST_CHANNEL && (channel === 0 || channel > channels)) {
      refuse(channel, STATUS.invalidChannel);
      return;
    }
    if (current?.channel === channel) drop();
    const allocated = channel === BROADCAST_CHANNEL ? (channels = (channels % MAX_CHANNELS) + 1) : channel;
    const answer = Buffer.alloc(17);
    answer.set(data.subarray(0, 8));
    answer.writeUInt32BE(allocated, 8);
    answer.set([PROTOCOL_VERSION, 0, 1, 0, options.capabilities], 12);
    send(channel, COMMAND.init, answer);
  }

  function receiveContinuation(packet: ContinuationPacket): void {
    if (current === undefined || current.channel !== packet.channel || current.abort !== undefined) return;
    if (!addToAssembly(current.assembly, packet)) {
      drop();
      refuse(packet.channel, STATUS.invalidSequence);
      return;
    }
    if (isComplete(current.assembly)) void run(current);
  }

  async function run(transaction: Transaction): Promise<void> {
    const { channel, assembly } = transaction;
    clearTimeout(transaction.timer);
    transaction.abort = new AbortController();
    const answer = await answerMessage(transaction, transaction.abort.signal);
    if (transaction.silenced) return;
    current = undefined;
    if (answer === undefined) refuse(channel, STATUS.invalidCommand);
    else send(channel, assembly.command, answer);
  }

  async function answerMessage(
    { channel, assembly }: Transaction,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    switch (assembly.command) {
      case COMMAND.ping:
        return assembly.data;
      case COMMAND.wink:
        options.wink();
        return new Uint8Array();
      case COMMAND.msg:
        return await options.answerU2f?.(assembly.data);
      case COMMAND.cbor:
        if ((options.capabilities & CAPABILITY.cbor) === 0) return undefined;
        return await answerWithKeepalives(channel, assembly.data, signal);
      default:
        return undefined;
    }
  }

  async function answerWithKeepalives(channel: number, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    let waiting: "processing" | "touch" = "processing";
    const keepAlive = (): void => {
      send(channel, COMMAND.keepalive, Uint8Array.of(waiting === "touch" ? 2 : 1));
    };
    const timer = setInterval(keepAlive, options.keepaliveEvery);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
    });
    try {
      return await options.answer(message, {
        signal,
        setWaiting(next) {
          waiting = next;
          if (next === "touch" && !signal.aborted) keepAlive();
        },
      });
    } finally {
      clearInterval(timer);
    }
  }

  return {
    receive(bytes) {
      const packet = readPacket(bytes, options.packetBytes);
      if (packet === undefined) return;
      if (packet === "too-long")
        refuse(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), STATUS.invalidLength);
      else if (packet.kind === "init") receiveInit(packet);
      else receiveContinuation(packet);
    },
    reset() {
      drop();
      channels = 0;
    },
  };
}

// A device answers nothing to a report that is none, and INVALID_LEN to one that announces too much.
function readPacket(bytes: Uint8Array, packetBytes: number): Packet | "too-long" | undefined {
  if (bytes.length !== packetBytes) return undefined;
  try {
    return parsePacket(bytes, packetBytes);
  } catch (error) {
    if (error instanceof FidoError) return "too-long";
    throw error;
  }
}
