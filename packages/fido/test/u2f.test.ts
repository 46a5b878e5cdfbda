// Keys from before CTAP2, end to end. CTAP 2.1 section 7 maps them; the signatures are over the same bytes.
import { createHash, verify, X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  assertKey,
  decodeCbor,
  FLAG,
  type FidoDevice,
  findCredential,
  openDevice,
  parseAttestationObject,
  pinRules,
  selectDevice,
  setPin,
} from "../src/index.ts";
import { encodeApdu, encodeAnswer, parseAnswer, parseApdu } from "../src/u2f/apdu.ts";
import { parseRegistration, parseU2fSignature } from "../src/u2f/messages.ts";
import {
  createSoftwareAuthenticator,
  describeSoftDevice,
  manualTouch,
  neverTouch,
  type SoftwareAuthenticatorOptions,
} from "../src/testing/index.ts";
import { codeOf, enroll, expectCode, person, plugged, random, RP_ID, signAndVerify, toHex } from "./kit.ts";
import { CHANNEL, scriptedDevice } from "./scripted-device.ts";

const TIMING = { packet: 400, transaction: 1_500, busy: 300, busyRetry: 10, cancel: 300, touchPoll: 10, touch: 150 };

async function u2fKey(options: Partial<SoftwareAuthenticatorOptions> = {}): Promise<FidoDevice> {
  const authenticator = createSoftwareAuthenticator({ ...options, model: { speaks: "u2f", ...options.model } });
  return await openDevice(describeSoftDevice(authenticator), { timing: TIMING });
}

describe("a key that speaks U2F alone", () => {
  test("is known as such, and its abilities are few", async () => {
    const device = await u2fKey();
    expect(device.protocol).toBe("u2f");
    expect(device.info).toMatchObject({ versions: ["U2F_V2"], algorithms: [-7], pinProtocols: [] });
  });

  test("enrols and signs; both hold against the same bytes as with CTAP2", async () => {
    const device = await u2fKey();
    const clientDataHash = random(32);
    const someone = person();
    const key = await enroll(device, { clientDataHash, interaction: someone });
    expect(key.fmt).toBe("fido-u2f");
    expect(toHex(key.aaguid)).toBe("00".repeat(16));
    const { authData, attStmt, objectBytes } = parseAttestationObject(key.attestationObject);
    expect(toHex(objectBytes)).toBe(toHex(key.attestationObject));
    expect([authData.flags, authData.counter]).toEqual([FLAG.up | FLAG.at, 0]);

    const statement = decodeCbor(attStmt) as Map<string, unknown>;
    const [leaf] = statement.get("x5c") as [Uint8Array];
    const point = key.publicKey.alg === "ES256" ? key.publicKey.point : new Uint8Array();
    const application = createHash("sha256").update(RP_ID).digest();
    const signed = Buffer.concat([Uint8Array.of(0), application, clientDataHash, key.credentialId, point]);
    const { publicKey } = new X509Certificate(leaf);
    expect(verify("sha256", signed, publicKey, statement.get("sig") as Uint8Array)).toBe(true);

    const assertion = await signAndVerify(device, key, someone);
    expect([assertion.flags, assertion.counter, assertion.authData.length]).toEqual([FLAG.up, 1, 37]);
    expect(someone.touches).toHaveLength(2);
  });

  test("verifies nobody, keeps nothing, has no PIN and no Ed25519: said before anybody touches it", async () => {
    const device = await u2fKey({ touch: neverTouch() });
    await expectCode(enroll(device, { wantUv: true }), "UV_UNAVAILABLE");
    await expectCode(enroll(device, { algorithms: [-8] }), "ALGORITHM_UNSUPPORTED");
    await expectCode(enroll(device, { protection: "list" }), "KEY_UNABLE");
    await expectCode(enroll(device, { discoverable: true }), "KEY_UNABLE");
    await expectCode(setPin(device, "123456"), "UV_UNAVAILABLE");
    expect(codeOf(() => pinRules(device))).toBe("UV_UNAVAILABLE");
  });

  test("is not enrolled twice, whatever else is on the list", async () => {
    const device = await u2fKey();
    const { credentialId } = await enroll(device);
    const excludeCredentialIds = [random(300), random(64), random(1), credentialId];
    await expectCode(enroll(device, { excludeCredentialIds }), "CREDENTIAL_EXCLUDED");
  });

  test("signs with the one that it holds, of many; and for its own application only", async () => {
    const device = await u2fKey();
    const { credentialId } = await enroll(device);
    const credentialIds = [random(300), random(62), credentialId];
    const request = { device, clientDataHash: random(32), interaction: person() };
    const signed = await assertKey({ ...request, rpId: RP_ID, credentialIds });
    expect(toHex(signed.credentialId)).toBe(toHex(credentialId));
    await expectCode(assertKey({ ...request, rpId: "ssh:other", credentialIds }), "CREDENTIAL_UNKNOWN");
    expect(await findCredential(device, { rpId: RP_ID, credentialIds: [random(62)] })).toEqual({ kind: "absent" });
  });

  test("not touched in time, or given up: said so, and the next try works", async () => {
    const finger = manualTouch();
    const device = await u2fKey({ touch: finger.policy });
    await expectCode(enroll(device), "TOUCH_TIMEOUT");
    await expectCode(enroll(device, { interaction: person([], AbortSignal.timeout(30)) }), "CANCELLED");
    finger.touch();
    await enroll(device);
  });

  test("blinks beside others, and the first that is touched is taken", async () => {
    const finger = manualTouch();
    const old = await u2fKey({ touch: finger.policy });
    const { device: modern } = await plugged({ touch: neverTouch(), touchTimeout: 5_000 });
    const someone = person();
    const chosen = selectDevice({ devices: [modern, old], interaction: someone });
    finger.touch();
    expect(await chosen).toBe(old);
    expect(someone.touches).toHaveLength(2);
  });

  test("a credential made by U2F is known to the same key through CTAP2", async () => {
    const authenticator = createSoftwareAuthenticator({ model: { speaks: "both" } });
    const modern = await openDevice(describeSoftDevice(authenticator), { timing: TIMING });
    expect(modern.protocol).toBe("ctap2");
    let isFirst = true;
    authenticator.setFaults({
      // The INIT answer says nothing of CBOR.
      alterPacket: (packet) => {
        const altered = packet.slice();
        if (isFirst && altered[4] === 0x86) altered[23] = 0x01;
        isFirst = false;
        return [altered];
      },
    });
    const old = await openDevice(describeSoftDevice(authenticator), { timing: TIMING });
    expect(old.protocol).toBe("u2f");
    await signAndVerify(modern, await enroll(old), person());
  });
});

