import { verify, X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeCbor, openDevice, openDevices, parseAttestationObject, setPin } from "../src/index.ts";
import {
  createSoftwareAuthenticator,
  describeSoftDevice,
  neverTouch,
  openSoftAuthenticator,
} from "../src/testing/index.ts";
import { enroll, expectCode, person, PIN, plugged, QUICK, random, signAndVerify, toHex, toKeyObject } from "./kit.ts";
import { report } from "./scripted-device.ts";

describe("soft:FILE", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "touchmark-soft-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("the file is made, readable by its owner only, and says what it is; so does the device's name", async () => {
    const file = join(folder, "new.json");
    const [device] = await openDevices(`soft:${file}`, QUICK);
    expect(device?.name).toBe("software authenticator – NOT hardware (new.json)");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toContain("NOT hardware");
    await device?.close();
  });

  test("credentials, PIN and counter outlive the process; nothing is left beside the file", async () => {
    const file = join(folder, "kept.json");
    const [first] = await openDevices(`soft:${file}`, QUICK);
    if (first === undefined) throw new Error("no device");
    await setPin(first, PIN);
    const key = await enroll(first);
    const before = await signAndVerify(first, key, person());
    await first.close();
    const [second] = await openDevices(`soft:${file}`, QUICK);
    if (second === undefined) throw new Error("no device");
    const after = await signAndVerify(second, key, person([PIN]), true);
    expect(after.counter).toBeGreaterThan(before.counter);
    await second.close();
    expect((await readdir(folder)).filter((name) => name.startsWith("kept.json"))).toEqual(["kept.json"]);
  });

  test("wrong PINs are counted across processes", async () => {
    const file = join(folder, "pins.json");
    for (const left of [7, 6, 5, 4, 3, 2, 1]) {
      const [device] = await openDevices(`soft:${file}`, QUICK);
      if (device === undefined) throw new Error("no device");
      if (left === 7) await setPin(device, PIN);
      const error = await expectCode(enroll(device, { interaction: person(["wrong"]), wantUv: true }), "PIN_WRONG");
      expect(error.retries).toBe(left);
      await device.close();
    }
  });

  test.each(["", "{}", "null", "[]", '{"kind":"touchmark software authenticator v1"}', "x".repeat(10_000)])(
    "a file that is none is refused: %s",
    async (text) => {
      const file = join(folder, "bad.json");
      await writeFile(file, text);
      await expectCode(openDevices(`soft:${file}`), "BAD_STATE_FILE");
      expect(await readFile(file, "utf8")).toBe(text);
    },
  );

  test("a place that can't be written is refused", async () => {
    await expectCode(openDevices(`soft:${join(folder, "missing", "x.json")}`), "BAD_STATE_FILE");
    await expectCode(openDevices(`soft:${folder}`), "BAD_STATE_FILE");
  });

  test("a state that can't be saved any more: the key refuses, and signs nothing", async () => {
    const inner = await mkdtemp(join(folder, "gone-"));
    const authenticator = await openSoftAuthenticator(join(inner, "x.json"));
    const device = await openDevice(describeSoftDevice(authenticator), QUICK);
    const key = await enroll(device);
    await rm(inner, { recursive: true });
    expect((await expectCode(signAndVerify(device, key, person()), "DEVICE_REFUSED")).status).toBe(0x7f);
  });
});

