import { describe, expect, test } from "vitest";
import { type CborMap, cborMap, encodeCbor } from "../src/cbor/canonical.ts";
import { encodeCredentialKey } from "../src/ctap2/cose-key.ts";
import { FLAG, parseAuthData } from "../src/index.ts";
import { codeOf, enroll, plugged, toHex } from "./kit.ts";

const head = (flags: number): Uint8Array =>
  Buffer.concat([new Uint8Array(32).fill(5), Uint8Array.of(flags, 0, 0, 1, 2)]);
const { device } = await plugged();
const es256 = (await enroll(device, { algorithms: [-7] })).publicKey;
const eddsa = (await enroll(device, { algorithms: [-8] })).publicKey;

function attested(key: CborMap, idLength = 3, announced = idLength): Uint8Array {
  const length = Uint8Array.of(announced >> 8, announced & 0xff);
  return Buffer.concat([
    head(FLAG.up | FLAG.at),
    new Uint8Array(16).fill(7),
    length,
    new Uint8Array(idLength),
    encodeCbor(key),
  ]);
}

function withMember(key: CborMap, name: number, value: number): CborMap {
  return new Map([...key, [name, value]]);
}

describe("WebAuthn Level 3 section 6.1: authenticator data", () => {
  test("37 bytes without credential and extensions", () => {
    const { rpIdHash, flags, counter, attested: none, extensions } = parseAuthData(head(FLAG.up | FLAG.uv));
    expect([toHex(rpIdHash), flags, counter, none, extensions]).toEqual([
      "05".repeat(32),
      5,
      258,
      undefined,
      undefined,
    ]);
  });

  test.each([es256, eddsa])("a new credential, $alg", (publicKey) => {
    const parsed = parseAuthData(attested(encodeCredentialKey(publicKey)));
    expect(parsed.attested).toEqual({ aaguid: new Uint8Array(16).fill(7), credentialId: new Uint8Array(3), publicKey });
  });

  test("extensions after it", () => {
    const bytes = Buffer.concat([attested(encodeCredentialKey(es256)), encodeCbor(cborMap(["credProtect", 2]))]);
    expect(codeOf(() => parseAuthData(bytes))).toBe("DEVICE_GARBAGE");
    bytes[32] = FLAG.up | FLAG.at | FLAG.ed;
    expect(parseAuthData(bytes).extensions).toEqual(new Map([["credProtect", 2]]));
  });

  const key = encodeCredentialKey(es256);
  test.each<readonly [string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["36 bytes", head(FLAG.up).subarray(0, 36)],
    ["a byte more", Buffer.concat([head(FLAG.up), Uint8Array.of(0)])],
    ["a map more", Buffer.concat([head(FLAG.up), Uint8Array.of(0xa0)])],
    ["reserved flag 0x02", head(FLAG.up | 0x02)],
    ["reserved flag 0x20", head(FLAG.up | 0x20)],
    ["AT without a credential", head(FLAG.up | FLAG.at)],
    ["ED without extensions", head(FLAG.up | FLAG.ed)],
    ["ED with an array", Buffer.concat([head(FLAG.up | FLAG.ed), Uint8Array.of(0x80)])],
    ["a credential id of no length", attested(key, 0)],
    ["a credential id of 1,024 bytes", attested(key, 1_024)],
    ["a credential id longer than all", attested(key, 3, 900)],
    ["a byte after the credential", Buffer.concat([attested(key), Uint8Array.of(0)])],
    ["an ES256 key with a member more", attested(withMember(key, 4, 1))],
    ["an EdDSA key with a member more", attested(withMember(encodeCredentialKey(eddsa), 4, 1))],
    ["an ES256 key on another curve", attested(withMember(key, -1, 2))],
    ["an EdDSA key on another curve", attested(withMember(encodeCredentialKey(eddsa), -1, 7))],
    ["a key of another type", attested(withMember(key, 1, 1))],
  ])("refused: %s", (_, bytes) => {
    expect(codeOf(() => parseAuthData(bytes))).toBe("DEVICE_GARBAGE");
  });

  test("an algorithm that no claim can hold has a code of its own", () => {
    expect(codeOf(() => parseAuthData(attested(withMember(key, 3, -257))))).toBe("ALGORITHM_UNSUPPORTED");
  });
});
