import { type Line, type PackageState, UNCLAIMED } from "@touchmark/core";
import { expect, test } from "vitest";
import { createLru } from "../src/lru.ts";
import { weightOf } from "../src/package-states.ts";

test("forgets what was longest unused, by number", () => {
  const lru = createLru<number>(2);
  lru.set("a", 1);
  lru.set("b", 2);
  expect(lru.get("a")).toBe(1);
  lru.set("c", 3);
  expect(["a", "b", "c"].map(lru.get)).toEqual([1, undefined, 3]);
});

test("and by weight, as much as it takes, but never the newest", () => {
  const lru = createLru<number>(10, (value) => value);
  lru.set("a", 4);
  lru.set("b", 4);
  lru.set("c", 2);
  lru.set("d", 5);
  expect(["a", "b", "c", "d"].map(lru.get)).toEqual([undefined, undefined, 2, 5]);
  lru.set("d", 1);
  lru.set("e", 7);
  expect(["c", "d", "e"].map(lru.get)).toEqual([2, 1, 7]);
  lru.set("f", 100);
  expect(["e", "f"].map(lru.get)).toEqual([undefined, 100]);
  lru.set("g", 1);
  expect(["f", "g"].map(lru.get)).toEqual([undefined, 1]);
});

test("[A-26] a state weighs by the names that it holds", () => {
  const held = Array.from({ length: 4096 }, (_, i) => `npm:npmjs/widget@${i}.0.0`);
  const line = { holds: [{ releases: held }], endorsements: [] } as unknown as Line;
  const state: PackageState = { ...UNCLAIMED, lines: [line, line] };
  expect([weightOf(UNCLAIMED), weightOf(state)]).toEqual([1, 1025]);
});
