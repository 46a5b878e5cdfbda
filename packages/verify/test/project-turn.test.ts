import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VerifyError } from "../src/errors.ts";
import { takeTurn } from "../src/npm/project-turn.ts";

describe("one install at a time", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "touchmark-turn-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  const note = (): string => join(root, readdirSync(root)[0]!);

  it("keeps a second one out until the first has ended", () => {
    const giveBack = takeTurn(root, root);
    expect(() => takeTurn(root, root)).toThrow(VerifyError);
    giveBack();
    expect(readdirSync(root)).toEqual([]);
    takeTurn(root, root)();
  });

  it("takes no notice of a process that has ended, or of another that has got its number", () => {
    takeTurn(root, root);
    const [pid] = readFileSync(note(), "utf8").split(" ");
    for (const left of [`${pid} 1`, "4194304 1", "4194304 ", ""]) {
      writeFileSync(note(), left);
      takeTurn(root, root)();
      takeTurn(root, root);
    }
  });
});
