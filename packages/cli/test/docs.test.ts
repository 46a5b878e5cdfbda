import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../src/commands.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

describe("docs/troubleshooting.md", () => {
  it("has every code of FidoError once in its table, and no other", () => {
    const [, union = ""] = /type FidoErrorCode =([^;]+);/.exec(read("packages/fido/src/error.ts")) ?? [];
    const codes = [...union.matchAll(/"([A-Z_0-9]+)"/g)].map(([, code = ""]) => code);
    const told = [...read("docs/troubleshooting.md").matchAll(/^\| `([A-Z_0-9]+)` \| \S.* \| \S.* \|$/gm)];
    expect(codes.length).toBeGreaterThan(20);
    expect(told.map(([, code = ""]) => code).toSorted()).toEqual(codes.toSorted());
  });
});

describe("docs/cli.md", () => {
  it("has every key command", () => {
    const text = read("docs/cli.md");
    const names = COMMANDS.map(({ name }) => name).filter((name) => name.startsWith("key "));
    expect(names.filter((name) => !text.includes(`\`${name} `))).toEqual([]);
  });
});
