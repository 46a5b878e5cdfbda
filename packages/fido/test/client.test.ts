import { describe, expect, test } from "vitest";
import { assertKey, findCredential, FLAG, openDevice, openDevices, parseAttestationObject } from "../src/index.ts";
import { createSoftwareAuthenticator, describeSoftDevice, type Faults, serveUdp } from "../src/testing/index.ts";
import {
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
  toHex,
} from "./kit.ts";

describe.each([-7, -8] as const)("enrolment and signature, algorithm %i", (algorithm) => {
  test("in memory, without a PIN", async () => {
    const { device } = await plugged();
    const someone = person();
    const key = await enroll(device, { algorithms: [algorithm], interaction: someone });
    expect(key.publicKey.alg).toBe(algorithm === -7 ? "ES256" : "EdDSA");
    expect(key.flags).toBe(FLAG.up | FLAG.at);
    const first = await signAndVerify(device, key, someone);
    const second = await signAndVerify(device, key, someone);
    expect(first.flags).toBe(FLAG.up);
    expect(first.authData).toHaveLength(37);
    expect(second.counter).toBeGreaterThan(first.counter);
    expect(someone.questions).toEqual([]);
    expect(someone.touches).toHaveLength(3);
    await device.close();
  });

  test("over UDP, with a PIN", async () => {
    const { authenticator, device } = await pluggedWithPin();
    await device.close();
    const server = await serveUdp(authenticator);
    const [overUdp] = await openDevices(server.spec, QUICK);
    if (overUdp === undefined) throw new Error("no device");
    const key = await enroll(overUdp, { algorithms: [algorithm], interaction: person([PIN]), wantUv: true });
    const assertion = await signAndVerify(overUdp, key, person([PIN]), true);
    expect(assertion.flags).toBe(FLAG.up | FLAG.uv);
    await overUdp.close();
    await server.close();
  });
});

describe("K1: the key's answer is held against what was asked", () => {
  test("a PIN on the key changes nothing where no verified user is wanted", async () => {
    const { device } = await pluggedWithPin();
    const key = await enroll(device);
    expect((await signAndVerify(device, key, person())).flags).toBe(FLAG.up);
  });

  test.each([
    ["another application", (authData: Uint8Array) => void (authData[0] = (authData[0] ?? 0) ^ 1)],
    ["no touch", (authData: Uint8Array) => void (authData[32] = (authData[32] ?? 0) & ~FLAG.up)],
    ["reserved flags", (authData: Uint8Array) => void (authData[32] = (authData[32] ?? 0) | 0x02)],
    ["flag AT without its data", (authData: Uint8Array) => void (authData[32] = (authData[32] ?? 0) | FLAG.at)],
    ["flag ED without its data", (authData: Uint8Array) => void (authData[32] = (authData[32] ?? 0) | FLAG.ed)],
  ])("refused: %s", async (_, tamper) => {
    const { authenticator, device } = await plugged();
    const key = await enroll(device);
    authenticator.setFaults({
      alterAnswer(command, answer) {
        // authData follows the credential: 02 (key), 58 25 (37 bytes).
        const altered = answer.slice();
        const at = Buffer.from(altered).indexOf(Buffer.from("025825", "hex"));
        if (command === 0x02 && at >= 0) tamper(altered.subarray(at + 3, at + 40));
        return altered;
      },
    });
    await expectCode(signAndVerify(device, key, person()), "DEVICE_GARBAGE");
  });

  test("an assertion without a verified user where one is wanted", async () => {
    const { authenticator, device } = await pluggedWithPin();
    const key = await enroll(device);
    authenticator.setFaults({
      alterAnswer(command, answer) {
        const altered = answer.slice();
        const at = Buffer.from(altered).indexOf(Buffer.from("025825", "hex"));
        if (command === 0x02 && at >= 0) altered[at + 35] = FLAG.up;
        return altered;
      },
    });
    await expectCode(signAndVerify(device, key, person([PIN]), true), "DEVICE_GARBAGE");
  });

  test("the caller's own slips", async () => {
    const { device } = await plugged();
    await expectCode(enroll(device, { clientDataHash: random(31) }), "BAD_REQUEST");
    await expectCode(enroll(device, { rpId: "" }), "BAD_REQUEST");
    await expectCode(enroll(device, { rpId: "a b" }), "BAD_REQUEST");
    await expectCode(enroll(device, { rpId: "a".repeat(254) }), "BAD_REQUEST");
    await expectCode(enroll(device, { user: { id: new Uint8Array(), name: "ada" } }), "BAD_REQUEST");
    await expectCode(enroll(device, { user: { id: random(65), name: "ada" } }), "BAD_REQUEST");
    await expectCode(enroll(device, { user: { id: random(1), name: "é".repeat(33) } }), "BAD_REQUEST");
  });
});

