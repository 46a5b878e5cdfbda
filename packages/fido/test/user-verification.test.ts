import { describe, expect, test } from "vitest";
import { changePin, FLAG, getPinRetries, setPin } from "../src/index.ts";
import { getTokenUsingPin } from "../src/ctap2/client-pin.ts";
import { getAssertion } from "../src/ctap2/get-assertion.ts";
import type { AuthenticatorModel } from "../src/testing/index.ts";
import { enroll, expectCode, person, PIN, plugged, pluggedWithPin, random, RP_ID, signAndVerify } from "./kit.ts";

const CTAP20: Partial<AuthenticatorModel> = {
  versions: ["FIDO_2_0"],
  pinProtocols: [1],
  hasPermissions: false,
  makeCredUvNotRqd: false,
};

describe.each<readonly [string, Partial<AuthenticatorModel>]>([
  ["protocol 1", { pinProtocols: [1] }],
  ["protocol 2", { pinProtocols: [2] }],
  ["both protocols", { pinProtocols: [1, 2] }],
  ["a key of CTAP 2.0", CTAP20],
])("CTAP 2.1 section 6.5: %s", (_, model) => {
  test("a verified user for enrolment and signature", async () => {
    const { device } = await pluggedWithPin({ model });
    const someone = person([PIN, PIN]);
    const key = await enroll(device, { interaction: someone, wantUv: true });
    expect(key.flags & FLAG.uv).toBe(FLAG.uv);
    expect((await signAndVerify(device, key, someone, true)).flags).toBe(FLAG.up | FLAG.uv);
    expect(someone.questions).toMatchObject([
      { retries: 8, minLength: 4, reason: "needed" },
      { retries: 8, minLength: 4, reason: "needed" },
    ]);
  });

  test("a token is good for one touch", async () => {
    const { device } = await pluggedWithPin({ model });
    const key = await enroll(device, { interaction: person([PIN]) });
    const token = await getTokenUsingPin(device, PIN, { permissions: 2, rpId: RP_ID });
    const request = {
      rpId: RP_ID,
      clientDataHash: random(32),
      credentialIds: [key.credentialId],
      authorization: { kind: "token", token },
    } as const;
    await getAssertion(device, { ...request, userPresence: false });
    await getAssertion(device, request);
    expect((await expectCode(getAssertion(device, request), "DEVICE_REFUSED")).status).toBe(0x33);
  });

  test("a PIN is changed; the old one is wrong then", async () => {
    const { device } = await pluggedWithPin({ model });
    await changePin(device, PIN, "neue-Пин-🔑");
    await expectCode(changePin(device, PIN, "12345678"), "PIN_WRONG");
    await enroll(device, { interaction: person(["neue-Пин-🔑"]), wantUv: true });
  });
});

describe("CTAP 2.1 section 6.5.5.7: permissions", () => {
  test("a token for another application, or for another command, is not taken", async () => {
    const { device } = await pluggedWithPin();
    const key = await enroll(device);
    const clientDataHash = random(32);
    for (const scope of [
      { permissions: 2, rpId: "ssh:other" },
      { permissions: 1, rpId: RP_ID },
    ]) {
      const token = await getTokenUsingPin(device, PIN, scope);
      const request = {
        rpId: RP_ID,
        clientDataHash,
        credentialIds: [key.credentialId],
        authorization: { kind: "token", token },
      } as const;
      expect((await expectCode(getAssertion(device, request), "DEVICE_REFUSED")).status).toBe(0x33);
    }
  });
});

describe("when a PIN is asked for", () => {
  test("the same PIN in another normal form is the same PIN", async () => {
    const { device } = await plugged();
    await setPin(device, "caf\u00e9s");
    await enroll(device, { interaction: person(["cafe\u0301s"]), wantUv: true });
  });

  test("enrolment on a key that does not do without", async () => {
    const { device } = await pluggedWithPin({ model: { makeCredUvNotRqd: false } });
    const someone = person([PIN]);
    const key = await enroll(device, { interaction: someone });
    expect(someone.questions).toHaveLength(1);
    await signAndVerify(device, key, person());
  });

  test("everything on a key that always verifies", async () => {
    const { device } = await pluggedWithPin({ model: { alwaysUv: true, makeCredUvNotRqd: false } });
    const key = await enroll(device, { interaction: person([PIN]) });
    expect((await signAndVerify(device, key, person([PIN]))).flags & FLAG.uv).toBe(FLAG.uv);
  });

  test("a key that tells only in its refusal that it insists", async () => {
    const { authenticator, device } = await pluggedWithPin();
    const key = await enroll(device);
    let calls = 0;
    authenticator.setFaults({
      alterAnswer: (command, answer) => (command === 0x02 && ++calls <= 2 ? Uint8Array.of(0x36) : answer),
    });
    const someone = person([PIN]);
    expect((await signAndVerify(device, key, someone)).flags & FLAG.uv).toBe(FLAG.uv);
    expect(someone.questions).toHaveLength(1);
  });

  test("a PIN that can't fit costs no attempt", async () => {
    const { device } = await pluggedWithPin();
    const someone = person(["123", "x".repeat(64), PIN]);
    await enroll(device, { interaction: someone, wantUv: true });
    expect(someone.questions.map(({ reason, retries }) => [reason, retries])).toEqual([
      ["needed", 8],
      ["too-short", 8],
      ["too-long", 8],
    ]);
    await expectCode(enroll(device, { interaction: person(["1", "2", "3", PIN]), wantUv: true }), "PIN_POLICY");
    expect((await getPinRetries(device)).retries).toBe(8);
  });

  test("a first PIN that can't fit is not set", async () => {
    const { device } = await plugged({ model: { minPinLength: 6 } });
    await expectCode(setPin(device, "12345"), "PIN_POLICY");
    expect(device.info.options.get("clientPin")).toBe(false);
    await setPin(device, "123456");
    expect(device.info.options.get("clientPin")).toBe(true);
  });
});

describe("keys that verify their user themselves", () => {
  test("a fingerprint stands for the PIN", async () => {
    const { device } = await plugged({ model: { fingerprint: () => "match" } });
    const someone = person();
    const key = await enroll(device, { interaction: someone, wantUv: true });
    expect((await signAndVerify(device, key, someone, true)).flags & FLAG.uv).toBe(FLAG.uv);
    expect(someone.questions).toEqual([]);
  });

  test("a finger that is not known falls back to the PIN", async () => {
    const { device } = await pluggedWithPin({ model: { fingerprint: () => "mismatch" } });
    const someone = person([PIN]);
    await enroll(device, { interaction: someone, wantUv: true });
    expect(someone.questions).toHaveLength(1);
  });

  test("without a PIN it is refused, and after three times blocked", async () => {
    const { device } = await plugged({ model: { fingerprint: () => "mismatch" } });
    for (const retries of [2, 1]) {
      const error = await expectCode(enroll(device, { wantUv: true }), "UV_FAILED");
      expect([error.retries, error.message]).toEqual([retries, expect.stringMatching(/attempts? (?:are|is) left/)]);
    }
    for (const status of [0x3c, 0x3c]) {
      expect((await expectCode(enroll(device, { wantUv: true }), "UV_BLOCKED")).status).toBe(status);
    }
  });

  test("a key of CTAP 2.0 does it within the command", async () => {
    const { device } = await plugged({ model: { ...CTAP20, fingerprint: () => "match" } });
    const key = await enroll(device, { wantUv: true });
    expect((await signAndVerify(device, key, person(), true)).flags & FLAG.uv).toBe(FLAG.uv);
  });
});
