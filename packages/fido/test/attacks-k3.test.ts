// K3: accidents between a person and a key. Each has its own code, a sentence and a hint; nothing is left half done.
import { describe, expect, test } from "vitest";
import {
  assertKey,
  explain,
  type FidoError,
  getPinRetries,
  listDevices,
  openDevice,
  openDevices,
  parseDeviceSpec,
} from "../src/index.ts";
import {
  createSoftwareAuthenticator,
  describeSoftDevice,
  neverTouch,
  refuseAfter,
  serveUdp,
  touchAfter,
} from "../src/testing/index.ts";
import {
  codeOf,
  enroll,
  expectCode,
  person,
  PIN,
  plugged,
  pluggedWithPin,
  QUICK,
  random,
  RP_ID,
  signAndVerify,
} from "./kit.ts";

function expectWords(error: FidoError): void {
  expect(error.message).toMatch(/^[A-Z0-9].*\.$/);
  expect(error.hint).toMatch(/^[A-Z].*\.$/);
}

describe("K3: the PIN", () => {
  test("wrong once: asked again with the attempts that are left", async () => {
    const { device } = await pluggedWithPin();
    const someone = person(["wrong", PIN]);
    await enroll(device, { interaction: someone, wantUv: true });
    expect(someone.questions.map(({ reason, retries }) => [reason, retries])).toEqual([
      ["needed", 8],
      ["wrong", 7],
    ]);
    expect((await getPinRetries(device)).retries).toBe(8);
  });

  test("wrong and given up: nothing is tried again by itself", async () => {
    const { device } = await pluggedWithPin();
    const error = await expectCode(enroll(device, { interaction: person(["wrong"]), wantUv: true }), "PIN_WRONG");
    expectWords(error);
    expect(error.retries).toBe(7);
    expect(error.message).toContain("7 attempts are left");
    expect((await getPinRetries(device)).retries).toBe(7);
  });

  test("wrong three times in a row: unplug; then it works again", async () => {
    const { authenticator, device } = await pluggedWithPin();
    const someone = person(["wrong", "wronger", "wrongest", PIN]);
    expectWords(await expectCode(enroll(device, { interaction: someone, wantUv: true }), "PIN_AUTH_BLOCKED"));
    expect(someone.questions).toHaveLength(3);
    const after = person([PIN]);
    await expectCode(enroll(device, { interaction: after, wantUv: true }), "PIN_AUTH_BLOCKED");
    expect(after.questions).toEqual([]);
    authenticator.pullOut();
    const again = await openDevice(describeSoftDevice(authenticator), QUICK);
    await enroll(again, { interaction: person([PIN]), wantUv: true });
  });

  test("wrong eight times: locked for good, and the right PIN does not help", async () => {
    const { authenticator, device } = await pluggedWithPin();
    let current = device;
    const codes: string[] = [];
    for (let round = 0; round < 3; round++) {
      const work = enroll(current, { interaction: person(["wrong", "wrong", "wrong"]), wantUv: true });
      codes.push(
        await work.then(
          () => "",
          (error: FidoError) => error.code,
        ),
      );
      authenticator.pullOut();
      current = await openDevice(describeSoftDevice(authenticator), QUICK);
    }
    expect(codes).toEqual(["PIN_AUTH_BLOCKED", "PIN_AUTH_BLOCKED", "PIN_BLOCKED"]);
    const someone = person([PIN]);
    expectWords(await expectCode(enroll(current, { interaction: someone, wantUv: true }), "PIN_BLOCKED"));
    expect(someone.questions).toEqual([]);
  });

  test("not set, though one is wanted", async () => {
    const { device } = await plugged();
    expectWords(await expectCode(enroll(device, { wantUv: true }), "PIN_NOT_SET"));
  });

  test("not known to the key at all", async () => {
    const { device } = await plugged({ model: { hasClientPin: false } });
    expectWords(await expectCode(enroll(device, { wantUv: true }), "UV_UNAVAILABLE"));
  });

  test("not told: the person would rather not", async () => {
    const { device } = await pluggedWithPin();
    await expectCode(enroll(device, { interaction: person([]), wantUv: true }), "CANCELLED");
  });
});

