// CTAP 2.1 section 11.2: one logical channel to one device, one transaction at a time.
import { setTimeout as pause } from "node:timers/promises";
import type { FidoError } from "../error.ts";
import { explain } from "../explain.ts";
import type { PacketPipe, RandomBytes } from "../pipe/packet-pipe.ts";
import { STATUS } from "../ctap2/status.ts";
import {
  type Assembly,
  addToAssembly,
  beginAssembly,
  BROADCAST_CHANNEL,
  COMMAND,
  encodeMessage,
  type InitPacket,
  isComplete,
  parsePacket,
} from "./framing.ts";
import { createInbox, type Inbox } from "./inbox.ts";

export type KeepaliveStatus = "processing" | "touch";

export interface CallOptions {
  /** When it fires, CANCEL is sent and the key's final answer awaited; the call then throws CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  readonly onKeepalive?: ((status: KeepaliveStatus) => void) | undefined;
}

/** All in milliseconds. */
export interface ChannelTiming {
  /** How long a key may be silent within a transaction; each of its packets starts this anew. */
  readonly packet: number;
  /** How long one transaction may last in all, however many keepalives come. */
  readonly transaction: number;
  /** How long to retry while another program has the key. */
  readonly busy: number;
  /** How often to retry then. */
  readonly busyRetry: number;
  /** How long to wait for the final answer after CANCEL. */
  readonly cancel: number;
  /** How often a U2F key is asked whether it has been touched; such keys don't wait by themselves. */
  readonly touchPoll: number;
  /** How long a U2F key is asked. */
  readonly touch: number;
}

export const DEFAULT_TIMING: ChannelTiming = {
  packet: 5_000,
  transaction: 120_000,
  busy: 20_000,
  busyRetry: 100,
  cancel: 2_000,
  touchPoll: 250,
  touch: 30_000,
};

export interface ChannelOptions {
  readonly randomBytes: RandomBytes;
  readonly timing?: Partial<ChannelTiming> | undefined;
}

/** Bits of the INIT answer; `noU2f` alone says that something is missing. */
export const CAPABILITY = { wink: 0x01, cbor: 0x04, noU2f: 0x08 } as const;

export interface CtapChannel {
  /** The device's version, as three numbers. */
  readonly deviceVersion: readonly [number, number, number];
  /** CAPABILITY bits. */
  readonly capabilities: number;
  readonly timing: ChannelTiming;
  /** Sends a message and returns the answer to it. Throws FidoError. Calls wait for one another. */
  call(command: number, payload: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  close(): Promise<void>;
}

const INIT_ANSWER_BYTES = 17;
const NONCE_BYTES = 8;

interface Line {
  readonly pipe: PacketPipe;
  readonly inbox: Inbox;
  readonly timing: ChannelTiming;
  readonly randomBytes: RandomBytes;
}

/** An INIT answer has to fit in one report; none of a real device is longer than USB's high speed allows. */
const SMALLEST_PACKET = 24;
const LARGEST_PACKET = 1024;

/** Allocates a channel. Throws DEVICE_SILENT, DEVICE_GARBAGE, DEVICE_BUSY or DEVICE_GONE. */
export async function openChannel(pipe: PacketPipe, options: ChannelOptions): Promise<CtapChannel> {
  for (const size of [pipe.sizes.in, pipe.sizes.out]) {
    if (size < SMALLEST_PACKET || size > LARGEST_PACKET)
      throw explain({ kind: "garbage", detail: `reports of ${size} bytes` });
  }
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const line: Line = { pipe, inbox: createInbox(pipe), timing, randomBytes: options.randomBytes };
  const first = await allocate(line);
  let { channel } = first;
  let inStep = true;
  let last: Promise<unknown> = Promise.resolve();

  async function transact(command: number, payload: Uint8Array, callOptions: CallOptions): Promise<Uint8Array> {
    if (callOptions.signal?.aborted) throw explain({ kind: "cancelled" });
    // After a transaction that did not end properly its late packets may still come; INIT on our own channel ends it.
    if (!inStep && (await initialise(line, channel)) === "lost") ({ channel } = await allocate(line));
    const giveUp = performance.now() + timing.busy;
    let isNew = false;
    for (;;) {
      inStep = false;
      const outcome = await exchange(line, channel, command, payload, callOptions);
      inStep = true;
      if (outcome.kind === "answer") return outcome.data;
      if (outcome.kind === "failed") throw outcome.error;
      if (outcome.kind === "lost") {
        // A key that was reset, or that gave the channel to others, has done nothing with the message: it may be sent again, once.
        if (isNew) throw explain({ kind: "hid-error", code: STATUS.invalidChannel });
        ({ channel } = await allocate(line));
        isNew = true;
        continue;
      }
      if (performance.now() >= giveUp) throw explain({ kind: "busy" });
      await pauseUnlessAborted(timing.busyRetry, callOptions.signal);
    }
  }

  return {
    deviceVersion: first.deviceVersion,
    capabilities: first.capabilities,
    timing,
    async call(command, payload, callOptions = {}) {
      const turn = last.then(async () => {
        try {
          return await transact(command, payload, callOptions);
        } finally {
          line.inbox.watch(undefined);
        }
      });
      last = turn.catch(() => undefined);
      return await turn;
    },
    close: () => pipe.close(),
  };
}

interface Allocation {
  readonly channel: number;
  readonly deviceVersion: readonly [number, number, number];
  readonly capabilities: number;
}

async function allocate(line: Line): Promise<Allocation> {
  const answer = await initialise(line, BROADCAST_CHANNEL);
  // Nobody loses the broadcast channel.
  if (answer === "lost") throw explain({ kind: "hid-error", code: STATUS.invalidChannel });
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  const channel = view.getUint32(8);
  if (channel === 0 || channel === BROADCAST_CHANNEL)
    throw explain({ kind: "garbage", detail: "a reserved channel allocated" });
  return {
    channel,
    deviceVersion: [view.getUint8(13), view.getUint8(14), view.getUint8(15)],
    capabilities: view.getUint8(16),
  };
}

async function initialise(line: Line, channel: number): Promise<Uint8Array | "lost"> {
  const nonce = line.randomBytes(NONCE_BYTES);
  const giveUpBusy = performance.now() + line.timing.busy;
  let giveUp = performance.now() + line.timing.packet;
  line.inbox.watch(channel);
  await send(line.pipe, channel, COMMAND.init, nonce);
  for (;;) {
    const bytes = await line.inbox.next(giveUp - performance.now());
    if (typeof bytes === "string") throw explain({ kind: "silent" });
    const packet = parsePacket(bytes, line.pipe.sizes.in);
    if (packet.kind !== "init") continue;
    if (packet.command === COMMAND.error && packet.data[0] === STATUS.channelBusy) {
      if (performance.now() >= giveUpBusy) throw explain({ kind: "busy" });
      await pause(line.timing.busyRetry);
      await send(line.pipe, channel, COMMAND.init, nonce);
      giveUp = performance.now() + line.timing.packet;
      continue;
    }
    const isLost = packet.command === COMMAND.error && packet.data[0] === STATUS.invalidChannel;
    if (isLost && channel !== BROADCAST_CHANNEL) return "lost";
    // On the broadcast channel the answers to other programs' INIT are seen too.
    const ours = packet.command === COMMAND.init && Buffer.compare(packet.data.subarray(0, NONCE_BYTES), nonce) === 0;
    if (!ours) continue;
    if (packet.data.length < INIT_ANSWER_BYTES)
      throw explain({ kind: "garbage", detail: "an INIT answer that is too short" });
    return packet.data;
  }
}

type Outcome =
  | { readonly kind: "answer"; readonly data: Uint8Array }
  | { readonly kind: "busy" }
  /** The key does not know the channel (any more). */
  | { readonly kind: "lost" }
  | { readonly kind: "failed"; readonly error: FidoError };

// Throws where the two sides are out of step; returns where the transaction has ended properly.
async function exchange(
  line: Line,
  channel: number,
  command: number,
  payload: Uint8Array,
  options: CallOptions,
): Promise<Outcome> {
  const { pipe, inbox, timing } = line;
  inbox.watch(channel);
  await send(pipe, channel, command, payload);
  let end = performance.now() + timing.transaction;
  let cancelled = false;
  let assembly: Assembly | undefined;

  for (;;) {
    const left = end - performance.now();
    const wait = Math.min(left, timing.packet);
    const bytes = wait <= 0 ? "timeout" : await inbox.next(wait, cancelled ? undefined : options.signal);
    if (bytes === "aborted") {
      cancelled = true;
      end = performance.now() + timing.cancel;
      await sendCancel(pipe, channel);
      continue;
    }
    if (bytes === "timeout") {
      if (cancelled) throw explain({ kind: "cancelled" });
      if (wait === timing.packet) throw explain({ kind: "silent" });
      await sendCancel(pipe, channel);
      throw explain({ kind: "garbage", detail: "it keeps saying that it is at work and never ends" });
    }
    const packet = parsePacket(bytes, pipe.sizes.in);
    if (assembly === undefined) {
      if (packet.kind !== "init")
        throw explain({ kind: "garbage", detail: "the middle of a message without its beginning" });
      if (packet.command === COMMAND.keepalive) {
        const status = parseKeepalive(packet);
        // A CANCEL that came before the key had begun to wait is lost on some keys.
        if (cancelled) await sendCancel(pipe, channel);
        else options.onKeepalive?.(status);
        continue;
      }
      if (packet.command === COMMAND.error) return readErrorMessage(packet);
      if (packet.command !== command)
        throw explain({ kind: "garbage", detail: `an answer to another command (${packet.command})` });
      assembly = beginAssembly(packet);
    } else {
      if (packet.kind === "init") throw explain({ kind: "garbage", detail: "a new message inside another" });
      if (!addToAssembly(assembly, packet)) throw explain({ kind: "garbage", detail: "a packet out of sequence" });
    }
    if (!isComplete(assembly)) continue;
    return cancelled
      ? { kind: "failed", error: explain({ kind: "cancelled" }) }
      : { kind: "answer", data: assembly.data };
  }
}

function readErrorMessage(packet: InitPacket): Outcome {
  const code = packet.data[0];
  if (packet.length !== 1 || code === undefined) throw explain({ kind: "garbage", detail: "an error without a code" });
  if (code === STATUS.channelBusy) return { kind: "busy" };
  if (code === STATUS.invalidChannel) return { kind: "lost" };
  return { kind: "failed", error: explain({ kind: "hid-error", code }) };
}

function parseKeepalive(packet: InitPacket): KeepaliveStatus {
  if (packet.length !== 1) throw explain({ kind: "garbage", detail: "a keepalive of the wrong length" });
  return packet.data[0] === 2 ? "touch" : "processing";
}

async function pauseUnlessAborted(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw explain({ kind: "cancelled" });
  }
}

async function sendCancel(pipe: PacketPipe, channel: number): Promise<void> {
  await send(pipe, channel, COMMAND.cancel, new Uint8Array());
}

async function send(pipe: PacketPipe, channel: number, command: number, payload: Uint8Array): Promise<void> {
  for (const packet of encodeMessage(channel, command, payload, pipe.sizes.out)) await pipe.send(packet);
}
