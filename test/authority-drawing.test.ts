import { readFileSync } from "node:fs";
import { TRANSITIONS } from "@touchmark/core";
import { describe, expect, test } from "vitest";
import { DRAWING, drawAuthority } from "../scripts/draw-authority.ts";

describe("docs/authority.svg", () => {
  test("is what the code's table of transitions makes (pnpm draw)", () => {
    expect(readFileSync(DRAWING, "utf8")).toBe(drawAuthority());
  });

  test("shows every transition, and nothing that a reader would have to fetch or run", () => {
    const drawing = drawAuthority();
    for (const { when, rule } of TRANSITIONS) {
      expect(drawing).toContain(`>${when}`);
      expect(drawing).toContain(`>[${rule}]<`);
    }
    expect(drawing).not.toMatch(/<script|<image|href=|url\((?!#)/);
  });
});