describe("K3: the touch", () => {
  test.each([0x27, 0x2f, 0x3a])(
    "timed out, on a key that says so with status %i; then the next try works",
    async (noTouchStatus) => {
      const { authenticator, device } = await plugged({ touchTimeout: 60, model: { noTouchStatus } });
      const key = await enroll(device);
      authenticator.setTouch(neverTouch());
      expectWords(await expectCode(signAndVerify(device, key, person()), "TOUCH_TIMEOUT"));
      authenticator.setTouch(touchAfter(0));
      await signAndVerify(device, key, person());
    },
  );

  test("refused", async () => {
    const { device } = await plugged({ touch: refuseAfter(5) });
    await expectCode(enroll(device), "TOUCH_TIMEOUT");
  });

  test("the key is pulled out while it blinks; plugged in again, the next try works", async () => {
    const { authenticator, device } = await plugged();
    const key = await enroll(device);
    authenticator.setTouch(neverTouch());
    const someone = { ...person(), showTouch: () => void setTimeout(() => authenticator.pullOut(), 10) };
    expectWords(await expectCode(signAndVerify(device, key, someone), "DEVICE_GONE"));
    await expectCode(signAndVerify(device, key, person()), "DEVICE_GONE");
    authenticator.setTouch(touchAfter(0));
    await signAndVerify(await openDevice(describeSoftDevice(authenticator), QUICK), key, person());
  });

  test("the key is pulled out over UDP: silence ends within the bound", async () => {
    const { authenticator, device } = await plugged();
    const key = await enroll(device);
    const server = await serveUdp(authenticator);
    const [remote] = await openDevices(server.spec, QUICK);
    if (remote === undefined) throw new Error("no device");
    authenticator.setTouch(neverTouch());
    const someone = { ...person(), showTouch: () => void server.close() };
    await expectCode(signAndVerify(remote, key, someone), "DEVICE_SILENT");
    await remote.close();
  });

  test("Ctrl-C: the key stops blinking and takes the next command", async () => {
    const { authenticator, device } = await plugged({ touchTimeout: 5_000 });
    const key = await enroll(device);
    authenticator.setTouch(neverTouch());
    const stop = new AbortController();
    const someone = { ...person([], stop.signal), showTouch: () => void setTimeout(() => stop.abort(), 10) };
    await expectCode(signAndVerify(device, key, someone), "CANCELLED");
    authenticator.setTouch(touchAfter(0));
    await signAndVerify(device, key, person());
  });
});

