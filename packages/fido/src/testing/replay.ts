// Plays the device's side of a trace: whoever recorded a key's odd ways has made a test of them.
import { COMMAND } from "../hid/framing.ts";
import { createMemoryPipe } from "../pipe/memory.ts";
import type { PacketPipe } from "../pipe/packet-pipe.ts";
import { type Collected, createCollector, packetsOf } from "../trace/collector.ts";
import { createRedactor } from "../trace/redact.ts";
import type { Trace, TraceEntry } from "../trace/trace-file.ts";

export interface Replay {
  readonly pipe: PacketPipe;
  /** How many of the trace's packets have not been played. */
  left(): number;
}

export interface ReplayOptions {
  /** Every byte is compared, also of what a trace leaves out: for recordings that leave nothing out. */
  readonly exact?: boolean;
}

/**
 * A pipe to a device that says what was recorded. Each message of the host has to be the recorded one, but for what traces leave
 * out and for INIT's random bytes; then what the device said to it follows. If it is another one the device is gone, and says so.
 */
export function replayTrace({ sizes, entries }: Trace, { exact = false }: ReplayOptions = {}): Replay {
  const redactor = createRedactor();
  const collector = createCollector(sizes.out);
  let at = 0;

  const { pipe, end } = createMemoryPipe(
    {
      receive(packet) {
        for (const message of collector.add(packet)) answer(message);
      },
      hostClosed: () => undefined,
    },
    sizes,
  );

  function answer(message: Collected): void {
    const redacted = redactor.host(message);
    const isInit = message.command === COMMAND.init && !exact;
    for (const packet of packetsOf(exact ? message : redacted, sizes.out)) {
      const entry = entries[at++];
      if (entry?.from === "host" && isSame(packet, entry.packet, isInit)) continue;
      end.vanish(new Error(`packet ${at} of the trace is another one: ${Buffer.from(packet).toString("hex")}`));
      return;
    }
    for (let entry = entries[at]; entry?.from === "device"; entry = entries[++at]) {
      end.deliver(isInit ? withNonce(entry, message.data) : entry.packet);
    }
  }

  return { pipe, left: () => entries.length - at };
}

const NONCE_AT = 7;

function isSame(packet: Uint8Array, recorded: Uint8Array, isInit: boolean): boolean {
  const length = isInit ? NONCE_AT : packet.length;
  return (
    packet.length === recorded.length && Buffer.compare(packet.subarray(0, length), recorded.subarray(0, length)) === 0
  );
}

function withNonce({ packet }: TraceEntry, nonce: Uint8Array): Uint8Array {
  const answered = packet.slice();
  if ((answered[4] ?? 0) === (0x80 | COMMAND.init)) answered.set(nonce, NONCE_AT);
  return answered;
}
