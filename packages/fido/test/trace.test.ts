// Traces: what was said to a key, without what nobody may know, and played again as a test.
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  assertKey,
  changePin,
  type DeviceDescription,
  decodeCbor,
  type FidoDevice,
  openDevice,
  parseTrace,
  setPin,
  type Trace,
  tracePipe,
} from "../src/index.ts";
import { cborMap, encodeCbor } from "../src/cbor/canonical.ts";
import { BROADCAST_CHANNEL, encodeMessage } from "../src/hid/framing.ts";
import { createMemoryPipe } from "../src/pipe/memory.ts";
import { USUAL_SIZES } from "../src/pipe/packet-pipe.ts";
import { createCollector } from "../src/trace/collector.ts";
import { createRedactor } from "../src/trace/redact.ts";
import { createSoftwareAuthenticator, describeSoftDevice, replayTrace } from "../src/testing/index.ts";
import type { AuthenticatorModel, SoftwareAuthenticator } from "../src/testing/index.ts";
import { codeOf, enroll, expectCode, person, PIN, QUICK, random, RP_ID, toHex } from "./kit.ts";

interface Session {
  readonly lines: readonly string[];
  readonly results: readonly string[];
}

const HASH = new Uint8Array(32).fill(7);

/** Sets a PIN, enrols and signs with it, and changes it. */
async function session(device: FidoDevice): Promise<string[]> {
  await setPin(device, PIN);
  const key = await enroll(device, {
    clientDataHash: HASH,
    wantUv: true,
    protection: "verified",
    interaction: person([PIN]),
  });
  const assertion = await assertKey({
    device,
    rpId: RP_ID,
    clientDataHash: HASH,
    credentialIds: [key.credentialId],
    wantUv: true,
    interaction: person([PIN]),
  });
  await changePin(device, PIN, "another-1234");
  await device.close();
  return [toHex(key.credentialId), toHex(key.attestationObject), toHex(assertion.signature)];
}

async function record(authenticator: SoftwareAuthenticator): Promise<Session> {
  const lines: string[] = [];
  const device = await openDevice(describeSoftDevice(authenticator), {
    ...QUICK,
    trace: (line) => void lines.push(line),
  });
  return { results: await session(device), lines };
}

function replayed(trace: Trace): { readonly description: DeviceDescription; readonly left: () => number } {
  const replay = replayTrace(trace);
  const description: DeviceDescription = {
    kind: "usb",
    name: "a trace",
    path: "trace",
    openPipe: async () => replay.pipe,
  };
  return { description, left: () => replay.left() };
}

const models: readonly (readonly [string, Partial<AuthenticatorModel>])[] = [
  ["PIN protocol 2", { pinProtocols: [2] }],
  ["PIN protocol 1", { pinProtocols: [1] }],
  ["CTAP 2.0", { versions: ["FIDO_2_0"], pinProtocols: [1], hasPermissions: false }],
];

describe.each(models)("a session with PINs, %s", (_, model) => {
  test("is written without them, and is played again to the same end by another host with other random numbers", async () => {
    const { lines, results } = await record(createSoftwareAuthenticator({ model, keepaliveEvery: 10 }));
    const trace = parseTrace(lines.join(""));
    const { description, left } = replayed(trace);
    expect(await session(await openDevice(description, QUICK))).toEqual(results);
    expect(left()).toBe(0);
  });

  test("no secret is in it: neither what was sent nor what it was made of", async () => {
    const secrets: Uint8Array[] = [];
    const authenticator = createSoftwareAuthenticator({ model, keepaliveEvery: 10 });
    const description = describeSoftDevice(authenticator);
    const spied: DeviceDescription = {
      ...description,
      async openPipe() {
        const pipe = await description.openPipe();
        const host = createCollector(64);
        return {
          ...pipe,
          async send(packet) {
            for (const { command, data } of host.add(packet)) if (command === 0x10) secrets.push(...secretsIn(data));
            await pipe.send(packet);
          },
        };
      },
    };
    authenticator.setFaults({
      alterAnswer(command, answer) {
        if (command === 0x06 && answer[2] === 0x02) secrets.push(...bytesIn(decodeCbor(answer.subarray(1))));
        return answer;
      },
    });
    const lines: string[] = [];
    await session(await openDevice(spied, { ...QUICK, trace: (line) => void lines.push(line) }));
    const text = lines.join("");
    const { entries } = parseTrace(text);
    const all = toHex(Buffer.concat(entries.map(({ packet }) => packet.subarray(packet[4]! & 0x80 ? 7 : 5))));
    secrets.push(hash("sha256", PIN, "buffer").subarray(0, 16), Buffer.from(PIN));
    expect(secrets.length).toBeGreaterThan(12);
    for (const secret of secrets) expect(all).not.toContain(toHex(secret.subarray(0, 16)));
    expect(new Set(entries.flatMap(({ cleared }) => cleared))).toEqual(
      new Set([
        "keyAgreement",
        "pinUvAuthParam",
        "newPinEnc",
        "pinHashEnc",
        "pinUvAuthToken",
        "extensions",
        "extension outputs",
      ]),
    );
  });
});

