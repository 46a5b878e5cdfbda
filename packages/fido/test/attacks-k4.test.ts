// K4 as a whole client meets it: garbage in the answers of CTAP2 commands. (The packets' own garbage is in channel.test.ts.)
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { assertKey, FLAG, openDevice } from "../src/index.ts";
import { cborMap, encodeCbor } from "../src/cbor/canonical.ts";
import { parseGetAssertionAnswer } from "../src/ctap2/get-assertion.ts";
import { createSoftwareAuthenticator, describeSoftDevice } from "../src/testing/index.ts";
import {
  codeOf,
  enroll,
  expectCode,
  fromHex,
  person,
  PIN,
  plugged,
  pluggedWithPin,
  QUICK,
  random,
  RP_ID,
  signAndVerify,
} from "./kit.ts";

const ok = (hex: string): Uint8Array => Buffer.concat([Uint8Array.of(0), fromHex(hex)]);

describe("K4: what a key says about itself", () => {
  test.each([
    ["nothing, not even a status", new Uint8Array()],
    ["success without content", Uint8Array.of(0)],
    ["no map", ok("01")],
    ["a map of wrong types", ok("a1010a")],
    ["no versions", ok(`a201800350${"00".repeat(16)}`)],
    ["an aaguid of 15 bytes", ok(`a201816846494f5f325f30034f${"00".repeat(15)}`)],
    ["a CBOR bomb, deep", ok("81".repeat(7_000))],
    ["a CBOR bomb, wide", ok("9bffffffffffffffff")],
    ["keys out of order", ok(`a20350${"00".repeat(16)}0181684649444f5f325f30`)],
    [
      "bytes after the end",
      Buffer.concat([ok(""), encodeCbor(cborMap([1, ["FIDO_2_0"]], [3, new Uint8Array(16)])), Uint8Array.of(0)]),
    ],
  ])("%s", async (_, answer) => {
    const authenticator = createSoftwareAuthenticator({ faults: { alterAnswer: () => answer } });
    await expectCode(openDevice(describeSoftDevice(authenticator), QUICK), "DEVICE_GARBAGE");
  });

  test("the pipe of a device that could not be opened is closed again", async () => {
    const authenticator = createSoftwareAuthenticator({ faults: { alterAnswer: () => Uint8Array.of(0) } });
    const description = describeSoftDevice(authenticator);
    let closed = 0;
    const openPipe = async (): ReturnType<typeof description.openPipe> => {
      const pipe = await description.openPipe();
      const close = async (): Promise<void> => {
        closed++;
        await pipe.close();
      };
      return { ...pipe, close };
    };
    await expectCode(openDevice({ ...description, openPipe }, QUICK), "DEVICE_GARBAGE");
    expect(closed).toBe(1);
  });
});