describe("lists of credentials", () => {
  test("the right one is found among many, with one touch, whatever the key's limits", async () => {
    const { device } = await plugged({
      model: { maxCredentialCountInList: 4, maxCredentialIdLength: 64, maxMessageBytes: 1024 },
    });
    const key = await enroll(device);
    const others = Array.from({ length: 30 }, (_, index) => random(index % 3 === 0 ? 200 : 61));
    const someone = person();
    const credentialIds = [...others, key.credentialId];
    const assertion = await assertKey({
      device,
      rpId: RP_ID,
      clientDataHash: random(32),
      credentialIds,
      interaction: someone,
    });
    expect(toHex(assertion.credentialId)).toBe(toHex(key.credentialId));
    expect(someone.touches).toHaveLength(1);
  });

  test("lists are cut so that no message is longer than the key takes", async () => {
    let longest = 0;
    const authenticator = createSoftwareAuthenticator({
      model: { maxCredentialCountInList: 100, maxMessageBytes: 500 },
      keepaliveEvery: 10,
    });
    const description = describeSoftDevice(authenticator);
    const device = await openDevice(
      {
        ...description,
        async openPipe() {
          const pipe = await description.openPipe();
          const send = async (packet: Uint8Array): Promise<void> => {
            if ((packet[4] ?? 0) === 0x90) longest = Math.max(longest, ((packet[5] ?? 0) << 8) | (packet[6] ?? 0));
            await pipe.send(packet);
          };
          return { ...pipe, send };
        },
      },
      QUICK,
    );
    const key = await enroll(device);
    const credentialIds = [...Array.from({ length: 20 }, () => random(61)), key.credentialId];
    const found = await findCredential(device, { rpId: RP_ID, credentialIds });
    expect(found.kind).toBe("found");
    expect(longest).toBeGreaterThan(400);
    expect(longest).toBeLessThanOrEqual(500);
  });

  test("a key that takes one at a time, and leaves the single credential out of its answer", async () => {
    const { device } = await plugged({
      model: { maxCredentialCountInList: undefined, maxCredentialIdLength: undefined, omitsSingleCredential: true },
    });
    const key = await enroll(device);
    const credentialIds = [random(61), random(61), key.credentialId];
    const assertion = await assertKey({
      device,
      rpId: RP_ID,
      clientDataHash: random(32),
      credentialIds,
      interaction: person(),
    });
    expect(toHex(assertion.credentialId)).toBe(toHex(key.credentialId));
  });

  test("a key that does not answer questions without a touch is asked with one", async () => {
    const { authenticator, device } = await plugged();
    const key = await enroll(device);
    let calls = 0;
    authenticator.setFaults({
      alterAnswer: (command, answer) => (command === 0x02 && ++calls === 1 ? Uint8Array.of(0x2b) : answer),
    });
    await signAndVerify(device, key, person());
    expect(calls).toBe(2);

    calls = 0;
    const credentialIds = [...Array.from({ length: 20 }, () => random(61)), random(200), key.credentialId];
    const someone = person();
    await assertKey({ device, rpId: RP_ID, clientDataHash: random(32), credentialIds, interaction: someone });
    expect([calls, someone.touches.length]).toEqual([4, 1]);
  });

  test("an empty list is answered by nobody", async () => {
    const { device } = await plugged();
    await expectCode(
      assertKey({ device, rpId: RP_ID, clientDataHash: random(32), credentialIds: [], interaction: person() }),
      "CREDENTIAL_UNKNOWN",
    );
  });
});

describe("credentials that hide from users who are not verified", () => {
  // Such a key says "no credentials" to the first question, which comes without a token.
  const hideOnce = (): Faults => {
    let calls = 0;
    return { alterAnswer: (command, answer) => (command === 0x02 && ++calls === 1 ? Uint8Array.of(0x2e) : answer) };
  };

  test("are found with the token, and sign", async () => {
    const { authenticator, device } = await pluggedWithPin();
    const key = await enroll(device);
    authenticator.setFaults(hideOnce());
    await signAndVerify(device, key, person([PIN]), true);
  });

  test("are excluded at enrolment all the same", async () => {
    const { authenticator, device } = await pluggedWithPin();
    const { credentialId } = await enroll(device);
    authenticator.setFaults(hideOnce());
    const someone = person([PIN]);
    const again = enroll(device, { excludeCredentialIds: [credentialId], interaction: someone, wantUv: true });
    await expectCode(again, "CREDENTIAL_EXCLUDED");
    expect(someone.touches).toEqual([]);
  });
});

describe("attestation", () => {
  test.each([
    ["self", "packed"],
    ["batch", "packed"],
    ["none", "none"],
  ] as const)("%s", async (attestation, fmt) => {
    const { device } = await plugged({ model: { attestation } });
    const key = await enroll(device);
    expect(key.fmt).toBe(fmt);
    const parsed = parseAttestationObject(key.attestationObject);
    expect(parsed.fmt).toBe(fmt);
    expect(toHex(parsed.authDataBytes)).toBe(toHex(key.authData));
    expect(toHex(parsed.objectBytes)).toBe(toHex(key.attestationObject));
    expect(parsed.authData.attested).toEqual({
      aaguid: key.aaguid,
      credentialId: key.credentialId,
      publicKey: key.publicKey,
    });
    expect(key.attestationObject.length).toBeLessThan(8 * 1024);
  });
});
