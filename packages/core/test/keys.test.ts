import { describe, expect, test } from "vitest";
import {
  encodeKey,
  encodeUtf8,
  isFingerprint,
  keyFingerprint,
  parseKey,
  parseKeyBlob,
  SK_ECDSA,
  SK_ED25519,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import type { KeyCase } from "./make-vectors/keys.ts";
import { refusalOf } from "./support/refusal.ts";
import { makeSoftKey } from "./support/soft-key.ts";
import { readVectors } from "./support/vectors.ts";

const cases = readVectors<KeyCase>("keys.json");

describe("key records", () => {
  test.each(cases.filter(({ error }) => error !== null))("[$error.rule] refuses $name", ({ record, error }) => {
    expect(refusalOf(() => parseKey(record))).toEqual(error);
  });

  test.each(cases.filter(({ error }) => error === null))("[K-1] to [K-4] accept $name", (one) => {
    const key = parseKey(one.record);
    expect(key.application).toBe(one.application);
    expect(keyFingerprint(nobleCrypto, key)).toBe(one.fingerprint);
    expect(isFingerprint(one.fingerprint!)).toBe(true);
    expect(key.record).toBe(one.record);
    expect(encodeKey(key.type, key.publicKey, key.application)).toEqual(key);
    expect(parseKeyBlob(key.blob)).toEqual(key);
  });

  test("a refusal keeps its own sentence, or what caused it", () => {
    const sentence = (name: string): unknown => {
      try {
        return parseKey(cases.find((one) => one.name === name)!.record);
      } catch (error) {
        return error;
      }
    };
    expect(sentence("a point off the curve")).toMatchObject({ message: "The key is not a point of P-256." });
    expect(sentence("base64url")).toMatchObject({ message: "The key record is malformed.", cause: { rule: "C-2" } });
  });

  test("[K-1] a blob of another type is refused", () => {
    expect(refusalOf(() => parseKeyBlob(encodeUtf8("\0\0\0\x0bssh-ed25519")))).toEqual({
      code: "BAD_KEY",
      rule: "K-1",
    });
  });

  test("[K-2] a public key for another type of key is refused", () => {
    const { publicKey } = makeSoftKey({ type: SK_ED25519 }).key;
    expect(refusalOf(() => encodeKey(SK_ECDSA, publicKey, "x"))).toEqual({ code: "BAD_KEY", rule: "K-2" });
  });
});

describe("[K-4] fingerprints", () => {
  test.each([
    ["", "empty"],
    ["A".repeat(43), "without SHA256:"],
    [`SHA256:${"A".repeat(42)}`, "cut short"],
    [`SHA256:${"A".repeat(43)}=`, "with padding"],
    [`SHA256:${"A".repeat(42)}B`, "with unused bits set"],
    [`SHA256:${"A".repeat(42)}-`, "in base64url"],
    [`SHA256:${"A".repeat(43)}\n`, "with a line feed"],
    [`sha256:${"A".repeat(43)}`, "in lower case"],
  ])("%j is none: %s", (text) => {
    expect(isFingerprint(text)).toBe(false);
  });
});
