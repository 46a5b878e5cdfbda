import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type ChannelTiming, type CtapChannel, type KeepaliveStatus, openChannel } from "../src/index.ts";
import { type PacketPipe, USUAL_SIZES } from "../src/pipe/packet-pipe.ts";
import { expectCode, QUICK, random, toHex } from "./kit.ts";
import { createInbox } from "../src/hid/inbox.ts";
import { answerInit, CHANNEL, report, scriptedDevice, type Turn } from "./scripted-device.ts";

const PING = 0x01;
const CBOR = 0x10;
const CANCEL = 0x11;

function open(pipe: PacketPipe, timing: Partial<ChannelTiming> = {}): Promise<CtapChannel> {
  return openChannel(pipe, { randomBytes: random, timing: { ...QUICK.timing, ...timing } });
}

describe("CTAP 2.1 section 11.2.9.1.3: INIT", () => {
  test("answers to other programs' INIT are passed over", async () => {
    const { pipe } = scriptedDevice(
      () => undefined,
      (turn) => {
        answerInit(turn, random(8), 0x01010101);
        answerInit(turn, random(8), 0x02020202);
        answerInit(turn);
      },
    );
    const channel = await open(pipe);
    expect(channel.deviceVersion).toEqual([1, 2, 3]);
    expect(channel.capabilities).toBe(5);
  });

  test("the nonce is 8 fresh random bytes on the broadcast channel", async () => {
    const { pipe, received } = scriptedDevice(() => undefined);
    await openChannel(pipe, { randomBytes: (length) => new Uint8Array(length).fill(7) });
    expect(toHex(received[0]?.slice(0, 15) ?? random(1))).toBe("ffffffff860008" + "07".repeat(8));
  });

  test.each([0, 0xffffffff])("an allocated channel %i is refused", async (allocated) => {
    const { pipe } = scriptedDevice(
      () => undefined,
      (turn) => {
        answerInit(turn, undefined, allocated);
      },
    );
    await expectCode(open(pipe), "DEVICE_GARBAGE");
  });

  test("a device that says nothing is given up", async () => {
    await expectCode(
      open(
        scriptedDevice(
          () => undefined,
          () => undefined,
        ).pipe,
        { packet: 50 },
      ),
      "DEVICE_SILENT",
    );
  });

  test("a device that endlessly answers others is given up too", async () => {
    const { pipe } = scriptedDevice(
      () => undefined,
      (turn) => {
        const timer = setInterval(() => {
          answerInit(turn, random(8));
        }, 5);
        setTimeout(clearInterval, 500, timer);
      },
    );
    await expectCode(open(pipe, { packet: 60 }), "DEVICE_SILENT");
  });

  test("busy at INIT is retried", async () => {
    let times = 0;
    const { pipe } = scriptedDevice(
      () => undefined,
      (turn) => {
        if (++times < 3) turn.say(turn.channel, 0xbf, 0, 1, 0x06);
        else answerInit(turn);
      },
    );
    await open(pipe);
    expect(times).toBe(3);
  });
});

