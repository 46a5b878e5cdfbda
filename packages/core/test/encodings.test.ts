import { describe, expect, test } from "vitest";
import {
  compareBytes,
  compareText,
  concatBytes,
  encodeBase64,
  encodeEcdsaDer,
  encodeHex,
  encodeUtf8,
  equalBytes,
  parseBase64,
  parseEcdsaDer,
  parseHex,
  parseUtf8,
} from "../src/index.ts";
import type { EcdsaCase } from "./make-vectors/ecdsa.ts";
import { fc } from "./support/property.ts";
import { refusalOf } from "./support/refusal.ts";
import { fromHex, readVectors } from "./support/vectors.ts";

describe("[C-2] base64 and hex", () => {
  test("RFC 4648 section 10", () => {
    const words = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
    const encoded = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
    expect(words.map((word) => encodeBase64(encodeUtf8(word)))).toEqual(encoded);
    expect(encoded.map((text) => parseUtf8(parseBase64(text)))).toEqual(words);
  });

  test("base64 and hex of any bytes are those of Node, and come back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
        expect(parseBase64(encodeBase64(bytes))).toEqual(bytes);
        expect(encodeHex(bytes)).toBe(Buffer.from(bytes).toString("hex"));
        expect(parseHex(encodeHex(bytes))).toEqual(bytes);
        expect(parseHex(encodeHex(bytes), bytes.length)).toEqual(bytes);
      }),
    );
  });

  test("base64 of 100,000 bytes", () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 256);
    expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
    expect(equalBytes(parseBase64(encodeBase64(bytes)), bytes)).toBe(true);
  });

  test("what parses as base64 is what is written for its bytes: one spelling", () => {
    const characters = fc.constantFrom(...Array.from("ABQgwxyz0189+/=-_ \n\u{141}"));
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
        const refusal = refusalOf(() => parseBase64(text));
        if (refusal === null) expect(encodeBase64(parseBase64(text))).toBe(text);
        else expect(refusal).toEqual({ code: "MALFORMED", rule: "C-2" });
        expect(refusal === null).toBe(Buffer.from(text, "base64").toString("base64") === text);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm-_", "Zm9\u{176}"])(
    "%j is no base64",
    (text) => {
      expect(refusalOf(() => parseBase64(text))).toEqual({ code: "MALFORMED", rule: "C-2" });
    },
  );

  test.each(["0", "0g", "AB", "0x00", " 00", "00\n", "٠٠"])("%j is no hex", (text) => {
    expect(refusalOf(() => parseHex(text))).toEqual({ code: "MALFORMED", rule: "C-2" });
  });

  test("hex of another length is refused", () => {
    expect(refusalOf(() => parseHex("0000", 1))).toEqual({ code: "MALFORMED", rule: "C-2" });
    expect(refusalOf(() => parseHex("0000", 3))).toEqual({ code: "MALFORMED", rule: "C-2" });
  });
});

describe("[C-1] UTF-8", () => {
  test.each([
    [[0xff]],
    [[0xc0, 0x80]],
    [[0xed, 0xa0, 0x80]],
    [[0xf4, 0x90, 0x80, 0x80]],
    [[0xe2, 0x82]],
    [[0xef, 0xbb, 0xbf]],
  ])("%j is refused", (bytes) => {
    expect(refusalOf(() => parseUtf8(Uint8Array.from(bytes)))).toEqual({ code: "MALFORMED", rule: "C-1" });
  });

  test("text comes back, and is ordered as its bytes are", () => {
    const text = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(text, text, (a, b) => {
        fc.pre(!a.startsWith("\u{feff}"));
        expect(parseUtf8(encodeUtf8(a))).toBe(a);
        const order = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(Math.sign(compareText(a, b))).toBe(order);
        expect(Math.sign(compareBytes(encodeUtf8(a), encodeUtf8(b)))).toBe(order);
        expect(equalBytes(encodeUtf8(a), encodeUtf8(b))).toBe(order === 0);
        expect(concatBytes(encodeUtf8(a), encodeUtf8(b))).toEqual(Uint8Array.from(Buffer.from(a + b)));
      }),
    );
    expect(compareText("a", "a") + compareText("é", "é")).toBe(0);
    expect(compareText("\u{ffff}", "\u{10000}")).toBeLessThan(0); // UTF-16 orders these the other way round
  });
});

describe("[K-7] ECDSA signatures in DER", () => {
  const cases = readVectors<EcdsaCase>("ecdsa-p256.json");

  test("every well-formed one comes back from its two numbers", () => {
    for (const { signature } of cases.filter(({ strict }) => strict)) {
      const { r, s } = parseEcdsaDer(fromHex(signature));
      expect(encodeHex(encodeEcdsaDer(r, s))).toBe(signature);
    }
  });

  test.each(cases.filter(({ strict }) => !strict))("$name: refused", ({ signature }) => {
    expect(refusalOf(() => parseEcdsaDer(fromHex(signature)))).toEqual({ code: "BAD_SIGNATURE", rule: "K-7" });
  });
});