describe("U2F Raw Message Formats 1.2", () => {
  test("command and answer APDUs are what they were before they were encoded", () => {
    for (const data of [new Uint8Array(), random(1), random(300)]) {
      expect(parseApdu(encodeApdu({ ins: 2, p1: 7, data }))).toEqual({ ins: 2, p1: 7, data });
      expect(parseAnswer(encodeAnswer(0x6985, data))).toEqual({ sw: 0x6985, data });
    }
    expect(toHex(encodeApdu({ ins: 3, p1: 0, data: new Uint8Array() }))).toBe("00030000000000");
    for (const bad of ["", "00", "0102030400", "000100000000051122", "00010001", "000100000100"])
      expect(parseApdu(Buffer.from(bad, "hex")), bad).toBeUndefined();
    expect(parseAnswer(Uint8Array.of(0x90))).toBeUndefined();
  });

  test.each([
    ["nothing", ""],
    ["another first byte", "04".padEnd(2 * 300, "0")],
    ["no key handle", `05${"04".repeat(65)}0030820001aabb`],
    ["no certificate", `05${"04".repeat(65)}01aa3001`],
    ["a certificate that ends too early", `05${"04".repeat(65)}01aa30820100aa`],
    ["no signature", `05${"04".repeat(65)}01aa30820001aa`],
    ["a signature too long", `05${"04".repeat(65)}01aa30820001aa${"bb".repeat(73)}`],
  ])("a registration with %s is refused", (_, hex) => {
    expect(codeOf(() => parseRegistration(Buffer.from(hex, "hex")))).toBe("DEVICE_GARBAGE");
  });

  test.each(["", "0100000001", `0100000001${"bb".repeat(73)}`])("a signature %s is refused", (hex) => {
    expect(codeOf(() => parseU2fSignature(Buffer.from(hex, "hex")))).toBe("DEVICE_GARBAGE");
  });

  test.each([
    ["a signature without a touch", "00000000013006020101020101", "9000", "DEVICE_GARBAGE"],
    ["a signature that claims more than a touch", "05000000013006020101020101", "9000", "DEVICE_GARBAGE"],
    ["an unknown status", "", "6f00", "DEVICE_REFUSED"],
    ["a handle that was just known", "", "6a80", "CREDENTIAL_UNKNOWN"],
  ])("%s", async (_, data, sw, code) => {
    const say = (hex: string): number[] => [0x83, 0, hex.length / 2, ...Buffer.from(hex, "hex")];
    const { pipe } = scriptedDevice(
      ({ packet, say: tell, command }) => {
        if (command !== 0x03) return;
        const [ins, control] = [packet[8], packet[9]];
        if (ins === 3) tell(CHANNEL, ...say(`${Buffer.from("U2F_V2").toString("hex")}9000`));
        else if (control === 7) tell(CHANNEL, ...say("6985"));
        else tell(CHANNEL, ...say(data + sw));
      },
      ({ packet, channel, say: tell }) =>
        tell(channel, 0x86, 0, 17, ...packet.slice(7, 15), 0x0a, 0x0b, 0x0c, 0x0d, 2, 1, 2, 3, 0x01),
    );
    const device = await openDevice({ kind: "usb", name: "odd", path: "x", openPipe: async () => pipe });
    const credentialIds = [random(64)];
    const request = { device, rpId: RP_ID, clientDataHash: random(32), credentialIds, interaction: person() };
    await expectCode(assertKey(request), code as "DEVICE_GARBAGE");
  });
});