describe("CTAP 2.1 section 11.2.5: transactions", () => {
  test("packets of other channels are dropped and prolong nothing", async () => {
    const { pipe } = scriptedDevice((turn) => {
      turn.say(0x01010101, 0x81, 0, 1, 0xee);
      turn.say(0x01010101, 0x00, 1, 2, 3);
      turn.say(CHANNEL, 0x81, 0, 1, 0x2a);
    });
    const channel = await open(pipe);
    expect([...(await channel.call(PING, Uint8Array.of(1)))]).toEqual([0x2a]);

    const foreign = scriptedDevice((turn) => {
      const timer = setInterval(() => turn.say(0x01010101, 0x81, 0, 1, 0xee), 5);
      setTimeout(clearInterval, 500, timer);
    });
    const start = performance.now();
    await expectCode((await open(foreign.pipe, { packet: 80 })).call(PING, random(1)), "DEVICE_SILENT");
    expect(performance.now() - start).toBeLessThan(450);
  });

  test("busy is retried, then given up", async () => {
    let times = 0;
    const soonFree = scriptedDevice((turn) => {
      if (++times < 4) turn.say(CHANNEL, 0xbf, 0, 1, 0x06);
      else turn.say(CHANNEL, 0x81, 0, 1, 0x2a);
    });
    expect([...(await (await open(soonFree.pipe)).call(PING, random(1)))]).toEqual([0x2a]);
    expect(times).toBe(4);
    const neverFree = scriptedDevice((turn) => {
      turn.say(CHANNEL, 0xbf, 0, 1, 0x06);
    });
    await expectCode((await open(neverFree.pipe, { busy: 60 })).call(PING, random(1)), "DEVICE_BUSY");
  });

  test("giving up works while the device is busy", async () => {
    const { pipe } = scriptedDevice((turn) => {
      turn.say(CHANNEL, 0xbf, 0, 1, 0x06);
    });
    const channel = await open(pipe, { busy: 5_000, busyRetry: 1_000 });
    await expectCode(channel.call(CBOR, random(1), { signal: AbortSignal.timeout(30) }), "CANCELLED");
  });

  test("keepalives are reported and restart the time-out of silence", async () => {
    const { pipe } = scriptedDevice((turn) => {
      [1, 1, 2, 2].forEach((status, index) => {
        setTimeout(
          () => {
            turn.say(CHANNEL, 0xbb, 0, 1, status);
          },
          100 * (index + 1),
        );
      });
      setTimeout(() => {
        turn.say(CHANNEL, 0x90, 0, 1, 0);
      }, 500);
    });
    const seen: KeepaliveStatus[] = [];
    const channel = await open(pipe, { packet: 300 });
    await channel.call(CBOR, random(1), { onKeepalive: (status) => void seen.push(status) });
    expect(seen).toEqual(["processing", "processing", "touch", "touch"]);
  });

  test("after CANCEL the final answer is awaited, and the channel is good for the next command", async () => {
    const stop = new AbortController();
    let cancels = 0;
    const { pipe, received } = scriptedDevice((turn) => {
      if (turn.command === PING) turn.say(CHANNEL, 0x81, 0, 1, 0x2a);
      if (turn.command === CBOR) turn.say(CHANNEL, 0xbb, 0, 1, 2);
      if (turn.command !== CANCEL) return;
      cancels++;
      setTimeout(() => {
        turn.say(CHANNEL, 0x90, 0, 1, 0x2d);
      }, 50);
    });
    const channel = await open(pipe);
    const cancelled = expectCode(
      channel.call(CBOR, random(1), {
        signal: stop.signal,
        onKeepalive: () => void setTimeout(() => stop.abort(), 10),
      }),
      "CANCELLED",
    );
    const next = channel.call(PING, random(1));
    await cancelled;
    expect([...(await next)]).toEqual([0x2a]);
    expect(cancels).toBe(1);
    expect(received.filter((packet) => packet[4] === 0x86)).toHaveLength(1);
  });

  test("a CANCEL that the device has missed is sent again with the next keepalive", async () => {
    let cancels = 0;
    const { pipe } = scriptedDevice((turn) => {
      if (turn.command !== CANCEL) return;
      cancels++;
      if (cancels === 1) turn.say(CHANNEL, 0xbb, 0, 1, 2);
      else turn.say(CHANNEL, 0x90, 0, 1, 0x2d);
    });
    await expectCode((await open(pipe)).call(CBOR, random(1), { signal: AbortSignal.timeout(20) }), "CANCELLED");
    expect(cancels).toBe(2);
  });

  test("a device that ignores CANCEL is left within bounds, and INIT puts it in step again", async () => {
    let inits = 0;
    const { pipe } = scriptedDevice(
      (turn) => {
        if (turn.command === PING) turn.say(CHANNEL, 0x81, 0, 1, 0x2a);
      },
      (turn) => {
        inits++;
        if (inits === 2) {
          // What is left of the old transaction arrives first.
          turn.say(CHANNEL, 0x90, 0, 1, 0);
          turn.say(CHANNEL, 0x00, 9, 9);
        }
        answerInit(turn);
      },
    );
    const channel = await open(pipe, { cancel: 60 });
    await expectCode(channel.call(CBOR, random(1), { signal: AbortSignal.timeout(20) }), "CANCELLED");
    expect([...(await channel.call(PING, random(1)))]).toEqual([0x2a]);
    expect(inits).toBe(2);
  });

  test("a call whose signal has fired already sends nothing", async () => {
    const { pipe, received } = scriptedDevice(() => undefined);
    const channel = await open(pipe);
    await expectCode(channel.call(CBOR, random(1), { signal: AbortSignal.abort() }), "CANCELLED");
    await pause(10);
    expect(received).toHaveLength(1);
  });

  test("a device that goes away ends the call at once", async () => {
    const { pipe } = scriptedDevice((turn) => {
      turn.end.vanish();
    });
    const channel = await open(pipe);
    await expectCode(channel.call(CBOR, random(1)), "DEVICE_GONE");
    await expectCode(channel.call(CBOR, random(1)), "DEVICE_GONE");
  });
});

