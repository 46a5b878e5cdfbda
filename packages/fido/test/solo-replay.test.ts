// Replays what an independent firmware said, packet for packet, where the recording is at hand; what we send must be what it got.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type CtapSession } from "../src/ctap2/session.ts";
import { getTokenUsingPin, setPin } from "../src/ctap2/client-pin.ts";
import { getAssertion } from "../src/ctap2/get-assertion.ts";
import { getInfo } from "../src/ctap2/info.ts";
import { makeCredential } from "../src/ctap2/make-credential.ts";
import { awaitTouch } from "../src/ctap2/selection.ts";
import { asMap, bytesAt, textAt } from "../src/cbor/fields.ts";
import { type CborMap, decodeCbor } from "../src/cbor/canonical.ts";
import { COMMAND } from "../src/hid/framing.ts";
import {
  type Algorithm,
  type CtapChannel,
  type CredentialPublicKey,
  openChannel,
  type RandomBytes,
  type TraceEntry,
} from "../src/index.ts";
import { PIN_PROTOCOL_ONE } from "../src/ctap2/pin-protocol.ts";
import { USUAL_SIZES } from "../src/pipe/packet-pipe.ts";
import { replayTrace } from "../src/testing/index.ts";
import { expectCode, fromHex, toHex, verifies } from "./kit.ts";

interface Step {
  readonly name: string;
  readonly packets: readonly (readonly ["h" | "d", number, string])[];
  readonly result?: {
    readonly request?: string;
    readonly response?: string;
    readonly platformPrivateKey?: string;
    readonly token?: string;
  };
}

const file = `${process.env["TOUCHMARK_VECTORS"] ?? "/nonexistent"}/ctap/solo.json`;
const steps = existsSync(file)
  ? (JSON.parse(readFileSync(file, "utf8")) as { readonly steps: readonly Step[] }).steps
  : [];

