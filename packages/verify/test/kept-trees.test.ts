import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeTree, setTreesAside } from "../src/npm/kept-trees.ts";

describe("node_modules from before", () => {
  let project: string;
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "touchmark-trees-"));
  });
  afterEach(() => {
    rmSync(project, { recursive: true, force: true });
  });

  const tree = (...path: string[]): string => join(project, ...path, "node_modules");
  const plant = (content: string, ...path: string[]): void => {
    mkdirSync(tree(...path), { recursive: true });
    writeFileSync(join(tree(...path), "planted"), content);
  };
  const planted = (...path: string[]): string | undefined =>
    existsSync(join(tree(...path), "planted")) ? readFileSync(join(tree(...path), "planted"), "utf8") : undefined;

  it("is out of npm's way, and comes back when npm fails", () => {
    plant("old");
    plant("old", "a");
    const kept = setTreesAside([project, join(project, "a"), join(project, "b")]);
    expect([existsSync(tree()), existsSync(tree("a"))]).toEqual([false, false]);
    plant("new");
    plant("new", "b");
    kept.restore();
    expect([planted(), planted("a"), planted("b")]).toEqual(["old", "old", undefined]);
  });

  it("is gone when npm has installed", () => {
    plant("old");
    const kept = setTreesAside([project]);
    plant("new");
    kept.drop();
    expect(planted()).toBe("new");
    rmSync(tree(), { recursive: true });
    setTreesAside([project]).restore();
    expect(existsSync(tree())).toBe(false);
  });

  it("of a run that was killed is not taken for what was there", () => {
    plant("killed");
    setTreesAside([project]);
    plant("old");
    setTreesAside([project]).restore();
    expect(planted()).toBe("old");
  });

  it("is emptied where it can't be removed, as where it is mounted", () => {
    plant("old");
    removeTree(tree(), () => {
      throw Object.assign(new Error("busy"), { code: "EBUSY" });
    });
    expect([existsSync(tree()), planted()]).toEqual([true, undefined]);
  });

  it("is not followed where it is a link", () => {
    const outside = join(project, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "kept"), "");
    symlinkSync(outside, tree());
    setTreesAside([project]).drop();
    expect([existsSync(tree()), existsSync(join(outside, "kept"))]).toEqual([false, true]);
  });
});
