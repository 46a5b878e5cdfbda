// Reports of other sizes, and how they look on each platform.
import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { openChannel, openDevice } from "../src/index.ts";
import { encodeMessage, maxMessageBytes, parsePacket } from "../src/hid/framing.ts";
import { createHidPipe } from "../src/pipe/hid-pipe.ts";
import { createMemoryPipe } from "../src/pipe/memory.ts";
import { parseReportDescriptor } from "../src/pipe/report-descriptor.ts";
import { createSoftwareAuthenticator, describeSoftDevice } from "../src/testing/index.ts";
import { codeOf, enroll, expectCode, fromHex, person, QUICK, random, signAndVerify, toHex } from "./kit.ts";

/** The descriptor of CTAP 2.1 section 11.2.8.1. */
const FIDO = "06d0f10901a1010920150026ff007508954081020921150026ff00750895409102c0";

describe("CTAP 2.1 section 11.2.4: reports of another size", () => {
  test.each([24, 32, 48, 63, 65, 256, 1024])("of %i bytes: enrolment and signature", async (packetBytes) => {
    const authenticator = createSoftwareAuthenticator({ model: { packetBytes } });
    const device = await openDevice(describeSoftDevice(authenticator), QUICK);
    await signAndVerify(device, await enroll(device), person());
  });

  test.each([0, 8, 23, 1025])("of %i bytes: refused before anything is sent", async (size) => {
    const device = { receive: () => undefined, hostClosed: () => undefined };
    for (const sizes of [
      { in: size, out: 64 },
      { in: 64, out: size },
    ]) {
      const { pipe } = createMemoryPipe(device, sizes);
      await expectCode(openChannel(pipe, { randomBytes: random }), "DEVICE_GARBAGE");
    }
  });

  test("no message is longer than they carry", () => {
    expect([24, 64, 1024].map(maxMessageBytes)).toEqual([24 - 7 + 128 * 19, 7609, 7609]);
    expect(encodeMessage(1, 0x10, new Uint8Array(2449), 24)).toHaveLength(129);
    expect(codeOf(() => encodeMessage(1, 0x10, new Uint8Array(2450), 24))).toBe("DEVICE_REFUSED");
    const announced = new Uint8Array(24).fill(0xff);
    announced.set([0, 0, 0, 1, 0x90, 2450 >> 8, 2450 & 0xff]);
    expect(codeOf(() => parsePacket(announced, 24))).toBe("DEVICE_GARBAGE");
  });
});

describe("HID 1.11 section 6.2.2: report descriptors", () => {
  test("a security key's", () => {
    expect(parseReportDescriptor(fromHex(FIDO))).toEqual({ reportId: 0, sizes: { in: 64, out: 64 } });
  });

  test.each([
    ["another size each way", FIDO.replace("9540", "9520"), { reportId: 0, sizes: { in: 32, out: 64 } }],
    ["reports with an id", FIDO.replace("a101", "a1018505"), { reportId: 5, sizes: { in: 64, out: 64 } }],
    ["a usage of four bytes", FIDO.replace("06d0f10901", "0b0100d0f1"), { reportId: 0, sizes: { in: 64, out: 64 } }],
    ["a keyboard before it", `05010906a101750895088102c0${FIDO}`, { reportId: 0, sizes: { in: 64, out: 64 } }],
    ["a long item before it", `fe02aa0102${FIDO}`, { reportId: 0, sizes: { in: 64, out: 64 } }],
    ["push and pop", FIDO.replace("7508", "a47520b47508"), { reportId: 0, sizes: { in: 64, out: 64 } }],
  ])("%s", (_, hex, layout) => {
    expect(parseReportDescriptor(fromHex(hex))).toEqual(layout);
  });

  test.each([
    ["nothing", ""],
    ["a keyboard", "05010906a101750895088102c0"],
    ["no end", FIDO.slice(0, -2)],
    ["one end too many", `${FIDO}c0`],
    ["an item that ends too early", `${FIDO}06`],
    ["no output", FIDO.replace("9102", "8102")],
    ["reports that are no whole bytes", FIDO.replace("75089540", "7507953f")],
    ["two ids", FIDO.replace("a101", "a1018505").replace("0921", "85060921")],
    ["pop without push", `b4${FIDO}`],
    ["endless push", "a4".repeat(20) + FIDO],
    ["endless collections", "a101".repeat(20) + FIDO],
    ["no end to it", FIDO.repeat(200)],
  ])("%s is none", (_, hex) => {
    expect(parseReportDescriptor(fromHex(hex))).toBeUndefined();
  });
});

describe("report ids", () => {
  function handle(): {
    readonly device: EventEmitter & Parameters<typeof createHidPipe>[0];
    readonly written: string[];
  } {
    const written: string[] = [];
    const device = Object.assign(new EventEmitter(), {
      write: async (report: Buffer) => written.push(toHex(report.subarray(0, 4))),
      close: async () => undefined,
    });
    return { device, written };
  }

  test.each([
    [0, "00aabbcc", "aabbcc", "aabbcc"],
    [5, "05aabbcc", "05aabbcc", "aabbcc"],
  ])("%i goes first in what is sent, and is taken off only where there is one", async (reportId, sent, came, read) => {
    const { device, written } = handle();
    const pipe = createHidPipe(device, { reportId, sizes: { in: 3, out: 3 } });
    const heard: string[] = [];
    pipe.onPacket((packet) => void heard.push(toHex(packet)));
    await pipe.send(fromHex("aabbcc"));
    device.emit("data", Buffer.from(came, "hex"));
    if (reportId !== 0) device.emit("data", Buffer.from("06aabbcc", "hex"));
    expect([written, heard]).toEqual([[sent], [read]]);
  });

  test("an error of the device is its end", async () => {
    const { device } = handle();
    const pipe = createHidPipe(device, { reportId: 0, sizes: { in: 64, out: 64 } });
    const causes: unknown[] = [];
    pipe.onGone((cause) => void causes.push(cause));
    device.emit("error", "could not read from HID device");
    device.emit("error", "again");
    expect(causes).toEqual(["could not read from HID device"]);
    await expectCode(pipe.send(new Uint8Array(64)), "DEVICE_GONE");
  });

  test("a write that fails is its end too", async () => {
    const { device } = handle();
    const pipe = createHidPipe(
      Object.assign(device, { write: async () => Promise.reject(new TypeError("Cannot write to hid device")) }),
      { reportId: 0, sizes: { in: 64, out: 64 } },
    );
    await expectCode(pipe.send(new Uint8Array(64)), "DEVICE_GONE");
    await pipe.close();
  });
});
