import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cborMap,
  type CborValue,
  decodeCbor,
  decodeCborPrefix,
  encodeCbor,
  locateMapValues,
} from "../src/cbor/canonical.ts";
import { codeOf, fromHex, toHex } from "./kit.ts";

const leaf: fc.Arbitrary<CborValue> = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.boolean(),
  fc.uint8Array({ maxLength: 300 }),
);
const key = fc.oneof(fc.integer({ min: -300, max: 70_000 }), fc.string({ unit: "grapheme", maxLength: 30 }));

function nest(depth: number): fc.Arbitrary<CborValue> {
  if (depth === 0) return leaf;
  const inner = nest(depth - 1);
  return fc.oneof(
    leaf,
    fc.array(inner, { maxLength: 4 }),
    fc.array(fc.tuple(key, inner), { maxLength: 5 }).map((entries) => cborMap(...entries)),
  );
}

describe("CTAP 2.1 section 8: canonical CBOR", () => {
  test("what is encoded decodes to the same, and only one encoding of it exists", () => {
    fc.assert(
      fc.property(nest(4), (value) => {
        const bytes = encodeCbor(value);
        const decoded = decodeCbor(bytes);
        expect(toHex(encodeCbor(decoded))).toBe(toHex(bytes));
        expect(plain(decoded)).toEqual(plain(value));
      }),
      { numRuns: 500 },
    );
  });

  test("keys are sorted by type, then length, then bytes, whatever the order they came in", () => {
    const bytes = encodeCbor(cborMap(["b", 1], ["aa", 2], [-1, 3], [256, 4], [10, 5], ["a", 6], [-2, 7]));
    expect(toHex(bytes)).toBe(["a7", "0a05", "19010004", "2003", "2107", "616106", "616201", "62616102"].join(""));
  });

  test.each([
    ["number in two bytes that fits in one", "1817"],
    ["number in three bytes that fits in two", "1900ff"],
    ["number in five bytes that fits in three", "1a0000ffff"],
    ["number in nine bytes that fits in five", "1b00000000ffffffff"],
    ["byte string length too wide", "580100"],
    ["indefinite byte string", "5f4100ff"],
    ["indefinite array", "9fff"],
    ["indefinite map", "bfff"],
    ["break", "ff"],
    ["map keys out of order", "a202000100"],
    ["negative before positive key", "a220000100"],
    ["longer key first", "a2190100000a00"],
    ["a key twice", "a201000100"],
    ["byte string as key", "a1410000"],
    ["array as key", "a18000"],
    ["tag", "c101"],
    ["null", "f6"],
    ["undefined", "f7"],
    ["half float", "f93c00"],
    ["double", "fb3ff0000000000000"],
    ["simple value", "f820"],
    ["text that is not UTF-8", "62c328"],
    ["array cut off", "8201"],
    ["map cut off", "a101"],
    ["text cut off", "6361"],
    ["number cut off", "19ff"],
    ["nothing", ""],
    ["trailing byte", "0000"],
    ["reserved length", "1c"],
  ])("refused: %s", (_, hex) => {
    expect(codeOf(() => decodeCbor(fromHex(hex)))).toBe("DEVICE_GARBAGE");
  });

  test("four levels are taken, five are not", () => {
    expect(decodeCbor(fromHex("8181818100"))).toEqual([[[[0]]]]);
    expect(codeOf(() => decodeCbor(fromHex("818181818100")))).toBe("DEVICE_GARBAGE");
  });

  test.each([
    ["array that says it has 2^32 items", "9affffffff"],
    ["array that says it has 2^64 items", "9bffffffffffffffff"],
    ["map that says it has 2^64 entries", "bbffffffffffffffff"],
    ["bytes that say they are 2^63 long", "5b7fffffffffffffff"],
    ["deep nesting", "81".repeat(7000)],
    ["many small items", `991388${"00".repeat(5000)}`],
  ])("a bomb is refused at once: %s", (_, hex) => {
    const start = performance.now();
    expect(codeOf(() => decodeCbor(fromHex(hex)))).toBe("DEVICE_GARBAGE");
    expect(performance.now() - start).toBeLessThan(200);
  });

  test("a prefix tells where it ends; the parts of a map come as they were", () => {
    expect(decodeCborPrefix(fromHex("0a00"))).toEqual({ value: 10, end: 1 });
    const parts = locateMapValues(fromHex("a3010a024200ff0381a10102"));
    expect([...parts].map(([name, bytes]) => [name, toHex(bytes)])).toEqual([
      [1, "0a"],
      [2, "4200ff"],
      [3, "81a10102"],
    ]);
  });

  test("random bytes are decoded or refused, never anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        let value: CborValue;
        try {
          value = decodeCbor(bytes);
        } catch {
          expect(codeOf(() => decodeCbor(bytes))).toBe("DEVICE_GARBAGE");
          return;
        }
        // Whatever is taken has no second spelling.
        expect(toHex(encodeCbor(value))).toBe(toHex(bytes));
      }),
      { numRuns: 3000, seed: 20261123 },
    );
  });
});

function plain(value: CborValue): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof Map ? new Map([...value].map(([name, part]) => [name, plain(part)])) : value;
}
