import { type Crypto, encodeKey, parseEcdsaDer, SK_ED25519 } from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import { nodeCrypto } from "@touchmark/log";
import { describe, expect, test } from "vitest";
import type { EcdsaCase } from "../packages/core/test/make-vectors/ecdsa.ts";
import type { Ed25519Case } from "../packages/core/test/make-vectors/ed25519.ts";
import { fc, mutated } from "../packages/core/test/support/property.ts";
import { refusalOf } from "../packages/core/test/support/refusal.ts";
import { fromHex, readPublicVector, readVectors } from "../packages/core/test/support/vectors.ts";

// What one backend accepts and the other doesn't would be good for the log and bad in a browser, or the other way round.

interface Wycheproof {
  testGroups: {
    publicKey: { uncompressed?: string; pk?: string };
    tests: { tcId: number; comment: string; msg: string; sig: string; result: string }[];
  }[];
}

const ecdsa = readVectors<EcdsaCase>("ecdsa-p256.json");
const ed25519 = readVectors<Ed25519Case>("ed25519.json");

describe("hashes: both backends", () => {
  test("FIPS 180-4 SHA-256 and SHA-512", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        expect(nobleCrypto.sha256(data)).toEqual(nodeCrypto.sha256(data));
        expect(nobleCrypto.sha512(data)).toEqual(nodeCrypto.sha512(data));
      }),
    );
  });
});

describe("ECDSA P-256 with SHA-256 (FIPS 186-5): both backends and strict DER [K-7]", () => {
  test("own vectors", () => {
    expect(ecdsa.filter((one) => !one.valid).length).toBeGreaterThan(80);
    expect(ecdsa.filter((one) => !agreesOnEcdsa(one)).map(({ name }) => name)).toEqual([]);
  });

  for (const file of publicFiles("wycheproof/ecdsa_secp256r1_sha256_test.json")) {
    test("Wycheproof", () => {
      const cases = file.testGroups.flatMap(({ publicKey, tests }) =>
        tests.map(({ tcId, comment, msg, sig, result }) => ({
          name: `${tcId}: ${comment}`,
          publicKey: publicKey.uncompressed!,
          message: msg,
          signature: sig,
          valid: result === "valid",
        })),
      );
      expect(cases.length).toBeGreaterThan(400);
      expect(cases.filter((one) => !agreesOnEcdsa(one)).map(({ name }) => name)).toEqual([]);
    });
  }

  test("whatever is changed in key, message or signature", () => {
    const good = ecdsa.filter(({ valid }) => valid).map(asBytes);
    fc.assert(
      fc.property(fc.constantFrom(...good).chain(withMutation), ({ publicKey, message, signature }) => {
        const node = nodeCrypto.verifyP256(publicKey, message, signature);
        expect(nobleCrypto.verifyP256(publicKey, message, signature)).toBe(node);
        if (node) expect(isStrictDer(signature)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("arbitrary bytes: false, never thrown", () => neverThrows("verifyP256", 65, 72));
});

describe("Ed25519 (RFC 8032 section 5.1.7): both backends", () => {
  test("own vectors", () => {
    const wrong = ed25519.filter((one) => {
      const { publicKey, message, signature } = asBytes(one);
      const noble = nobleCrypto.verifyEd25519(publicKey, message, signature);
      // What is weak never gets to a backend (below), and releases of Node differ on it.
      const node = one.weak ? noble : nodeCrypto.verifyEd25519(publicKey, message, signature);
      return noble !== one.valid || node !== one.valid;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(ed25519.filter(({ weak }) => weak).length).toBe(28);
  });

  test("keys of small order are refused before a backend sees them [K-2]", () => {
    const weak = ed25519.filter((one) => one.weak && one.name.startsWith("a key"));
    const accepted = weak.filter(
      ({ publicKey }) => refusalOf(() => encodeKey(SK_ED25519, fromHex(publicKey), "ssh:touchmark")) === null,
    );
    expect(weak.length).toBe(14);
    expect(accepted).toEqual([]);
  });

  for (const file of publicFiles("wycheproof/ed25519_test.json")) {
    test("Wycheproof", () => {
      const wrong = file.testGroups.flatMap(({ publicKey, tests }) =>
        tests.filter(({ msg, sig, result }) => {
          const args = [fromHex(publicKey.pk!), fromHex(msg), fromHex(sig)] as const;
          const valid = result === "valid";
          return nodeCrypto.verifyEd25519(...args) !== valid || nobleCrypto.verifyEd25519(...args) !== valid;
        }),
      );
      expect(wrong).toEqual([]);
    });
  }

  test("whatever is changed in key, message or signature", () => {
    const good = ed25519.filter(({ valid }) => valid).map(asBytes);
    fc.assert(
      fc.property(fc.constantFrom(...good).chain(withMutation), ({ publicKey, message, signature }) => {
        const node = nodeCrypto.verifyEd25519(publicKey, message, signature);
        expect(nobleCrypto.verifyEd25519(publicKey, message, signature)).toBe(node);
      }),
      { numRuns: 300 },
    );
  });

  test("arbitrary bytes: false, never thrown", () => neverThrows("verifyEd25519", 32, 64));
});

interface Bytes {
  publicKey: Uint8Array;
  message: Uint8Array;
  signature: Uint8Array;
}

function publicFiles(path: string): Wycheproof[] {
  const text = readPublicVector(path);
  return text === null ? [] : [JSON.parse(text) as Wycheproof];
}

function agreesOnEcdsa(one: Omit<EcdsaCase, "strict">): boolean {
  const { publicKey, message, signature } = asBytes(one);
  const node = nodeCrypto.verifyP256(publicKey, message, signature);
  const noble = nobleCrypto.verifyP256(publicKey, message, signature);
  return node === one.valid && noble === one.valid && (!one.valid || isStrictDer(signature));
}

function isStrictDer(signature: Uint8Array): boolean {
  return refusalOf(() => parseEcdsaDer(signature)) === null;
}

function asBytes({ publicKey, message, signature }: { publicKey: string; message: string; signature: string }): Bytes {
  return { publicKey: fromHex(publicKey), message: fromHex(message), signature: fromHex(signature) };
}

function withMutation(good: Bytes): fc.Arbitrary<Bytes> {
  return fc.oneof(
    { arbitrary: mutated(good.signature).map((signature) => ({ ...good, signature })), weight: 4 },
    { arbitrary: mutated(good.publicKey).map((publicKey) => ({ ...good, publicKey })), weight: 1 },
    { arbitrary: mutated(good.message).map((message) => ({ ...good, message })), weight: 1 },
  );
}

function neverThrows(name: "verifyP256" | "verifyEd25519", keyBytes: number, signatureBytes: number): void {
  const around = (length: number): fc.Arbitrary<Uint8Array> =>
    fc.oneof(fc.uint8Array({ minLength: length, maxLength: length }), fc.uint8Array({ maxLength: length + 9 }));
  fc.assert(
    fc.property(around(keyBytes), fc.uint8Array(), around(signatureBytes), (publicKey, message, signature) => {
      for (const crypto of [nodeCrypto, nobleCrypto] satisfies Crypto[]) {
        expect(crypto[name](publicKey, message, signature)).toBe(false);
      }
    }),
    { numRuns: 200 },
  );
}
