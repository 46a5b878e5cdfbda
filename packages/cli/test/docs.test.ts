import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FidoError, type FidoErrorCode } from "@touchmark/fido";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../src/commands.ts";
import { explainFailure } from "../src/failure.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

describe("docs/troubleshooting.md", () => {
  it("has every code of FidoError once in its table, and no other, and names those with another exit code", () => {
    const [, union = ""] = /type FidoErrorCode =([^;]+);/.exec(read("packages/fido/src/error.ts")) ?? [];
    const codes = [...union.matchAll(/"([A-Z_0-9]+)"/g)].map(([, code = ""]) => code);
    const told = [...read("docs/troubleshooting.md").matchAll(/^\| `([A-Z_0-9]+)` \| \S.* \| \S.* \|$/gm)];
    expect(codes.length).toBeGreaterThan(20);
    expect(told.map(([, code = ""]) => code).toSorted()).toEqual(codes.toSorted());
    const [, sentence = ""] =
      /exit code 4, except (.+), which end with 2\./.exec(read("docs/troubleshooting.md")) ?? [];
    const others = codes.filter((code) => explainFailure(new FidoError(code as FidoErrorCode, "No.")).exit !== 4);
    expect([...sentence.matchAll(/`([A-Z_]+)`/g)].map(([, code = ""]) => code).toSorted()).toEqual(others.toSorted());
  });
});

describe("docs/cli.md", () => {
  const text = read("docs/cli.md");

  it("has every command", () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(names.filter((name) => !new RegExp(`(?:\`|touchmark )${name}(?: |\`|$)`, "m").test(text))).toEqual([]);
  });

  it("has every flag of the commands about authority and releases", async () => {
    const groups = /^(?:authority|release|adopt|committee|funding|claim|status|notify|recover|veto|hold|lift)\b/;
    const shared = /^(?:json|policy|help|full|yes|pin-fd|trace|no-open|paste|device|sign|submit|out|registry)$/;
    const missing: string[] = [];
    for (const entry of COMMANDS.filter(({ name }) => groups.test(name))) {
      const { name } = entry;
      const flags = (await entry.load()).help().flatMap((line) => /^ {2}--([a-z-]+)/.exec(line)?.[1] ?? []);
      missing.push(
        ...flags.filter((flag) => !shared.test(flag) && !text.includes(`--${flag}`)).map((flag) => `${name} --${flag}`),
      );
    }
    expect(missing).toEqual([]);
  });
});

describe("docs/governance.md and docs/ci.md", () => {
  it.each(["docs/governance.md", "docs/ci.md"])("%s names only commands that there are", (file) => {
    const names = COMMANDS.map(({ name }) => name.split(" "));
    const groups = new Set(names.filter((words) => words.length > 1).map(([group = ""]) => group));
    // Lines of blocks, and code within a sentence.
    const told = [...read(file).matchAll(/(?:^|`)touchmark ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)/gm)].map(
      ([, text = ""]) => text,
    );
    const unknown = told.filter((text) => {
      const words = text.split(" ");
      const isCommand = names.some((name) => name.every((word, i) => words[i] === word));
      return !isCommand && !(words.length === 1 && groups.has(words[0]!));
    });
    expect(told.length).toBeGreaterThan(5);
    expect(unknown).toEqual([]);
  });
});
