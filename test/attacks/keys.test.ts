import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDevices, setPin } from "@touchmark/fido";
import {
  createSoftwareAuthenticator,
  type Faults,
  neverTouch,
  refuseAfter,
  serveUdp,
  type SoftwareAuthenticator,
  type SoftwareAuthenticatorOptions,
  touchAfter,
  type UdpAuthenticator,
} from "@touchmark/fido/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { packRelease } from "../support/packed.ts";
import { type Outcome, type Place, runTouchmark } from "../support/touchmark.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// K1, K3, K4 by the command line: a key that is pulled out, that lies, or that isn't there. Whatever it does, there is a
// word for it, the exit code is 4, nothing is half-written, and the next try works.

let workshop: Workshop;
let desk: Place;
let desks = 0;
const served: UdpAuthenticator[] = [];
const PIN = "471100";

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
});
afterEach(async () => {
  for (const server of served.splice(0)) await server.close();
});
afterAll(() => workshop.close());

interface Plugged {
  key: SoftwareAuthenticator;
  server: UdpAuthenticator;
  device: string;
}

async function plug(options: Partial<SoftwareAuthenticatorOptions> = {}): Promise<Plugged> {
  const key = createSoftwareAuthenticator({ touchTimeout: 300, keepaliveEvery: 50, ...options });
  const server = await serveUdp(key);
  served.push(server);
  return { key, server, device: server.spec };
}

/** An empty desk with a tarball on it, and a policy. */
function clearDesk(): void {
  const directory = join(workshop.root, `desk-${++desks}`);
  mkdirSync(directory);
  desk = { directory, home: join(directory, "home") };
  writeFileSync(join(directory, "touchmark.json"), readFileSync(join(workshop.makers.directory, "touchmark.json")));
  writeFileSync(join(directory, "widget-1.0.0.tgz"), packRelease({ name: "widget", version: "1.0.0" }).tarball);
}

const touchmark = (command: string, more: Partial<Place> = {}): Promise<Outcome> =>
  runTouchmark(command.split(" "), { ...desk, ...more });
const sign = (more = "", place: Partial<Place> = {}): Promise<Outcome> =>
  touchmark(`sign widget-1.0.0.tgz --yes${more}`, place);

async function enrolled(options: Partial<SoftwareAuthenticatorOptions> = {}): Promise<Plugged> {
  clearDesk();
  const plugged = await plug(options);
  const outcome = await touchmark(`key enroll --holder alice --device ${plugged.device}`);
  expect(outcome.exit, outcome.text).toBe(0);
  return plugged;
}

/** It failed with these words; nothing was written. */
function expectTrouble(outcome: Outcome, codes: string): void {
  expect(outcome.exit, outcome.text).toBe(4);
  expect(outcome.text).toMatch(
    new RegExp(`(?:^|\\n)error: [A-Z][^\\n]+\\. \\[(?:${codes})\\]\\n(?:hint: [^\\n]+\\n)?$`),
  );
  expect(existsSync(join(desk.directory, "widget-1.0.0.tgz.touchmark"))).toBe(false);
}

/** The next try works. */
async function expectSigned(more = "", place: Partial<Place> = {}): Promise<void> {
  const outcome = await sign(more, place);
  expect(outcome.exit, outcome.text).toBe(0);
  expect(outcome.stdout).toContain("Signed as alice");
}

describe("K3: the touch", () => {
  test("that doesn't come, and that is declined", async () => {
    const { key } = await enrolled();
    for (const finger of [neverTouch(), refuseAfter(5)]) {
      key.setTouch(finger);
      expectTrouble(await sign(), "TOUCH_TIMEOUT");
    }
    key.setTouch(touchAfter(5));
    await expectSigned();
  });

  test("given up by Ctrl-C, even while the key says without end that it is at work", async () => {
    const { key } = await enrolled({ touchTimeout: 20_000 });
    key.setTouch(neverTouch());
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    expectTrouble(await sign("", { signal: stop.signal }), "CANCELLED");
    key.setTouch(touchAfter(5));
    await expectSigned();
  });

  test("during which the key is pulled out", async () => {
    const { key, server } = await enrolled();
    key.setTouch(async (signal) => {
      await server.close();
      served.splice(served.indexOf(server), 1);
      return neverTouch()(signal);
    });
    expectTrouble(await sign(), "DEVICE_SILENT");
    key.setTouch(touchAfter(5));
    const again = await serveUdp(key);
    served.push(again);
    await expectSigned(` --device ${again.spec}`);
  });
});