function step(name: string): Step {
  const found = steps.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no step ${name}`);
  return found;
}

/** A channel to the recorded device, which goes on with the steps that are named. */
async function replay(
  names: readonly string[],
  randomBytes: RandomBytes = (length) => new Uint8Array(length),
): Promise<CtapChannel> {
  const entries = ["INIT", ...names].flatMap((name) => step(name).packets.map(toEntry));
  const { pipe } = replayTrace({ sizes: USUAL_SIZES, entries }, { exact: true });
  const nonce = fromHex(step("INIT").packets[0]?.[2].slice(14) ?? "");
  return await openChannel(pipe, { randomBytes: (length) => (length === 8 ? nonce : randomBytes(length)) });
}

function toEntry([side, at, hex]: Step["packets"][number]): TraceEntry {
  return { at, from: side === "h" ? "host" : "device", packet: fromHex(hex.padEnd(128, "0")), cleared: [] };
}

async function replayWithInfo(names: readonly string[], randomBytes?: RandomBytes): Promise<CtapSession> {
  const channel = await replay(["getInfo", ...names], randomBytes);
  return { channel, info: await getInfo(channel), randomBytes: randomBytes ?? ((length) => new Uint8Array(length)) };
}

function requestOf(name: string): CborMap {
  return asMap(decodeCbor(fromHex(step(name).result?.request?.slice(2) ?? "")), "the recorded request");
}

if (steps.length === 0) {
  test("no recording is at hand: TOUCHMARK_VECTORS names no folder that has one", () => {
    expect(existsSync(file)).toBe(false);
  });
} else describe("recorded from an independent firmware", recorded);

function recorded(): void {
  test("PING, WINK and an unknown command", async () => {
    const channel = await replay(["PING 200", "WINK", "unknown command 0x55"]);
    const ping = step("PING 200").packets.filter(([side]) => side === "h");
    const payload = fromHex(ping.map(([, , hex], index) => hex.slice(index === 0 ? 14 : 10)).join("")).subarray(0, 200);
    expect(toHex(await channel.call(COMMAND.ping, payload))).toBe(toHex(payload));
    expect(await channel.call(COMMAND.wink, new Uint8Array())).toHaveLength(0);
    await expectCode(channel.call(0x55, new Uint8Array()), "DEVICE_GARBAGE");
  });

  test("getInfo, and a selection that the key does not know", async () => {
    const session = await replayWithInfo(["selection 0x0b"]);
    expect(session.info).toMatchObject({
      versions: ["U2F_V2", "FIDO_2_0", "FIDO_2_1_PRE"],
      pinProtocols: [1],
      maxCredentialCountInList: 20,
    });
    expect(session.info.options.get("clientPin")).toBe(false);
    const modern = { ...session, info: { ...session.info, versions: ["FIDO_2_1"] } };
    expect((await expectCode(awaitTouch(modern), "DEVICE_REFUSED")).status).toBe(0x01);
  });

  test.each([-7, -8] as const)("makeCredential and getAssertion, algorithm %i", async (algorithm: Algorithm) => {
    const session = await replayWithInfo([`makeCredential alg ${algorithm}`, `getAssertion alg ${algorithm}`]);
    const making = requestOf(`makeCredential alg ${algorithm}`);
    const user = asMap(making.get(3), "user");
    const attestation = await makeCredential(session, {
      rpId: textAt(asMap(making.get(2), "rp"), "id", "rp id"),
      clientDataHash: bytesAt(making, 1, "hash"),
      user: { id: bytesAt(user, "id", "user id"), name: textAt(user, "name", "user name") },
      algorithms: [algorithm],
      authorization: { kind: "none" },
    });
    expect(attestation.fmt).toBe("packed");
    const publicKey: CredentialPublicKey = attestation.authData.attested.publicKey;
    expect(publicKey.alg).toBe(algorithm === -7 ? "ES256" : "EdDSA");

    const asking = requestOf(`getAssertion alg ${algorithm}`);
    const clientDataHash = bytesAt(asking, 2, "hash");
    const { credentialId } = attestation.authData.attested;
    const request = {
      rpId: textAt(asking, 1, "rp id"),
      clientDataHash,
      credentialIds: [credentialId],
      authorization: { kind: "none" },
    } as const;
    const assertion = await getAssertion(session, request);
    const { authDataBytes: authData, signature } = assertion;
    expect(verifies(publicKey, { authData, signature }, clientDataHash)).toBe(true);
  });

  test("an assertion without a touch, and a credential that is not on the key", async () => {
    const session = await replayWithInfo(["getAssertion up=false", "getAssertion unknown credential"]);
    for (const name of ["getAssertion up=false", "getAssertion unknown credential"]) {
      const asking = requestOf(name);
      const list = asking.get(3);
      const id = bytesAt(asMap(Array.isArray(list) ? list[0] : undefined, "descriptor"), "id", "id");
      const isProbe = name.endsWith("up=false");
      const asked = getAssertion(session, {
        rpId: textAt(asking, 1, "rp id"),
        clientDataHash: bytesAt(asking, 2, "hash"),
        credentialIds: [id],
        authorization: { kind: "none" },
        ...(isProbe ? { userPresence: false } : {}),
      });
      if (isProbe) expect((await asked).authData.flags & 0x01).toBe(0);
      else await expectCode(asked, "CREDENTIAL_UNKNOWN");
    }
  });

  test("an algorithm that the key has not", async () => {
    const session = await replayWithInfo(["makeCredential unsupported alg"]);
    const making = requestOf("makeCredential unsupported alg");
    const [wanted] = making.get(4) as CborMap[];
    const user = asMap(making.get(3), "user");
    const made = makeCredential(session, {
      rpId: "npm-sign.example",
      clientDataHash: bytesAt(making, 1, "hash"),
      user: { id: bytesAt(user, "id", "user id"), name: textAt(user, "name", "user name") },
      algorithms: [wanted?.get("alg") as Algorithm],
      authorization: { kind: "none" },
    });
    await expectCode(made, "ALGORITHM_UNSUPPORTED");
  });

  test("PIN protocol one: set, trade for a token, use it, and a wrong PIN", async () => {
    const names = [
      "setPIN 123456",
      "getPinToken legacy protocol 1",
      "getAssertion with pinUvAuthParam protocol 1",
      "wrong PIN protocol 1",
    ];
    const privateKey = fromHex(step("setPIN 123456").result?.platformPrivateKey ?? "");
    const session = await replayWithInfo(names, () => privateKey);
    const scope = { permissions: 2, rpId: "npm-sign.example" };
    await setPin(session, "123456");
    const token = await getTokenUsingPin(session, "123456", scope);
    expect(toHex(token.bytes)).toBe(step("getPinToken legacy protocol 1").result?.token);
    expect(token.protocol).toBe(PIN_PROTOCOL_ONE);

    const asking = requestOf("getAssertion with pinUvAuthParam protocol 1");
    const list = asking.get(3);
    const assertion = await getAssertion(session, {
      rpId: textAt(asking, 1, "rp id"),
      clientDataHash: bytesAt(asking, 2, "hash"),
      credentialIds: [bytesAt(asMap(Array.isArray(list) ? list[0] : undefined, "descriptor"), "id", "id")],
      authorization: { kind: "token", token },
    });
    expect(assertion.authData.flags & 0x05).toBe(0x05);
    expect((await expectCode(getTokenUsingPin(session, "999999", scope), "PIN_WRONG")).status).toBe(0x31);
  });
}
