import { describe, expect, test } from "vitest";
import { encodeCanonicalJson, encodeUtf8, type Json, parseCanonicalJson, parseJson } from "../src/index.ts";
import { fc } from "./support/property.ts";
import { refusalOf } from "./support/refusal.ts";

const LIMITS = { bytes: 4096 };
const MALFORMED = (rule: string): object => ({ code: "MALFORMED", rule });
const TOO_LARGE = (rule: string): object => ({ code: "TOO_LARGE", rule });

describe("canonical JSON [C-5]", () => {
  test.each([
    ["a key twice", '{"a":1,"a":1}'],
    ["a key twice, once escaped", '{"a":1,"\\u0061":1}'],
    ["a space", '{"a": 1}'],
    ["a space in front", " 1"],
    ["a line feed at the end", "1\n"],
    ["1.0", "1.0"],
    ["1e2", "1e2"],
    ["-0", "-0"],
    ["a number that is no double", "9007199254740993"],
    ["a number that is infinite", "1e400"],
    ["an escaped letter", '"\\u0061"'],
    ["an escaped slash", '"\\/"'],
    ["hex in capitals", '"\\u001F"'],
    ["an escaped character outside of ASCII", '"\\u00e9"'],
    ["index keys out of order", '{"2":0,"1":0}'],
    ["a comma at the end", "[1,]"],
    ["a colon in a list", '["a":1]'],
    ["a comment", "1//"],
    ["NaN", "NaN"],
    ["two values", "1 2"],
    ["nothing", ""],
    ["a string that does not end", '"a'],
    ["a string that ends in a backslash", '"a\\'],
  ])("refuses %s", (_, text) => {
    expect(refusalOf(() => parseCanonicalJson(encodeUtf8(text), LIMITS))).toEqual(MALFORMED("C-5"));
  });

  test("refuses __proto__ as a key [C-7], at any depth", () => {
    for (const value of ['{"__proto__":{"a":1}}', '[{"b":{"__proto__":1}}]']) {
      expect(refusalOf(() => parseCanonicalJson(encodeUtf8(value), LIMITS))).toEqual(MALFORMED("C-7"));
    }
    expect(parseCanonicalJson(encodeUtf8('["__proto__",{"a":"\\"__proto__\\":1"}]'), LIMITS)).toBeDefined();
  });

  test("text is read as its bytes are, and only if it is well-formed [C-1]", () => {
    expect(parseCanonicalJson('{"a":"é"}', LIMITS)).toEqual({ a: "é" });
    expect(refusalOf(() => parseCanonicalJson('{"a": 1}', LIMITS))).toEqual(MALFORMED("C-5"));
    expect(refusalOf(() => parseCanonicalJson('"\u{d800}"', LIMITS))).toEqual(MALFORMED("C-1"));
    expect(refusalOf(() => parseCanonicalJson(JSON.stringify("a".repeat(4095)), LIMITS))).toEqual(TOO_LARGE("C-15"));
  });

  test("every value comes back as it was written", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = encodeCanonicalJson(value);
        const read = parseCanonicalJson(encodeUtf8(text), { bytes: 1 << 20 });
        expect(encodeCanonicalJson(read)).toBe(text);
      }),
    );
  });
});

