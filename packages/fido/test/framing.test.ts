import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addToAssembly,
  type Assembly,
  beginAssembly,
  encodeMessage,
  isComplete,
  parsePacket,
} from "../src/hid/framing.ts";
import { codeOf, toHex } from "./kit.ts";

describe("CTAP 2.1 section 11.2.4: messages in packets of 64 bytes", () => {
  test("any message of up to 7,609 bytes survives the cut", () => {
    const message = fc.record({
      channel: fc.integer({ min: 0, max: 0xffffffff }),
      command: fc.integer({ min: 0, max: 0x7f }),
      payload: fc.uint8Array({ maxLength: 7609 }),
    });
    fc.assert(
      fc.property(message, ({ channel, command, payload }) => {
        const packets = encodeMessage(channel, command, payload);
        expect(packets).toHaveLength(1 + Math.ceil(Math.max(0, payload.length - 57) / 59));
        let assembly: Assembly | undefined;
        for (const bytes of packets) {
          expect(bytes).toHaveLength(64);
          const packet = parsePacket(bytes);
          expect(packet.channel).toBe(channel);
          if (packet.kind === "init") {
            expect(packet.command).toBe(command);
            assembly = beginAssembly(packet);
          } else if (assembly !== undefined) expect(addToAssembly(assembly, packet)).toBe(true);
        }
        expect(assembly !== undefined && isComplete(assembly)).toBe(true);
        expect(toHex(assembly?.data ?? new Uint8Array())).toBe(toHex(payload));
      }),
      { numRuns: 300 },
    );
  });

  test("57 bytes fit in one packet, 58 need two, 7,609 need 129 with sequence 0 to 127", () => {
    expect(encodeMessage(1, 1, new Uint8Array(57))).toHaveLength(1);
    expect(encodeMessage(1, 1, new Uint8Array(58))).toHaveLength(2);
    const longest = encodeMessage(1, 1, new Uint8Array(7609));
    expect(longest).toHaveLength(129);
    expect(longest.at(-1)?.[4]).toBe(127);
  });

  test("a known packet, byte for byte", () => {
    const [packet] = encodeMessage(0x01020304, 0x10, Uint8Array.of(0x04));
    expect(toHex(packet ?? new Uint8Array())).toBe(`0102030490000104${"00".repeat(56)}`);
  });

  test("7,610 bytes are refused, to send and to receive", () => {
    expect(codeOf(() => encodeMessage(1, 1, new Uint8Array(7610)))).toBe("DEVICE_REFUSED");
    const packet = new Uint8Array(64).fill(0);
    packet.set([0, 0, 0, 1, 0x81, 7610 >> 8, 7610 & 0xff]);
    expect(codeOf(() => parsePacket(packet))).toBe("DEVICE_GARBAGE");
  });

  test("packets that have not 64 bytes are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        if (bytes.length !== 64) expect(codeOf(() => parsePacket(bytes))).toBe("DEVICE_GARBAGE");
      }),
    );
  });

  test("a packet out of sequence is not taken", () => {
    const [first, second, third] = encodeMessage(1, 1, new Uint8Array(150)).map((packet) => parsePacket(packet));
    if (first?.kind !== "init" || second?.kind !== "continuation" || third?.kind !== "continuation")
      throw new Error("not three packets");
    const assembly = beginAssembly(first);
    expect(addToAssembly(assembly, third)).toBe(false);
    expect(addToAssembly(assembly, second)).toBe(true);
    expect(addToAssembly(assembly, second)).toBe(false);
    expect(isComplete(assembly)).toBe(false);
    expect(addToAssembly(assembly, third)).toBe(true);
    expect(isComplete(assembly)).toBe(true);
  });
});