/** Whatever of a command to the key is made of a PIN or a token. */
function secretsIn(message: Uint8Array): Uint8Array[] {
  const keys = { 1: [0x08], 2: [0x06], 6: [0x04, 0x05, 0x06] }[message[0] ?? 0] ?? [];
  const map = message.length > 1 ? decodeCbor(message.subarray(1)) : undefined;
  return map instanceof Map ? keys.flatMap((key) => bytesIn(map.get(key))) : [];
}

function bytesIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  return value instanceof Map ? [...value.values()].flatMap(bytesIn) : [];
}

describe("a trace that was kept", () => {
  const text = readFileSync(new URL("vectors/software-authenticator.trace", import.meta.url), "utf8");

  test("is played again", async () => {
    const { description, left } = replayed(parseTrace(text));
    const results = await session(await openDevice(description, QUICK));
    expect(left()).toBe(0);
    expect(results[0]).toHaveLength(2 * 62);
  });

  test("another request than the recorded one is refused, and the device is gone", async () => {
    const { description } = replayed(parseTrace(text));
    const device = await openDevice(description, QUICK);
    const error = await expectCode(enroll(device), "DEVICE_GONE");
    expect(String(error.cause)).toMatch(/packet \d+ of the trace is another one/);
  });

  test.each([
    "",
    "{}\n",
    "null\n",
    '{"kind":"touchmark trace v2","in":64,"out":64}\n',
    '{"kind":"touchmark trace v1","in":64,"out":-1}\n',
    `${text}x\n`,
    `${text}{"at":1,"from":"nobody","packet":""}\n`,
    `${text}{"at":1,"from":"host","packet":"0"}\n`,
    `${text}{"at":1,"from":"host","packet":"${"00".repeat(65)}"}\n`,
    `${text}{"at":1,"from":"host","packet":"","length":1e9,"cleared":7}\n`,
  ])("%#: a file that is none", (bad) => {
    expect(codeOf(() => parseTrace(bad))).toBe("BAD_TRACE");
  });
});

