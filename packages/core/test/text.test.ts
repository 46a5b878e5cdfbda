import { describe, expect, test } from "vitest";
import { cleanText } from "../src/index.ts";
import { fc } from "./support/property.ts";

describe("[C-16] clean text", () => {
  test.each([
    ["a colour", "\u{1b}[31mred", "\\u{1b}[31mred"],
    ["a one-character CSI", "\u{9b}2J", "\\u{9b}2J"],
    ["a title by OSC", "\u{1b}]0;t\u{7}", "\\u{1b}]0;t\\u{7}"],
    ["a line feed", "a\nb", "a\\u{a}b"],
    ["a carriage return", "a\rb", "a\\u{d}b"],
    ["a tab", "a\tb", "a\\u{9}b"],
    ["a backspace", "a\bb", "a\\u{8}b"],
    ["a NUL", "a\0b", "a\\u{0}b"],
    ["DEL", "a\u{7f}b", "a\\u{7f}b"],
    ["an override from right to left", "a\u{202e}b", "a\\u{202e}b"],
    ["isolates", "\u{2066}a\u{2069}", "\\u{2066}a\\u{2069}"],
    ["a mark from right to left", "\u{200f}a", "\\u{200f}a"],
    ["an Arabic letter mark", "\u{61c}a", "\\u{61c}a"],
    ["a zero-width space", "a\u{200b}b", "a\\u{200b}b"],
    ["a zero-width joiner", "a\u{200d}b", "a\\u{200d}b"],
    ["a word joiner", "a\u{2060}b", "a\\u{2060}b"],
    ["a byte order mark", "\u{feff}a", "\\u{feff}a"],
    ["a soft hyphen", "a\u{ad}b", "a\\u{ad}b"],
    ["a line separator", "a\u{2028}b", "a\\u{2028}b"],
    ["a paragraph separator", "a\u{2029}b", "a\\u{2029}b"],
    ["a lone high surrogate", "a\u{d800}b", "a\\u{d800}b"],
    ["a lone low surrogate", "a\u{dc00}b", "a\\u{dc00}b"],
    ["tag characters", "\u{e0061}\u{e007f}", "\\u{e0061}\\u{e007f}"],
    ["a variation selector", "a\u{fe0f}", "a\\u{fe0f}"],
    ["a supplementary variation selector", "a\u{e0100}", "a\\u{e0100}"],
    ["a Hangul filler", "a\u{3164}", "a\\u{3164}"],
    ["a combining grapheme joiner", "a\u{34f}", "a\\u{34f}"],
    ["an interlinear annotation", "\u{fff9}a", "\\u{fff9}a"],
    ["plain words", "It's plain: a/b@1.0.0 (x) ~", "It's plain: a/b@1.0.0 (x) ~"],
    ["other scripts", "日本語 ünï Ω 🙂", "日本語 ünï Ω 🙂"],
    ["nothing", "", ""],
  ])("%s", (_, text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  test("what is too long is cut, and says so", () => {
    expect(cleanText("a".repeat(501))).toBe(`${"a".repeat(500)}…`);
    expect(cleanText("a".repeat(500))).toBe("a".repeat(500));
    expect(cleanText("abc", 2)).toBe("ab…");
  });

  test("a cut through a pair of surrogates leaves no half of it", () => {
    expect(cleanText("a🙂", 2)).toBe("a\\u{d83d}…");
  });

  test("no text leaves anything that could move the cursor or hide", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(cleanText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
      }),
      { numRuns: 500 },
    );
  });
});
