// What a credential may be besides a key pair: protected, kept on the key, excluded; and what a key wants of its PIN.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  assertKey,
  changePin,
  FLAG,
  type FidoDevice,
  findCredential,
  getUvRetries,
  openDevices,
  parseAuthData,
  pinRules,
  setPin,
  winkDevice,
} from "../src/index.ts";
import {
  enroll,
  expectCode,
  person,
  PIN,
  plugged,
  pluggedWithPin,
  random,
  RP_ID,
  signAndVerify,
  toHex,
} from "./kit.ts";

describe("CTAP 2.1 section 12.1: credProtect", () => {
  test("a credential for verified users alone is hidden from others, and signs for them", async () => {
    const { device } = await pluggedWithPin();
    const key = await enroll(device, { protection: "verified", interaction: person([PIN]) });
    expect(key.flags & (FLAG.uv | FLAG.ed)).toBe(FLAG.uv | FLAG.ed);
    expect(parseAuthData(key.authData).extensions).toEqual(new Map([["credProtect", 3]]));
    const question = { rpId: RP_ID, credentialIds: [key.credentialId] };
    expect(await findCredential(device, question)).toEqual({ kind: "absent" });
    await expectCode(signAndVerify(device, key, person()), "CREDENTIAL_UNKNOWN");
    expect((await signAndVerify(device, key, person([PIN]), true)).flags).toBe(FLAG.up | FLAG.uv);
  });

  test("is not enrolled twice all the same", async () => {
    const { device } = await pluggedWithPin();
    const { credentialId } = await enroll(device, { protection: "verified", interaction: person([PIN]) });
    const again = { excludeCredentialIds: [credentialId], wantUv: true };
    await expectCode(enroll(device, { ...again, interaction: person([PIN]) }), "CREDENTIAL_EXCLUDED");
  });

  test("`list` shows it to those who name it", async () => {
    const { device } = await pluggedWithPin();
    const key = await enroll(device, { protection: "list", discoverable: true });
    await signAndVerify(device, key, person());
    const request = { device, rpId: RP_ID, clientDataHash: random(32), credentialIds: "discoverable" } as const;
    await expectCode(assertKey({ ...request, interaction: person() }), "CREDENTIAL_UNKNOWN");
    await assertKey({ ...request, wantUv: true, interaction: person([PIN]) });
  });

  test("is refused where the key does not know it, and noticed where it ignores it", async () => {
    const without = await pluggedWithPin({ model: { hasCredProtect: false } });
    await expectCode(enroll(without.device, { protection: "list" }), "KEY_UNABLE");
    const { authenticator, device } = await pluggedWithPin();
    authenticator.setFaults({
      alterAnswer(command, answer) {
        // The level in the extension's output, from 3 to 2.
        if (command !== 0x01) return answer;
        return Buffer.from(
          toHex(answer).replace(toHex(Buffer.from("credProtect")) + "03", toHex(Buffer.from("credProtect")) + "02"),
          "hex",
        );
      },
    });
    await expectCode(enroll(device, { protection: "verified", interaction: person([PIN]) }), "DEVICE_GARBAGE");
  });
});