describe("K4: a device that answers garbage", () => {
  const garbage: readonly (readonly [string, (turn: Turn) => void])[] = [
    ["a packet of 63 bytes", ({ end }) => end.deliver(new Uint8Array(63))],
    ["a packet of 65 bytes", ({ end }) => end.deliver(new Uint8Array(65))],
    ["an empty packet", ({ end }) => end.deliver(new Uint8Array())],
    ["the middle of a message", ({ say }) => say(CHANNEL, 0x00, 1, 2, 3)],
    ["an answer to another command", ({ say }) => say(CHANNEL, 0x83, 0, 0)],
    ["a message of 7,610 bytes", ({ say }) => say(CHANNEL, 0x90, 7610 >> 8, 7610 & 0xff)],
    ["an error without a code", ({ say }) => say(CHANNEL, 0xbf, 0, 0)],
    ["an error", ({ say }) => say(CHANNEL, 0xbf, 0, 1, 0x04)],
    ["a channel that is lost as soon as it is given", ({ say }) => say(CHANNEL, 0xbf, 0, 1, 0x0b)],
    ["a keepalive without a status", ({ say }) => say(CHANNEL, 0xbb, 0, 0)],
    [
      "a packet out of sequence",
      ({ say }) => {
        say(CHANNEL, 0x90, 0, 200);
        say(CHANNEL, 0x01);
      },
    ],
    [
      "a packet twice",
      ({ say }) => {
        say(CHANNEL, 0x90, 0, 200);
        say(CHANNEL, 0x00);
        say(CHANNEL, 0x00);
      },
    ],
    [
      "a message inside another",
      ({ say }) => {
        say(CHANNEL, 0x90, 0, 200);
        say(CHANNEL, 0x90, 0, 200);
      },
    ],
  ];

  test.each(garbage)("%s", async (_, script) => {
    const { pipe } = scriptedDevice((turn) => {
      if (turn.command === CBOR) script(turn);
    });
    const error = await expectCode((await open(pipe, { packet: 1_000 })).call(CBOR, random(1)), "DEVICE_GARBAGE");
    expect(error.hint).not.toBe("");
  });

  test("a flood of packets is refused, not kept", async () => {
    let deliver: (packet: Uint8Array) => void = () => undefined;
    const inbox = createInbox({
      sizes: USUAL_SIZES,
      send: async () => undefined,
      onPacket: (listener) => void (deliver = listener),
      onGone: () => undefined,
      close: async () => undefined,
    });
    inbox.watch(CHANNEL);
    for (let i = 0; i < 10_000; i++) deliver(report(CHANNEL, 0xbb, 0, 1, 1));
    await expectCode(inbox.next(10), "DEVICE_GARBAGE");
  });

  test("half a message, then silence", async () => {
    const { pipe } = scriptedDevice((turn) => {
      turn.say(CHANNEL, 0x90, 0, 200);
    });
    await expectCode((await open(pipe, { packet: 60 })).call(CBOR, random(1)), "DEVICE_SILENT");
  });

  test("endless keepalives end within the bound for a whole transaction, and the device is told to stop", async () => {
    let cancels = 0;
    const { pipe } = scriptedDevice((turn) => {
      if (turn.command === CANCEL) cancels++;
      if (turn.command !== CBOR) return;
      const timer = setInterval(() => {
        turn.say(CHANNEL, 0xbb, 0, 1, 1);
      }, 10);
      setTimeout(clearInterval, 1_500, timer);
    });
    const start = performance.now();
    const channel = await open(pipe, { packet: 100, transaction: 250 });
    await expectCode(channel.call(CBOR, random(1)), "DEVICE_GARBAGE");
    expect(performance.now() - start).toBeLessThan(1_000);
    await pause(20);
    expect(cancels).toBe(1);
  });
});
