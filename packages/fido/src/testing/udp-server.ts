import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AttachedHost, SoftwareAuthenticator } from "./authenticator.ts";

export interface UdpAuthenticator {
  readonly port: number;
  /** What `openDevices` takes to reach it. */
  readonly spec: string;
  close(): Promise<void>;
}

const MAX_HOSTS = 64;

/** Serves a software authenticator on loopback, one report a datagram; port 0 takes a free one. */
export async function serveUdp(authenticator: SoftwareAuthenticator, port = 0): Promise<UdpAuthenticator> {
  const socket = createSocket("udp4");
  const hosts = new Map<string, AttachedHost>();
  socket.on("message", (data, from) => {
    const name = `${from.address}:${from.port}`;
    let host = hosts.get(name);
    if (host === undefined) {
      forgetOldest(hosts);
      host = authenticator.attach((packet) => {
        socket.send(packet, from.port, from.address);
      });
      hosts.set(name, host);
    }
    host.receive(new Uint8Array(data));
  });
  // A host that has gone makes the next send fail; nothing to be done about it.
  socket.on("error", () => undefined);
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  const bound = socket.address().port;
  return {
    port: bound,
    spec: `udp:127.0.0.1:${bound}`,
    async close() {
      for (const host of hosts.values()) host.detach();
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

function forgetOldest(hosts: Map<string, AttachedHost>): void {
  const [oldest] = hosts.keys();
  if (hosts.size < MAX_HOSTS || oldest === undefined) return;
  hosts.get(oldest)?.detach();
  hosts.delete(oldest);
}