describe("discoverable credentials", () => {
  const ask = (device: FidoDevice, rpId = RP_ID): ReturnType<typeof assertKey> =>
    assertKey({ device, rpId, clientDataHash: random(32), credentialIds: "discoverable", interaction: person() });

  test("by default nothing is kept on the key", async () => {
    const { device } = await plugged();
    await enroll(device);
    await expectCode(ask(device), "CREDENTIAL_UNKNOWN");
  });

  test("the newest is found without its id; one for the same user takes the place of the one before", async () => {
    const { device } = await plugged({ model: { discoverablePlaces: 2 } });
    const user = (id: number): { id: Uint8Array; name: string } => ({ id: Uint8Array.of(id), name: "ada" });
    await enroll(device, { discoverable: true, user: user(1) });
    const second = await enroll(device, { discoverable: true, user: user(2) });
    const found = await ask(device);
    expect([toHex(found.credentialId), found.userHandle]).toEqual([toHex(second.credentialId), Uint8Array.of(2)]);
    await expectCode(enroll(device, { discoverable: true, user: user(3) }), "KEY_UNABLE");
    const third = await enroll(device, { discoverable: true, user: user(1) });
    expect(toHex((await ask(device)).credentialId)).toBe(toHex(third.credentialId));
    await expectCode(ask(device, "ssh:other"), "CREDENTIAL_UNKNOWN");
  });

  test("are refused where the key keeps none", async () => {
    const { device } = await plugged({ model: { discoverablePlaces: 0 } });
    await expectCode(enroll(device, { discoverable: true }), "KEY_UNABLE");
    await expectCode(ask(device), "KEY_UNABLE");
  });

  test("outlive the process in soft:FILE", async () => {
    const folder = await mkdtemp(join(tmpdir(), "touchmark-kept-"));
    try {
      const spec = `soft:${join(folder, "key.json")}`;
      const [first] = await openDevices(spec);
      if (first === undefined) throw new Error("no device");
      const key = await enroll(first, { discoverable: true });
      await first.close();
      const [second] = await openDevices(spec);
      if (second === undefined) throw new Error("no device");
      expect(toHex((await ask(second)).credentialId)).toBe(toHex(key.credentialId));
      await second.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("a key that answers no questions without a touch", () => {
  test("sees itself to it that it is not enrolled twice, as many credentials as it takes", async () => {
    const { authenticator, device } = await plugged({ model: { maxCredentialCountInList: 20, maxMessageBytes: 700 } });
    const { credentialId } = await enroll(device);
    authenticator.setFaults({ alterAnswer: (command, answer) => (command === 0x02 ? Uint8Array.of(0x2b) : answer) });
    const excludeCredentialIds = [credentialId, ...Array.from({ length: 30 }, () => random(62))];
    await expectCode(enroll(device, { excludeCredentialIds }), "CREDENTIAL_EXCLUDED");
    await enroll(device, { excludeCredentialIds: excludeCredentialIds.slice(1) });
  });

  test("one that verifies its user within the command does so too", async () => {
    const { device } = await plugged({
      model: { versions: ["FIDO_2_0"], pinProtocols: [1], hasPermissions: false, fingerprint: () => "match" },
    });
    const { credentialId } = await enroll(device, { protection: "verified", wantUv: true });
    await expectCode(enroll(device, { excludeCredentialIds: [credentialId], wantUv: true }), "CREDENTIAL_EXCLUDED");
  });
});

describe("CTAP 2.2 section 6.4: what a key wants of its PIN", () => {
  test("is told", async () => {
    const { device } = await plugged({ model: { minPinLength: 6, maxPinLength: 12, acceptsPin: () => true } });
    const rules = { isSet: false, mustChange: false, minLength: 6, maxLength: 12, hasHiddenRules: true };
    expect(pinRules(device)).toEqual(rules);
    await setPin(device, "123456");
    expect(pinRules(device)).toEqual({ ...rules, isSet: true });
    await expectCode(setPin(device, "1234567"), "PIN_SET_ALREADY");
  });

  test("too short, too long, and against rules that it does not tell: each has its words", async () => {
    const acceptsPin = (pin: string): boolean => new Set(pin).size > 1;
    const { device } = await plugged({ model: { minPinLength: 6, maxPinLength: 12, acceptsPin } });
    expect((await expectCode(setPin(device, "12345"), "PIN_POLICY")).message).toContain("at least 6 characters");
    expect((await expectCode(setPin(device, "1".repeat(13)), "PIN_POLICY")).message).toContain("at most 12 characters");
    expect((await expectCode(setPin(device, "111111"), "PIN_POLICY")).message).toContain("rules beyond the length");
    await setPin(device, "123456");
    await expectCode(changePin(device, "123456", "222222"), "PIN_POLICY");
    await changePin(device, "123456", "654321");
  });

  test("a forced change: nothing but changing the PIN works, and to another one", async () => {
    const { device } = await pluggedWithPin({ model: { forcePinChange: true } });
    expect(pinRules(device).mustChange).toBe(true);
    const someone = person([PIN]);
    await expectCode(enroll(device, { wantUv: true, interaction: someone }), "PIN_CHANGE_NEEDED");
    expect(someone.questions).toEqual([]);
    await expectCode(changePin(device, PIN, PIN), "PIN_POLICY");
    await changePin(device, PIN, "another");
    expect(pinRules(device).mustChange).toBe(false);
    await enroll(device, { wantUv: true, interaction: person(["another"]) });
  });

  test("a PIN that is not set cannot be changed", async () => {
    const { device } = await plugged();
    await expectCode(changePin(device, PIN, "another"), "PIN_NOT_SET");
  });
});

describe("built-in verification", () => {
  test("failures are shown with what is left, as often as the key wants it tried", async () => {
    const outcomes = ["mismatch", "mismatch", "match"] as const;
    let at = 0;
    const { authenticator, device } = await plugged({ model: { fingerprint: () => outcomes[at++] ?? "match" } });
    authenticator.setFaults({
      // preferredPlatformUvAttempts, 0x11, is 3.
      alterAnswer: (command, answer) =>
        command === 0x04
          ? Buffer.concat([Uint8Array.of(0, (answer[1] ?? 0) + 1), answer.subarray(2), Uint8Array.of(0x11, 3)])
          : answer,
    });
    await device.refresh();
    const failures: (number | undefined)[] = [];
    const interaction = {
      ...person(),
      showUvFailed: (_: string, left: number | undefined) => void failures.push(left),
    };
    await enroll(device, { wantUv: true, interaction });
    expect(failures).toEqual([2, 1]);
    expect(await getUvRetries(device)).toBe(3);
  });

  test("a key that does not tell its retries", async () => {
    const { device } = await plugged();
    expect(await getUvRetries(device)).toBeUndefined();
  });
});

describe("wink", () => {
  test("the key shows itself, if it can", async () => {
    let winks = 0;
    const { device } = await plugged({ wink: () => void winks++ });
    expect([await winkDevice(device), winks]).toEqual([true, 1]);
    const blind = await plugged({ model: { canWink: false }, wink: () => void winks++ });
    expect([await winkDevice(blind.device), winks]).toEqual([false, 1]);
  });
});

describe("CTAP 2.1 section 11.2.4: a channel that is lost", () => {
  test("a key that lost power goes on with a new channel, also in the middle of a touch", async () => {
    const { authenticator, device } = await plugged();
    const key = await enroll(device);
    authenticator.restart();
    await signAndVerify(device, key, person());
    authenticator.restart();
    await device.refresh();
  });

  test("a token does not survive it, and that is said", async () => {
    const { authenticator, device } = await pluggedWithPin();
    const key = await enroll(device);
    let isFirst = true;
    authenticator.setFaults({
      alterAnswer(command, answer) {
        if (command === 0x06 && answer[2] === 0x02 && isFirst) {
          // After the token was given away.
          isFirst = false;
          setImmediate(() => authenticator.restart());
        }
        return answer;
      },
    });
    await expectCode(signAndVerify(device, key, person([PIN]), true), "DEVICE_REFUSED");
    await signAndVerify(device, key, person([PIN]), true);
  });
});
