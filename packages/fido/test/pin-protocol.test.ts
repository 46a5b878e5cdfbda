import { createECDH } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { encodeAgreementKey, parseAgreementKey } from "../src/ctap2/cose-key.ts";
import { choosePinProtocol, createAgreement, PIN_PROTOCOL_ONE, PIN_PROTOCOL_TWO } from "../src/ctap2/pin-protocol.ts";
import { cborMap } from "../src/cbor/canonical.ts";
import { checkPin } from "../src/ctap2/client-pin.ts";
import { codeOf, fromHex, toHex } from "./kit.ts";

interface Vector {
  readonly protocol: 1 | 2;
  readonly platformPrivate: string;
  readonly platformPublic: string;
  readonly devicePrivate: string;
  readonly devicePublic: string;
  readonly plaintext: string;
  readonly message: string;
  readonly token: string;
  readonly secret: string;
  readonly iv: string | null;
  readonly ciphertext: string;
  readonly macBySecret: string;
  readonly macByToken: string;
}

const file = new URL("vectors/pin-protocols.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, "utf8")) as { readonly vectors: readonly Vector[] };

describe.each(vectors)("CTAP 2.1 sections 6.5.6 and 6.5.7: protocol $protocol, $platformPrivate", (vector) => {
  const protocol = vector.protocol === 1 ? PIN_PROTOCOL_ONE : PIN_PROTOCOL_TWO;
  const secret = fromHex(vector.secret);

  test("both sides derive the secret", () => {
    const platform = createAgreement(() => fromHex(vector.platformPrivate));
    expect(platform.getPublicKey("hex")).toBe(vector.platformPublic);
    const fromPlatform = protocol.deriveSecret(platform.computeSecret(fromHex(vector.devicePublic)));
    expect(toHex(fromPlatform)).toBe(vector.secret);
    const device = createECDH("prime256v1");
    device.setPrivateKey(fromHex(vector.devicePrivate));
    expect(toHex(protocol.deriveSecret(device.computeSecret(fromHex(vector.platformPublic))))).toBe(vector.secret);
  });

  test("encryption, decryption, authentication", () => {
    const sealed = protocol.encrypt(secret, fromHex(vector.plaintext), () => fromHex(vector.iv ?? ""));
    expect(toHex(sealed)).toBe(vector.ciphertext);
    expect(toHex(protocol.decrypt(secret, sealed))).toBe(vector.plaintext);
    expect(toHex(protocol.authenticate(secret, fromHex(vector.message)))).toBe(vector.macBySecret);
    expect(toHex(protocol.authenticate(fromHex(vector.token), fromHex(vector.message)))).toBe(vector.macByToken);
  });
});

describe("CTAP 2.1 section 6.5", () => {
  test.each([0, 8, 15, 16, 17, 31])("a ciphertext of %i bytes is refused", (length) => {
    expect(codeOf(() => PIN_PROTOCOL_TWO.decrypt(new Uint8Array(64), new Uint8Array(length)))).toBe("DEVICE_GARBAGE");
    if (length % 16 !== 0 || length === 0) {
      expect(codeOf(() => PIN_PROTOCOL_ONE.decrypt(new Uint8Array(32), new Uint8Array(length)))).toBe("DEVICE_GARBAGE");
    }
  });

  test("protocol two is taken before one, others not at all", () => {
    expect(choosePinProtocol([1, 2])?.version).toBe(2);
    expect(choosePinProtocol([1])?.version).toBe(1);
    expect(choosePinProtocol([3])).toBeUndefined();
  });

  test("a scalar that is not valid is drawn again", () => {
    const draws = [new Uint8Array(32), new Uint8Array(32).fill(0xff), fromHex(vectors[0]?.platformPrivate ?? "")];
    expect(createAgreement(() => draws.shift() ?? new Uint8Array(32)).getPublicKey("hex")).toBe(
      vectors[0]?.platformPublic,
    );
  });

  test("a key agreement key that is on no curve is refused", () => {
    const point = fromHex(vectors[0]?.devicePublic ?? "");
    expect(toHex(parseAgreementKey(encodeAgreementKey(point)))).toBe(toHex(point));
    const crooked = point.slice();
    crooked[40] = (crooked[40] ?? 0) ^ 1;
    expect(codeOf(() => parseAgreementKey(encodeAgreementKey(crooked)))).toBe("DEVICE_GARBAGE");
    expect(codeOf(() => parseAgreementKey(cborMap([1, 2], [3, -25], [-1, 2])))).toBe("DEVICE_GARBAGE");
  });

  test("a PIN is measured in code points, limited in bytes, and compared in NFC", () => {
    const lengths = { minPinLength: 4, maxPinLength: undefined };
    expect(checkPin("123", lengths)).toBe("too-short");
    expect(checkPin("1234", lengths)).toBeUndefined();
    expect(checkPin("\u{1f511}\u{1f511}\u{1f511}", lengths)).toBe("too-short");
    expect(checkPin("\u{1f511}\u{1f511}\u{1f511}\u{1f511}", lengths)).toBeUndefined();
    expect(checkPin("e\u0301e\u0301", lengths)).toBe("too-short");
    expect(checkPin("x".repeat(63), lengths)).toBeUndefined();
    expect(checkPin("x".repeat(64), lengths)).toBe("too-long");
    expect(checkPin("é".repeat(32), lengths)).toBe("too-long");
    expect(checkPin("12345\0", lengths)).toBe("too-short");
    expect(checkPin("\u{1f511}".repeat(9), { minPinLength: 4, maxPinLength: 8 })).toBe("too-long");
  });
});
