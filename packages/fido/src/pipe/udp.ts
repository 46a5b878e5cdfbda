import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { explain } from "../explain.ts";
import { type PacketPipe, USUAL_SIZES } from "./packet-pipe.ts";

export interface UdpAddress {
  readonly host: string;
  readonly port: number;
  /** Some simulators answer to a port of their own choice, not to the sender's. */
  readonly localPort?: number;
}

/** One report is one datagram: how key firmware that is run as a program talks. Throws NO_DEVICE if the address can't be used. */
export async function openUdpPipe(address: UdpAddress): Promise<PacketPipe> {
  const socket = createSocket(isIPv6(address.host) ? "udp6" : "udp4");
  let onPacket: ((packet: Uint8Array) => void) | undefined;
  let onGone: ((cause: unknown) => void) | undefined;
  let state: "open" | "closed" | "gone" = "open";

  try {
    await connect(socket, address);
  } catch (cause) {
    socket.close();
    throw explain({ kind: "no-device", detail: `Cannot use udp:${address.host}:${address.port}.`, cause });
  }
  // Connected, the system itself drops datagrams from anybody else.
  socket.on("message", (data) => {
    if (state === "open") onPacket?.(new Uint8Array(data));
  });
  socket.on("error", leave);

  function leave(cause: unknown): void {
    if (state !== "open") return;
    state = "gone";
    socket.close();
    onGone?.(cause);
  }

  return {
    sizes: USUAL_SIZES,
    async send(packet) {
      if (state !== "open") throw explain({ kind: "gone" });
      const { promise, resolve } = Promise.withResolvers<Error | null>();
      socket.send(packet, resolve);
      const cause = await promise;
      if (cause === null) return;
      leave(cause);
      throw explain({ kind: "gone", cause });
    },
    onPacket(listener) {
      onPacket = listener;
    },
    onGone(listener) {
      onGone = listener;
    },
    async close() {
      if (state !== "open") return;
      state = "closed";
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

async function connect(socket: Socket, address: UdpAddress): Promise<void> {
  socket.bind(address.localPort ?? 0);
  await once(socket, "listening");
  const connected = once(socket, "connect");
  socket.connect(address.port, address.host);
  await connected;
}
