// K4 at random, with the same changes each time: whatever comes, the end is a result or a FidoError, and it comes in time.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  assertKey,
  decodeCbor,
  FidoError,
  openChannel,
  openDevice,
  parseAttestationObject,
  parseAuthData,
} from "../src/index.ts";
import { parsePacket } from "../src/hid/framing.ts";
import { parseGetAssertionAnswer } from "../src/ctap2/get-assertion.ts";
import { parseInfo } from "../src/ctap2/info.ts";
import { createSoftwareAuthenticator, describeSoftDevice } from "../src/testing/index.ts";
import { enroll, person, PIN, plugged, pluggedWithPin, QUICK, random, RP_ID } from "./kit.ts";
import { CHANNEL, report, scriptedDevice } from "./scripted-device.ts";

const SEED = 20_261_123;

/** A few changes to bytes: flips, cuts, insertions. */
const changes = fc.array(
  fc.record({
    kind: fc.constantFrom("flip", "cut", "insert", "repeat"),
    at: fc.nat(2_000),
    value: fc.integer({ min: 1, max: 255 }),
  }),
  { minLength: 1, maxLength: 4 },
);
type Changes = typeof changes extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Uint8Array, list: Changes): Uint8Array {
  let out = Buffer.from(bytes);
  for (const { kind, at, value } of list) {
    const index = out.length === 0 ? 0 : at % out.length;
    if (kind === "cut") out = out.subarray(0, index);
    else if (kind === "insert") out = Buffer.concat([out.subarray(0, index), Buffer.of(value), out.subarray(index)]);
    else if (kind === "repeat")
      out = Buffer.concat([
        out.subarray(0, index),
        ...Array.from({ length: value }, () => out.subarray(index, index + 9)),
      ]);
    else if (out.length > 0) out[index] = (out[index] ?? 0) ^ value;
  }
  return new Uint8Array(out);
}

async function endsWell(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    expect(error).toBeInstanceOf(FidoError);
  });
}

describe("parsers", () => {
  test("bytes at random", () => {
    const parsers = [
      parsePacket,
      decodeCbor,
      parseInfo,
      parseAuthData,
      parseAttestationObject,
      (bytes: Uint8Array) => parseGetAssertionAnswer(bytes, []),
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const parse of parsers) {
          try {
            parse(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(FidoError);
          }
        }
      }),
      { numRuns: 3_000, seed: SEED },
    );
  });

  test("an attestation object with a few changes is refused or is one again", async () => {
    const { device } = await plugged({ model: { attestation: "batch" } });
    const { attestationObject } = await enroll(device);
    fc.assert(
      fc.property(changes, (list) => {
        const bytes = mutate(attestationObject, list);
        try {
          expect(Buffer.from(parseAttestationObject(bytes).objectBytes).equals(bytes)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(FidoError);
        }
      }),
      { numRuns: 3_000, seed: SEED },
    );
  });
});

describe("a device that answers at random", () => {
  const timing = { packet: 15, transaction: 40, busy: 20, busyRetry: 5, cancel: 10 };
  const packet = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.uint8Array({ minLength: 1, maxLength: 59 }).map((bytes) => report(CHANNEL, ...bytes)),
    fc
      .tuple(fc.constantFrom(0x90, 0xbb, 0xbf, 0x81), fc.nat(300), fc.uint8Array({ maxLength: 57 }))
      .map(([command, length, bytes]) => report(CHANNEL, command, length >> 8, length & 0xff, ...bytes)),
    fc
      .tuple(fc.nat(4), fc.uint8Array({ maxLength: 59 }))
      .map(([sequence, bytes]) => report(CHANNEL, sequence, ...bytes)),
  );

  test("packets", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(packet, { maxLength: 8 }), { minLength: 20, maxLength: 20 }),
        async (answers) => {
          // Twenty devices at a time, because most end by their time-out.
          const work = answers.map(async (packets) => {
            const { pipe, end } = scriptedDevice(() => {
              for (const bytes of packets) end.deliver(bytes);
            });
            // On a machine that is busy even INIT may come too late.
            const channel = await openChannel(pipe, { randomBytes: random, timing }).catch(() => undefined);
            if (channel === undefined) return;
            await endsWell(channel.call(0x10, Uint8Array.of(4)));
            await endsWell(channel.call(0x10, Uint8Array.of(4)));
          });
          await Promise.all(work);
        },
      ),
      { numRuns: 50, seed: SEED },
    );
  });

  test("answers to every command, with a few changes", async () => {
    const { authenticator, device } = await pluggedWithPin({ model: { makeCredUvNotRqd: false } });
    const key = await enroll(device, { interaction: person([PIN]) });
    await fc.assert(
      fc.asyncProperty(fc.nat(8), changes, async (which, list) => {
        let calls = 0;
        authenticator.setFaults({
          alterAnswer: (_, answer) => (calls++ === which ? mutate(answer, list).subarray(0, 7_000) : answer),
        });
        // A PIN attempt lost to a changed answer must not lock the key for the rest.
        const wantUv = which % 2 === 0;
        await endsWell(openDevice(describeSoftDevice(authenticator), QUICK).then((opened) => opened.close()));
        const request = {
          device,
          rpId: RP_ID,
          clientDataHash: random(32),
          credentialIds: [random(61), key.credentialId],
          wantUv,
        };
        await endsWell(assertKey({ ...request, interaction: person([PIN]) }));
        await endsWell(enroll(device, { interaction: person([PIN]), excludeCredentialIds: [random(61)] }));
        authenticator.setFaults({});
      }),
      { numRuns: 400, seed: SEED },
    );
    await enroll(device, { interaction: person([PIN]) });
  });
});

describe("a host that asks at random", () => {
  test("the software authenticator goes on", async () => {
    const authenticator = createSoftwareAuthenticator({ touchTimeout: 20, keepaliveEvery: 5 });
    const host = authenticator.attach(() => undefined);
    const channels = [0, 1, 2, 0xffffffff];
    fc.assert(
      fc.property(
        fc.constantFrom(...channels),
        fc.uint8Array({ maxLength: 80 }),
        fc.boolean(),
        (channel, bytes, raw) => {
          host.receive(raw ? bytes : report(channel, ...bytes.subarray(0, 60)));
        },
      ),
      { numRuns: 3_000, seed: SEED },
    );
    host.receive(report(1, 0x91));
    await enroll(await openDevice(describeSoftDevice(authenticator), { timing: { busy: 3_000, busyRetry: 20 } }));
  });

  test("commands with a few changes are answered with a status", async () => {
    const { device } = await pluggedWithPin();
    const key = await enroll(device);
    const { channel } = device;
    const commands = [
      Buffer.from("04", "hex"),
      Buffer.from("0b", "hex"),
      Buffer.from("06a201010202", "hex"),
      Buffer.concat([
        Buffer.from("02a3016d7373683a746f7563686d61726b025820", "hex"),
        random(32),
        Buffer.from("0381a262696458" + key.credentialId.length.toString(16), "hex"),
        key.credentialId,
        Buffer.from("64747970656a7075626c69632d6b6579", "hex"),
      ]),
    ];
    for (const command of commands) expect((await channel.call(0x10, command))[0]).toBe(0);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...commands), changes, async (command, list) => {
        const answer = await channel.call(0x10, mutate(command, list).subarray(0, 7_000));
        expect(answer.length).toBeGreaterThan(0);
      }),
      { numRuns: 1_500, seed: SEED },
    );
  });
});
