import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { openUdpPipe } from "../src/pipe/udp.ts";
import { expectCode } from "./kit.ts";

const sockets: Socket[] = [];
afterEach(async () => {
  await Promise.all(
    sockets.splice(0).map((socket) => {
      const closed = once(socket, "close");
      socket.close();
      return closed;
    }),
  );
});

async function listener(): Promise<{ readonly socket: Socket; readonly port: number }> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { socket, port: socket.address().port };
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

describe("udp:HOST:PORT[:LOCALPORT]", () => {
  test("sends from the local port that a simulator answers to", async () => {
    const { socket, port } = await listener();
    const localPort = await freePort();
    const pipe = await openUdpPipe({ host: "127.0.0.1", port, localPort });
    const heard = once(socket, "message") as Promise<[Buffer, { readonly port: number }]>;
    await pipe.send(new Uint8Array(64).fill(7));
    const [packet, from] = await heard;
    expect([packet.length, packet[0], from.port]).toEqual([64, 7, localPort]);
    await pipe.close();
  });

  test("hears nobody but the device", async () => {
    const device = await listener();
    const stranger = await listener();
    const localPort = await freePort();
    const pipe = await openUdpPipe({ host: "127.0.0.1", port: device.port, localPort });
    const heard: number[] = [];
    pipe.onPacket((packet) => void heard.push(packet[0] ?? -1));
    stranger.socket.send(new Uint8Array(64).fill(1), localPort, "127.0.0.1");
    await pause(20);
    device.socket.send(new Uint8Array(64).fill(2), localPort, "127.0.0.1");
    await pause(20);
    expect(heard).toEqual([2]);
    await pipe.close();
  });

  test("a host that does not exist, a local port that is taken", async () => {
    await expectCode(openUdpPipe({ host: "no-such-host.invalid", port: 9 }), "NO_DEVICE");
    const { port } = await listener();
    await expectCode(openUdpPipe({ host: "127.0.0.1", port: 9, localPort: port }), "NO_DEVICE");
  });

  test("is gone when nobody listens any more, and then refuses to send", async () => {
    const pipe = await openUdpPipe({ host: "127.0.0.1", port: await freePort() });
    const gone = new Promise((resolve) => {
      pipe.onGone(resolve);
    });
    await pipe.send(new Uint8Array(64));
    await gone;
    await expectCode(pipe.send(new Uint8Array(64)), "DEVICE_GONE");
    await pipe.close();
  });
});