describe("what is written", () => {
  test("is nothing of what other programs say", async () => {
    const authenticator = createSoftwareAuthenticator({ keepaliveEvery: 10 });
    const lines: string[] = [];
    const device = await openDevice(describeSoftDevice(authenticator), {
      ...QUICK,
      trace: (line) => void lines.push(line),
    });
    const other = await openDevice(describeSoftDevice(authenticator), QUICK);
    const before = lines.length;
    await enroll(other);
    expect(lines.length).toBe(before);
    await device.refresh();
    expect(lines.length).toBeGreaterThan(before);
    await Promise.all([device.close(), other.close()]);
  });

  test("of a broken packet its length, and of half a message that it was one", async () => {
    const lines: string[] = [];
    const { pipe, end } = createMemoryPipe({ receive: () => undefined, hostClosed: () => undefined });
    const traced = tracePipe(pipe, (line) => void lines.push(line));
    traced.onPacket(() => undefined);
    traced.onGone(() => undefined);
    const [first = new Uint8Array()] = encodeMessage(7, 0x10, Uint8Array.of(2, ...random(99)));
    await traced.send(first);
    end.deliver(random(63));
    end.deliver(encodeMessage(BROADCAST_CHANNEL, 0x06, random(17))[0] ?? random(64));
    await new Promise(setImmediate);
    end.vanish();
    const { entries } = parseTrace(lines.join(""));
    expect(entries.map(({ from, packet, cleared }) => [from, packet.length, cleared])).toEqual([
      ["device", 63, ["everything"]],
      ["host", 64, ["everything"]],
      ["host", 64, []],
    ]);
    expect(toHex(entries[1]?.packet ?? random(1))).toBe(`0000000790006402${"00".repeat(56)}`);
  });

  test("is whole though other programs' answers come in between", async () => {
    const lines: string[] = [];
    const { pipe, end } = createMemoryPipe({ receive: () => undefined, hostClosed: () => undefined });
    const traced = tracePipe(pipe, (line) => void lines.push(line));
    traced.onPacket(() => undefined);
    for (const packet of encodeMessage(7, 0x01, random(100))) await traced.send(packet);
    const [first = random(64), second = random(64)] = encodeMessage(7, 0x01, new Uint8Array(100).fill(9));
    for (const packet of [first, ...encodeMessage(8, 0x01, random(100)), second]) end.deliver(packet);
    await new Promise(setImmediate);
    const { entries } = parseTrace(lines.join(""));
    expect(entries.map(({ from, packet }) => [from, toHex(packet)]).slice(2)).toEqual([
      ["device", toHex(first)],
      ["device", toHex(second)],
    ]);
  });

  test("of commands that are not known, and of answers that can't be read, nothing but that they were", () => {
    const redactor = createRedactor();
    const whole = { channel: 1, command: 0x10, isWhole: true };
    const secret = random(20);
    const blank = (first: number, length: number): string => toHex(Uint8Array.of(first, ...new Uint8Array(length - 1)));
    // Credential management, with a token's parameter.
    const unknown = Uint8Array.of(0x0a, ...encodeCbor(cborMap([0x04, secret])));
    expect(toHex(redactor.host({ ...whole, data: unknown }).data)).toBe(blank(0x0a, unknown.length));
    expect(toHex(redactor.device({ ...whole, data: unknown }).data)).toBe(blank(0x0a, unknown.length));
    redactor.host({ ...whole, data: Uint8Array.of(0x02) });
    const broken = Uint8Array.of(0, 0xa1, ...secret);
    expect(toHex(redactor.device({ ...whole, data: broken }).data)).toBe(blank(0, broken.length));
    const vendor = { ...whole, command: 0x50, data: secret };
    expect(toHex(redactor.host(vendor).data)).toBe("00".repeat(20));
  });

  test("of extensions their names: hmac-secret's salts and outputs are cleared", () => {
    const redactor = createRedactor();
    const whole = { channel: 1, command: 0x10, isWhole: true };
    const [salt, output] = [random(32), random(48)];
    const asked = encodeCbor(cborMap([0x01, RP_ID], [0x04, cborMap(["hmac-secret", cborMap([2, salt])])]));
    const host = redactor.host({ ...whole, data: Uint8Array.of(2, ...asked) });
    expect([host.cleared, toHex(host.data).includes(toHex(salt))]).toEqual([["extensions"], false]);
    const authData = Uint8Array.of(
      ...new Uint8Array(32),
      0x81,
      0,
      0,
      0,
      9,
      ...encodeCbor(cborMap(["hmac-secret", output])),
    );
    const answer = encodeCbor(cborMap([0x02, authData], [0x03, random(70)], [0x07, random(32)]));
    const device = redactor.device({ ...whole, data: Uint8Array.of(0, ...answer) });
    expect([device.cleared, device.data.length]).toEqual([["largeBlobKey", "extension outputs"], answer.length + 1]);
    expect(toHex(device.data)).not.toContain(toHex(output));
    expect(toHex(device.data)).toContain(toHex(Buffer.from("hmac-secret")));
  });

  test("has a head with the sizes of packets", () => {
    const lines: string[] = [];
    tracePipe(
      createMemoryPipe({ receive: () => undefined, hostClosed: () => undefined }).pipe,
      (line) => void lines.push(line),
    );
    expect(lines).toEqual(['{"kind":"touchmark trace v1","in":64,"out":64}\n']);
    expect(parseTrace(lines.join(""))).toEqual({ sizes: USUAL_SIZES, entries: [] });
  });
});