describe("CTAP 2.1 section 11.2, the device's side", () => {
  function listen(options: Parameters<typeof createSoftwareAuthenticator>[0] = {}): {
    readonly say: (channel: number, ...bytes: number[]) => void;
    readonly heard: string[];
  } {
    const heard: string[] = [];
    const host = createSoftwareAuthenticator({ keepaliveEvery: 1_000, ...options }).attach(
      (packet) => void heard.push(toHex(packet.subarray(0, 8))),
    );
    const say = (channel: number, ...bytes: number[]): void => {
      host.receive(report(channel, ...bytes));
    };
    say(0xffffffff, 0x86, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    heard.length = 0;
    return { say, heard };
  }

  test.each([
    ["a channel that was never allocated", [7, 0x81, 0, 0], "00000007bf00010b"],
    ["channel 0", [0, 0x81, 0, 0], "00000000bf00010b"],
    ["the broadcast channel", [0xffffffff, 0x81, 0, 0], "ffffffffbf00010b"],
    ["an unknown command", [1, 0xd5, 0, 0], "00000001bf000101"],
    ["a U2F message", [1, 0x83, 0, 0], "00000001bf000101"],
    ["a message too long", [1, 0x81, 0xff, 0xff], "00000001bf000103"],
    ["an INIT of the wrong length", [0xffffffff, 0x86, 0, 7], "ffffffffbf000103"],
    ["a wink", [1, 0x88, 0, 0], "0000000188000000"],
  ] as const)("%s", async (_, [channel, ...bytes], answer) => {
    const { say, heard } = listen();
    say(channel, ...bytes);
    await pause(5);
    expect(heard).toEqual([answer]);
  });

  test("sequence errors, and a message that never ends", async () => {
    const { say, heard } = listen();
    say(1, 0x81, 0, 200);
    say(1, 0x01);
    expect(heard).toEqual(["00000001bf000104"]);
    say(1, 0x81, 0, 200);
    say(1, 0x81, 0, 1, 9);
    expect(heard.at(-1)).toBe("00000001bf000104");
    say(1, 0x81, 0, 200);
    await pause(600);
    expect(heard.at(-1)).toBe("00000001bf000105");
  });

  test("while one program waits for a touch others are told that it is busy, and CANCEL frees it", async () => {
    const { say, heard } = listen({ touch: neverTouch() });
    say(0xffffffff, 0x86, 0, 8, 8, 7, 6, 5, 4, 3, 2, 1);
    heard.length = 0;
    say(1, 0x90, 0, 1, 0x0b);
    await pause(5);
    say(2, 0x81, 0, 0);
    say(1, 0x81, 0, 0);
    say(2, 0x91, 0, 0);
    say(1, 0x91, 0, 0);
    await pause(5);
    expect(heard).toEqual(["00000001bb000102", "00000002bf000106", "00000001bf000106", "000000019000012d"]);
    say(2, 0x81, 0, 0);
    await pause(5);
    expect(heard.at(-1)).toBe("0000000281000000");
  });

  test("INIT on a channel ends what it was doing", async () => {
    const { say, heard } = listen({ touch: neverTouch() });
    say(1, 0x90, 0, 1, 0x0b);
    await pause(5);
    say(1, 0x86, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1);
    say(1, 0x81, 0, 0);
    await pause(5);
    expect(heard).toEqual(["00000001bb000102", "0000000186001101", "0000000181000000"]);
  });
});

describe("WebAuthn Level 3 section 8.2: packed attestation", () => {
  test("by a batch certificate that chains to the given root", async () => {
    const clientDataHash = random(32);
    const { authenticator, device } = await plugged({ model: { attestation: "batch" } });
    const key = await enroll(device, { clientDataHash });
    const { attStmt, authDataBytes } = parseAttestationObject(key.attestationObject);
    const statement = decodeCbor(attStmt) as Map<string, unknown>;
    const [leafDer] = statement.get("x5c") as [Uint8Array];
    const leaf = new X509Certificate(leafDer);
    const root = new X509Certificate(authenticator.attestationRoot ?? new Uint8Array());
    expect(leaf.checkIssued(root) && leaf.verify(root.publicKey) && root.verify(root.publicKey)).toBe(true);
    expect([leaf.ca, root.ca]).toEqual([false, true]);
    expect(leaf.subject).toContain("OU=Authenticator Attestation");
    expect(toHex(leafDer)).toContain(`060b2b0601040182e51c01010404120410${toHex(key.aaguid)}`);
    const signed = Buffer.concat([authDataBytes, clientDataHash]);
    expect(verify("sha256", signed, leaf.publicKey, statement.get("sig") as Uint8Array)).toBe(true);
  });

  test.each([-7, -8] as const)("by the credential itself, algorithm %i", async (algorithm) => {
    const clientDataHash = random(32);
    const { device } = await plugged();
    const key = await enroll(device, { clientDataHash, algorithms: [algorithm] });
    const { attStmt, authDataBytes } = parseAttestationObject(key.attestationObject);
    const statement = decodeCbor(attStmt) as Map<string, unknown>;
    expect(statement.get("alg")).toBe(algorithm);
    const signed = Buffer.concat([authDataBytes, clientDataHash]);
    expect(
      verify(
        algorithm === -7 ? "sha256" : null,
        signed,
        toKeyObject(key.publicKey),
        statement.get("sig") as Uint8Array,
      ),
    ).toBe(true);
  });
});
