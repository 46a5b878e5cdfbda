import { BROADCAST_CHANNEL, channelOf, COMMAND } from "../hid/framing.ts";
import type { PacketPipe } from "../pipe/packet-pipe.ts";
import { type Collected, createCollector, packetsOf } from "./collector.ts";
import { createRedactor, type Redacted } from "./redact.ts";
import { encodeTraceEntry, encodeTraceHead } from "./trace-file.ts";

const NONCE_BYTES = 8;

/**
 * The same pipe, of which every message is written down: one line a packet, without PINs, tokens or anything made of them.
 * `write` gets whole lines. What other programs say to the key is not written.
 */
export function tracePipe(
  pipe: PacketPipe,
  write: (line: string) => void,
  now: () => number = () => performance.now(),
): PacketPipe {
  const { sizes } = pipe;
  const redactor = createRedactor();
  const sent = createCollector(sizes.out);
  const come = createCollector(sizes.in);
  const ours = new Set<number>();
  let nonce = "";
  const start = now();

  function record(from: "host" | "device", { cleared, ...message }: Redacted): void {
    const size = from === "host" ? sizes.out : sizes.in;
    for (const [index, packet] of packetsOf(message, size).entries())
      write(encodeTraceEntry({ at: now() - start, from, packet, cleared: index === 0 ? cleared : [] }, sizes));
  }

  function recordSent(message: Collected): void {
    ours.add(message.channel);
    if (message.command === COMMAND.init) nonce = nonceOf(message);
    record("host", redactor.host(message));
  }

  // On the broadcast channel everybody is answered.
  function isOurs({ channel, command, data }: Collected): boolean {
    if (channel !== BROADCAST_CHANNEL) return ours.has(channel);
    return command === COMMAND.init ? nonceOf({ data }) === nonce : ours.has(channel);
  }

  function end(): void {
    sent.rest().forEach(recordSent);
    for (const message of come.rest()) if (isOurs(message)) record("device", redactor.device(message));
  }

  write(encodeTraceHead(sizes));
  return {
    sizes,
    async send(packet) {
      sent.add(packet).forEach(recordSent);
      await pipe.send(packet);
    },
    onPacket(listener) {
      pipe.onPacket((packet) => {
        if (packet.length !== sizes.in) {
          // Broken, so nobody knows what it holds; its length says enough.
          write(
            encodeTraceEntry(
              { at: now() - start, from: "device", packet: new Uint8Array(packet.length), cleared: ["everything"] },
              sizes,
            ),
          );
        } else if (channelOf(packet) === BROADCAST_CHANNEL || ours.has(channelOf(packet))) {
          for (const message of come.add(packet)) if (isOurs(message)) record("device", redactor.device(message));
        }
        listener(packet);
      });
    },
    onGone(listener) {
      pipe.onGone((cause) => {
        end();
        listener(cause);
      });
    },
    async close() {
      end();
      await pipe.close();
    },
  };
}

function nonceOf({ data }: Pick<Collected, "data">): string {
  return Buffer.from(data.subarray(0, NONCE_BYTES)).toString("hex");
}
