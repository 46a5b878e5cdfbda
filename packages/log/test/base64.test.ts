import fc from "fast-check";
import { expect, test } from "vitest";
import { parseBase64 } from "../src/bytes.ts";

// The plain definition: canonical is what comes out again when it is encoded.
const byDefinition = (text: string): string | undefined => {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes.toString("hex") : undefined;
};
const found = (text: string): string | undefined => {
  const bytes = parseBase64(text);
  return bytes && Buffer.from(bytes).toString("hex");
};

test("[C-2] the canonical form alone is read, by definition and by chance", () => {
  const alphabet = [..."ABCDQgwxyz0189+/=-_ \n".split(""), "é", "\u{1f600}"];
  const text = fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }).map((characters) => characters.join(""));
  fc.assert(
    fc.property(text, (candidate) => {
      expect(found(candidate)).toBe(byDefinition(candidate));
    }),
    { numRuns: 20_000, seed: 1 },
  );
});

test("[C-2] whatever was encoded is read back, and refused with one character changed to another spelling", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.nat(),
      fc.constantFrom("-", "_", "=", " ", "B"),
      (bytes, at, other) => {
        const text = Buffer.from(bytes).toString("base64");
        expect(found(text)).toBe(Buffer.from(bytes).toString("hex"));
        const changed = text.slice(0, at % (text.length + 1)) + other + text.slice((at % (text.length + 1)) + 1);
        expect(found(changed)).toBe(byDefinition(changed));
      },
    ),
    { numRuns: 2000, seed: 1 },
  );
});
