import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../src/index.ts";
import { verifyEd25519, verifyP256 } from "../src/node-crypto.ts";
import { flipBit } from "./naive.ts";

const message = Buffer.from("message");
const wycheproof = join(process.env["TOUCHMARK_VECTORS"] ?? "/nonexistent", "wycheproof");

function edPair(): { raw: Uint8Array; signature: Uint8Array } {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return {
    raw: publicKey.export({ format: "der", type: "spki" }).subarray(-32),
    signature: sign(null, message, privateKey),
  };
}

function p256Pair(): { raw: Uint8Array; signature: Uint8Array } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    raw: publicKey.export({ format: "der", type: "spki" }).subarray(-65),
    signature: sign("sha256", message, privateKey),
  };
}

describe("node-crypto", () => {
  test("hashes as the standard says", () => {
    expect(Buffer.from(nodeCrypto.sha256(message))).toEqual(createHash("sha256").update(message).digest());
    expect(Buffer.from(nodeCrypto.sha512(message))).toEqual(createHash("sha512").update(message).digest());
  });

  test.each([
    ["Ed25519", edPair, verifyEd25519],
    ["P-256", p256Pair, verifyP256],
  ] as const)("%s: a signature verifies for its message and key alone", (_, pair, verify) => {
    const [one, two] = [pair(), pair()];
    const cases = [
      [one.raw, message, one.signature, true],
      [two.raw, message, one.signature, false],
      [one.raw, Buffer.from("massage"), one.signature, false],
      [one.raw, message, flipBit(one.signature, 300), false],
      [one.raw, message, one.signature.subarray(1), false],
      [one.raw, message, Buffer.concat([one.signature, Buffer.of(0)]), false],
      [one.raw, message, new Uint8Array(0), false],
      [one.raw.subarray(1), message, one.signature, false],
      [new Uint8Array(one.raw.length), message, one.signature, false],
      [new Uint8Array(0), message, one.signature, false],
    ] as const;
    for (const [key, text, signature, good] of cases) {
      expect(verify(key, text, signature)).toBe(good);
    }
  });

  test("P-256: a point off the curve or in compressed form is no key", () => {
    const { raw, signature } = p256Pair();
    expect(nodeCrypto.verifyP256(flipBit(raw, 100), message, signature)).toBe(false);
    expect(nodeCrypto.verifyP256(raw.with(0, 2), message, signature)).toBe(false);
    expect(nodeCrypto.verifyP256(raw.subarray(0, 33).with(0, 2), message, signature)).toBe(false);
  });

  test("keys beyond the limit of the cache are imported again", () => {
    const first = edPair();
    expect(nodeCrypto.verifyEd25519(first.raw, message, first.signature)).toBe(true);
    for (let i = 0; i < 5000; i++) {
      const key = new Uint8Array(32);
      new DataView(key.buffer).setUint32(0, i);
      nodeCrypto.verifyEd25519(key, message, first.signature);
    }
    expect(nodeCrypto.verifyEd25519(first.raw, message, first.signature)).toBe(true);
  });
});

// Others' vectors, where they are at hand.
if (existsSync(wycheproof))
  describe("Wycheproof", () => {
    test.each([
      ["ed25519_test.json", "pk", verifyEd25519],
      ["ecdsa_secp256r1_sha256_test.json", "uncompressed", verifyP256],
    ] as const)("%s", (file, keyField, verify) => {
      const groups = (JSON.parse(readFileSync(join(wycheproof, file), "utf8")) as { testGroups: Group[] }).testGroups;
      let count = 0;
      for (const { publicKey, tests } of groups) {
        for (const { msg, sig, result, comment } of tests) {
          const good = verify(hexBytes(publicKey[keyField]!), hexBytes(msg), hexBytes(sig));
          expect(good, comment).toBe(result === "valid");
          count++;
        }
      }
      expect(count).toBeGreaterThan(100);
    });
  });

type Group = {
  publicKey: Record<string, string>;
  tests: { msg: string; sig: string; result: string; comment: string }[];
};

function hexBytes(text: string): Uint8Array {
  return Buffer.from(text, "hex");
}