describe("K3: the key", () => {
  test("isn't plugged in", async () => {
    const { server } = await enrolled();
    await server.close();
    served.pop();
    expectTrouble(await sign(), "NO_DEVICE");
  });

  test("is another one than was enrolled", async () => {
    await enrolled();
    const stranger = await plug();
    expectTrouble(await sign(` --device ${stranger.device}`), "CREDENTIAL_UNKNOWN");
    await expectSigned();
  });

  test("is at work for another program, and then isn't", async () => {
    const { key, device } = await enrolled({ touchTimeout: 400 });
    key.setTouch(neverTouch());
    const other = touchmark(`key enroll --holder other --device ${device}`, {
      home: join(desk.directory, "other-home"),
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    key.setTouch(touchAfter(5));
    await expectSigned();
    expect([(await other).exit, (await other).text]).toEqual([4, expect.stringContaining("[TOUCH_TIMEOUT]")]);
  });

  test("doesn't have the algorithm: nothing is enrolled, and another one can be", async () => {
    clearDesk();
    const { device } = await plug({ model: { algorithms: [-7] } });
    expectTrouble(
      await touchmark(`key enroll --holder alice --algorithm ed25519 --device ${device}`),
      "ALGORITHM_UNSUPPORTED",
    );
    expect(existsSync(join(desk.home, "keys.json"))).toBe(false);
    expect((await touchmark(`key enroll --holder alice --device ${device}`)).exit).toBe(0);
  });

  test("is enrolled already", async () => {
    const { device } = await enrolled();
    const before = readFileSync(join(desk.home, "keys.json"), "utf8");
    expectTrouble(await touchmark(`key enroll --holder alice --device ${device}`), "CREDENTIAL_EXCLUDED");
    expect(readFileSync(join(desk.home, "keys.json"), "utf8")).toBe(before);
  });
});

describe("K3: the PIN", () => {
  const typed = (...lines: string[]): Partial<Place> => ({ typed: lines });

  test("isn't set, though one is asked for", async () => {
    const { device } = await enrolled();
    expectTrouble(await sign(" --uv", typed(PIN)), "PIN_NOT_SET");
    await givePin(device);
    await expectSigned(" --uv", typed(PIN));
  });

  test("is wrong, is wrong again, and has to be waited for", async () => {
    const { key, device } = await enrolled();
    await givePin(device);
    expectTrouble(await sign(" --uv --pin-fd 3", { descriptors: { 3: "000000" } }), "PIN_WRONG");
    const thrice = await sign(" --uv", typed("000000", "000000", "000000"));
    expectTrouble(thrice, "PIN_AUTH_BLOCKED");
    expectTrouble(await sign(" --uv", typed(PIN)), "PIN_AUTH_BLOCKED");
    key.restart(); // pulled out and plugged in
    await expectSigned(" --uv", typed(PIN));
  });

  test("is wrong too often: the key is locked for good, and says so", async () => {
    const { key, device } = await enrolled();
    await givePin(device);
    for (let tries = 0; tries < 3; tries++) {
      await sign(" --uv", typed("000000", "000000", "000000"));
      key.restart();
    }
    expectTrouble(await sign(" --uv", typed(PIN)), "PIN_BLOCKED");
  });

  test("is asked for where nobody can type it, or isn't told", async () => {
    const { device } = await enrolled();
    await givePin(device);
    expectTrouble(await sign(" --uv"), "PIN_NEEDED");
    expectTrouble(await sign(" --uv", typed()), "CANCELLED");
    await expectSigned(" --uv --pin-fd 3", { descriptors: { 3: PIN } });
  });

  async function givePin(device: string): Promise<void> {
    const [opened] = await openDevices(device);
    await setPin(opened!, PIN);
    await opened!.close();
  }
});

const GET_ASSERTION = 0x02;
const RP_ID_HASH = createHash("sha256").update("ssh:touchmark").digest();

/** Changes the answer to a request for a signature; `authData` is where the authenticator data begin in it. */
function lying(change: (answer: Buffer, authData: number) => void): Faults {
  return {
    alterAnswer(command, answer) {
      const copy = Buffer.from(answer);
      const authData = copy.indexOf(RP_ID_HASH);
      if (command === GET_ASSERTION && authData > 0) change(copy, authData);
      return copy;
    },
  };
}

describe("K1, K2: the key signs something else, or says what isn't so", () => {
  const flip = (answer: Buffer, at: number): void => {
    answer[at]! ^= 1;
  };

  test.each<[string, Faults, string, string]>([
    ["for another application", lying(flip), "DEVICE_GARBAGE", "an assertion for another application"],
    ["without a touch", lying((answer, at) => flip(answer, at + 32)), "DEVICE_GARBAGE", "an assertion without a touch"],
    ["authenticator data cut short", lying((answer, at) => flip(answer, at - 1)), "DEVICE_GARBAGE", "makes no sense"],
    [
      "another signature",
      lying((answer) => flip(answer, answer.length - 1)),
      "BAD_OWN_SIGNATURE",
      "nothing was written",
    ],
    ["a counter of its own", lying((answer, at) => flip(answer, at + 36)), "BAD_OWN_SIGNATURE", "nothing was written"],
  ])("%s", async (_, faults, code, words) => {
    const { key } = await enrolled();
    key.setFaults(faults);
    const outcome = await sign();
    expectTrouble(outcome, code);
    expect(outcome.text).toContain(words);
    key.setFaults({});
    await expectSigned();
  });
});

describe("K4: a key that answers garbage", () => {
  const answering = (...bytes: number[]): Faults => ({ alterAnswer: () => Uint8Array.from(bytes) });

  test.each<[string, Faults]>([
    ["nothing at all", answering()],
    ["success, and no more", answering(0)],
    ["a text instead of a map", answering(0, 0x61, 0x61)],
    ["a CBOR bomb, deep", answering(0, ...Array.from({ length: 1000 }, () => 0x81))],
    ["a CBOR bomb, wide", answering(0, 0x9b, 255, 255, 255, 255, 255, 255, 255, 255)],
    [
      "packets out of order",
      { alterPacket: (packet) => [packet[4]! < 0x80 ? changed(packet, 4, packet[4]! + 1) : packet] },
    ],
    [
      "a message longer than there can be",
      { alterPacket: (packet) => [packet[4] === 0x90 ? changed(packet, 5, 0xff) : packet] },
    ],
  ])("%s: a word for it, and the next try works", async (_, faults) => {
    const { key, device } = await enrolled();
    const before = readFileSync(join(desk.home, "keys.json"), "utf8");
    key.setFaults(faults);
    expectTrouble(await sign(), "DEVICE_GARBAGE");
    expectTrouble(await touchmark(`key enroll --holder bob --device ${device}`), "DEVICE_GARBAGE");
    expect(readFileSync(join(desk.home, "keys.json"), "utf8")).toBe(before);
    key.setFaults({});
    await expectSigned();
  });

  test("other programs' packets in between are passed over", async () => {
    const { key } = await enrolled();
    const foreign = (packet: Uint8Array): Uint8Array => changed(packet, 3, packet[3]! ^ 0x55);
    key.setFaults({ alterPacket: (packet) => [foreign(packet), packet, foreign(packet)] });
    await expectSigned();
  });

  test("silence ends within the bound", async () => {
    const { key } = await enrolled();
    key.setFaults({ alterPacket: () => [] });
    expectTrouble(await sign(), "NO_DEVICE");
    key.setFaults({});
    await expectSigned();
  });

  function changed(packet: Uint8Array, at: number, value: number): Uint8Array {
    const copy = Uint8Array.from(packet);
    copy[at] = value;
    return copy;
  }
});