describe("K4: what a key answers when it is asked to sign", () => {
  test.each([
    ["success without content", "00"],
    ["a text instead of a map", "006161"],
    ["no signature", `00a1025825${"00".repeat(37)}`],
    ["a CBOR bomb", `00${"a101".repeat(3_000)}`],
  ])("%s", async (_, hex) => {
    const { authenticator, device } = await plugged();
    const key = await enroll(device);
    authenticator.setFaults({ alterAnswer: (command, answer) => (command === 0x02 ? fromHex(hex) : answer) });
    await expectCode(signAndVerify(device, key, person()), "DEVICE_GARBAGE");
    authenticator.setFaults({});
    await signAndVerify(device, key, person());
  });

  const rpIdHash = createHash("sha256").update(RP_ID).digest();
  const authData = (flags: number, ...rest: number[]): Uint8Array =>
    Buffer.concat([rpIdHash, Uint8Array.of(flags, 0, 0, 0, 9, ...rest)]);

  test.each<readonly [string, Uint8Array]>([
    ["authenticator data cut off", authData(FLAG.up).subarray(0, 36)],
    ["authenticator data with a byte more", authData(FLAG.up, 0xa0)],
    ["extensions that were not asked for", authData(FLAG.up | FLAG.ed, 0xa0)],
  ])("%s", async (_, bytes) => {
    const { authenticator, device } = await plugged();
    const key = await enroll(device);
    const answerWith = (data: Uint8Array): void => {
      const answer = Buffer.concat([Uint8Array.of(0), encodeCbor(cborMap([2, data], [3, random(70)]))]);
      authenticator.setFaults({ alterAnswer: (command, real) => (command === 0x02 ? answer : real) });
    };
    const ask = {
      device,
      rpId: RP_ID,
      clientDataHash: random(32),
      credentialIds: [key.credentialId],
      interaction: person(),
    };
    answerWith(authData(FLAG.up));
    expect((await assertKey(ask)).counter).toBe(9);
    answerWith(bytes);
    await expectCode(assertKey(ask), "DEVICE_GARBAGE");
  });

  test("a credential that was not asked for", () => {
    const answer = (id: number): Uint8Array =>
      encodeCbor(cborMap([1, cborMap(["id", Uint8Array.of(id)])], [2, authData(FLAG.up)], [3, random(70)]));
    const asked = [Uint8Array.of(1), Uint8Array.of(2)];
    expect(parseGetAssertionAnswer(answer(2), asked).credentialId).toEqual(Uint8Array.of(2));
    expect(codeOf(() => parseGetAssertionAnswer(answer(3), asked))).toBe("DEVICE_GARBAGE");
    const unnamed = encodeCbor(cborMap([2, authData(FLAG.up)], [3, random(70)]));
    expect(parseGetAssertionAnswer(unnamed, asked.slice(0, 1)).credentialId).toEqual(Uint8Array.of(1));
    expect(codeOf(() => parseGetAssertionAnswer(unnamed, asked))).toBe("DEVICE_GARBAGE");
  });
});

describe("K4: what a key answers when it is enrolled", () => {
  test.each([
    [
      "an attestation of a credential that is on no curve",
      (answer: Buffer) => flip(answer, Buffer.from("225820", "hex"), 5),
    ],
    ["a credential id longer than the data", (answer: Buffer) => flip(answer, Buffer.from("HARDWARE-KEY"), 12)],
    ["a key of an unknown algorithm", (answer: Buffer) => flip(answer, Buffer.from("a50102", "hex"), 4)],
  ])("%s", async (_, tamper) => {
    const { device } = await plugged({
      faults: {
        alterAnswer(command, answer) {
          const altered = Buffer.from(answer);
          if (command === 0x01) tamper(altered);
          return altered;
        },
      },
    });
    await expectCode(enroll(device), "DEVICE_GARBAGE");
  });

  test.each([
    ["no touch", FLAG.at | FLAG.uv],
    ["no verified user", FLAG.at | FLAG.up],
  ])("%s, though it was asked for", async (_, flags) => {
    const { authenticator, device } = await pluggedWithPin();
    authenticator.setFaults({
      alterAnswer(command, answer) {
        const altered = Buffer.from(answer);
        const at = altered.indexOf(createHash("sha256").update(RP_ID).digest());
        if (command === 0x01) altered[at + 32] = flags;
        return altered;
      },
    });
    const error = await expectCode(enroll(device, { interaction: person([PIN]), wantUv: true }), "DEVICE_GARBAGE");
    expect(error.message).toMatch(/without a touch|without verifying/);
  });

  test("a key with an algorithm that was not asked for", async () => {
    const ed = await plugged({ model: { algorithms: [-8] } });
    let recorded = new Uint8Array();
    ed.authenticator.setFaults({
      alterAnswer: (command, answer) => (command === 0x01 ? (recorded = new Uint8Array(answer)) : answer),
    });
    await enroll(ed.device, { algorithms: [-8] });
    const { device } = await plugged({
      faults: { alterAnswer: (command, answer) => (command === 0x01 ? recorded : answer) },
    });
    await expectCode(enroll(device, { algorithms: [-7] }), "DEVICE_GARBAGE");
    await expectCode(enroll(device, { algorithms: [-7, -8], rpId: "ssh:other" }), "DEVICE_GARBAGE");
  });
});

function flip(bytes: Buffer, after: Buffer, offset: number): void {
  const at = bytes.indexOf(after) + offset;
  expect(at).toBeGreaterThan(offset);
  bytes[at] = (bytes[at] ?? 0) ^ 0x40;
}