describe("K3: the key", () => {
  test("none at that address", async () => {
    const server = await serveUdp(createSoftwareAuthenticator());
    await server.close();
    expectWords(await expectCode(openDevices(server.spec, QUICK), "NO_DEVICE"));
  });

  test("without the algorithm", async () => {
    const { device } = await plugged({ model: { algorithms: [-7] } });
    const someone = person();
    expectWords(await expectCode(enroll(device, { algorithms: [-8], interaction: someone }), "ALGORITHM_UNSUPPORTED"));
    expect(someone.touches).toEqual([]);
    expect((await enroll(device, { algorithms: [-8, -7] })).publicKey.alg).toBe("ES256");
  });

  test("not the one with the credential: said before anybody types a PIN or touches", async () => {
    const one = await pluggedWithPin();
    const other = await pluggedWithPin();
    const key = await enroll(one.device);
    const someone = person();
    const ask = assertKey({
      device: other.device,
      rpId: RP_ID,
      clientDataHash: random(32),
      credentialIds: [key.credentialId],
      interaction: someone,
    });
    expectWords(await expectCode(ask, "CREDENTIAL_UNKNOWN"));
    expect([...someone.questions, ...someone.touches]).toEqual([]);
  });

  test("enrolled already: said before a touch", async () => {
    const { device } = await plugged();
    const key = await enroll(device);
    const someone = person();
    const again = enroll(device, { excludeCredentialIds: [random(61), key.credentialId], interaction: someone });
    expectWords(await expectCode(again, "CREDENTIAL_EXCLUDED"));
    expect(someone.touches).toEqual([]);
    await enroll(device, { excludeCredentialIds: [random(61)] });
  });

  test("busy with another program: waited for, then given up", async () => {
    const { authenticator, device } = await plugged({ touchTimeout: 2_000, touch: neverTouch() });
    const stop = new AbortController();
    const other = await openDevice(describeSoftDevice(authenticator), QUICK);
    const blinking = expectCode(enroll(other, { interaction: person([], stop.signal) }), "CANCELLED");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expectWords(await expectCode(enroll(device), "DEVICE_BUSY"));
    stop.abort();
    await blinking;
    authenticator.setTouch(touchAfter(0));
    await enroll(device);
  });

  test("that speaks neither FIDO2 nor U2F", async () => {
    const authenticator = createSoftwareAuthenticator({
      faults: {
        alterPacket(packet) {
          const altered = packet.slice();
          if (altered[4] === 0x86) altered[23] = 0x09;
          return [altered];
        },
      },
    });
    expectWords(await expectCode(openDevice(describeSoftDevice(authenticator), QUICK), "NOT_FIDO"));
  });
});

describe("K3: the names of devices", () => {
  test("are read strictly", () => {
    expect(parseDeviceSpec("usb")).toEqual({ kind: "usb" });
    expect(parseDeviceSpec("udp:127.0.0.1:8111:7112")).toEqual({
      kind: "udp",
      address: { host: "127.0.0.1", port: 8111, localPort: 7112 },
    });
    expect(parseDeviceSpec("udp:[::1]:9")).toEqual({ kind: "udp", address: { host: "::1", port: 9 } });
    expect(parseDeviceSpec("soft:a:b")).toEqual({ kind: "soft", file: "a:b" });
    for (const bad of [
      "",
      "USB",
      "udp:",
      "udp:host",
      "udp:host:0",
      "udp:host:65536",
      "udp:host:1:0",
      "udp:host:1:2:3",
      "udp:::1:9",
      "soft:",
      "hid:x",
    ]) {
      expect(
        codeOf(() => parseDeviceSpec(bad)),
        bad,
      ).toBe("BAD_DEVICE_SPEC");
    }
  });

  test("of USB keys are asked of the system, or it is said why not", async () => {
    const outcome = await listDevices("usb").then(
      (devices) => devices.every(({ kind }) => kind === "usb"),
      (error: FidoError) => error.code,
    );
    expect([true, "LIBRARY_MISSING"]).toContain(outcome);
  });
});

describe("K3: every trouble has words", () => {
  test.each([
    explain({ kind: "no-device" }),
    explain({ kind: "several-devices", names: ["a", "b"] }),
    explain({ kind: "gone" }),
    explain({ kind: "busy" }),
    explain({ kind: "silent" }),
    explain({ kind: "garbage", detail: "x" }),
    explain({ kind: "no-permission", path: "/dev/hidraw0" }),
    explain({ kind: "library-missing", cause: new Error("x") }),
    explain({ kind: "not-fido" }),
    explain({ kind: "unable", what: "fly" }),
    explain({ kind: "u2f-status", sw: 0x6f00 }),
    explain({ kind: "pin-change-needed" }),
    explain({ kind: "pin-rules" }),
    explain({ kind: "uv-unavailable" }),
  ])("$code", (error) => {
    expectWords(error);
  });

  test("and every status byte a code", () => {
    for (let status = 1; status < 256; status++) {
      const error = explain({ kind: "status", status });
      expect(error.status).toBe(status);
      expect(error.message).toMatch(/^[A-Z0-9].*\.$/);
    }
  });
});