describe("JSON of people and other programs [C-6]", () => {
  test.each([
    ["plainly", '{"a":1,"a":2}'],
    ["escaped", '{"a":1,"\\u0061":2}'],
    ["with a space in front of the colon", '{"a" \n:1,"a"\t:2}'],
    ["as an empty key", '{"":1,"":2}'],
    ["inside of another object", '{"b":[{"a":1,"c":{},"a":2}]}'],
    ["after an inner object with the same key", '{"a":{"a":1},"a":2}'],
    ["that is __proto__", '{"__proto__":1,"__proto__":2}'],
  ])("refuses a key that stands twice, %s", (_, text) => {
    expect(refusalOf(() => parseJson(encodeUtf8(text), LIMITS))).toEqual(MALFORMED("C-6"));
  });

  test.each([
    ["the same key in two objects", '[{"a":1},{"a":2}]'],
    ["the same key on two levels", '{"a":{"a":{"a":1}}}'],
    ["a value that is also a key", '{"a":"b","b":"a"}'],
    ["a string that looks like keys", '{"a":"{\\"a\\":1,\\"a\\":2}"}'],
    ["keys that differ in case", '{"a":1,"A":2}'],
    ["any layout", ' {\n "a" : [ ] , "b":1.0e0 } '],
  ])("accepts %s", (_, text) => {
    expect(parseJson(encodeUtf8(text), LIMITS)).toEqual(JSON.parse(text));
  });

  test.each(['["a":1]', '"a":1', '{"a":1', '{"a', "]", '{"a":1]'])("refuses %s, which is no JSON", (text) => {
    expect(refusalOf(() => parseJson(encodeUtf8(text), LIMITS))).toEqual(MALFORMED("C-5"));
  });

  test("__proto__ is an ordinary key and changes no prototype", () => {
    const value = parseJson(encodeUtf8('{"__proto__":{"polluted":true}}'), LIMITS) as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect("polluted" in value).toBe(false);
    expect("polluted" in {}).toBe(false);
  });

  test("the refusal shows a hostile key in clean text [C-16]", () => {
    const key = "\u{202e}\u{9b}2J";
    const text = JSON.stringify({ [key]: 1 }).replace("}", `,${JSON.stringify(key)}:2}`);
    expect(() => parseJson(encodeUtf8(text), LIMITS)).toThrow('The key "\\u{202e}\\u{9b}2J" stands twice');
  });

  test("agrees with JSON.parse wherever no key stands twice", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(parseJson(encodeUtf8(text), { bytes: 1 << 20 })).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe("limits, in both readers", () => {
  const readers: [string, (bytes: Uint8Array, depth?: number) => Json][] = [
    ["canonical", (bytes) => parseCanonicalJson(bytes, { bytes: 1 << 20 })],
    ["any layout", (bytes) => parseJson(bytes, { bytes: 1 << 20 })],
  ];

  test.each(readers)("[C-8] nesting, %s: 32 deep and no deeper", (_, read) => {
    const nested = (depth: number): Uint8Array => encodeUtf8("[".repeat(depth) + "]".repeat(depth));
    expect(refusalOf(() => read(nested(32)))).toBeNull();
    expect(refusalOf(() => read(nested(33)))).toEqual(TOO_LARGE("C-8"));
    expect(refusalOf(() => read(nested(500_000)))).toEqual(TOO_LARGE("C-8"));
    expect(refusalOf(() => read(encodeUtf8(`${'{"a":'.repeat(33)}1${"}".repeat(33)}`)))).toEqual(TOO_LARGE("C-8"));
  });

  test.each(readers)("[C-8] brackets in strings and one after another do not nest, %s", (_, read) => {
    expect(refusalOf(() => read(encodeUtf8(JSON.stringify("[{".repeat(100)))))).toBeNull();
    expect(refusalOf(() => read(encodeUtf8(`[${Array.from({ length: 100 }, () => "[]").join(",")}]`)))).toBeNull();
  });

  test("[C-15] size: to the byte", () => {
    const text = encodeUtf8(JSON.stringify("a".repeat(10)));
    expect(refusalOf(() => parseJson(text, { bytes: 12 }))).toBeNull();
    expect(refusalOf(() => parseJson(text, { bytes: 11 }))).toEqual(TOO_LARGE("C-15"));
    expect(refusalOf(() => parseCanonicalJson(text, { bytes: 12 }))).toBeNull();
    expect(refusalOf(() => parseCanonicalJson(text, { bytes: 11 }))).toEqual(TOO_LARGE("C-15"));
  });

  test.each(readers)("[C-1] ill-formed UTF-8 and a byte order mark, %s", (_, read) => {
    expect(refusalOf(() => read(Uint8Array.of(0x22, 0xff, 0x22)))).toEqual(MALFORMED("C-1"));
    expect(refusalOf(() => read(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)))).toEqual(MALFORMED("C-1"));
    expect(refusalOf(() => read(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)))).toEqual(MALFORMED("C-1"));
  });

  test("[C-6] 300,000 keys in little time", () => {
    const text = `{${Array.from({ length: 300_000 }, (_, i) => `"k${i}":${i}`).join(",")},"k0":1}`;
    const start = performance.now();
    expect(refusalOf(() => parseJson(encodeUtf8(text), { bytes: 1 << 24 }))).toEqual(MALFORMED("C-6"));
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
