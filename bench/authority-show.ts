import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark } from "./figure.ts";
import { builtTree } from "./support/built-tree.ts";
import { compareNode } from "./support/child-process.ts";
import { writeSignedTree } from "./support/signed-tree.ts";

/** `touchmark authority show` by touchmark.lock, against a start of the command line that does nothing. */
export const authorityShow: Benchmark = {
  name: "authority-show",
  run: async () => {
    const touchmark = join(await builtTree(), "node_modules/touchmark/dist/main.js");
    const folder = mkdtempSync(join(tmpdir(), "touchmark-tree-"));
    try {
      writeSignedTree(folder, { packages: 3, packagesPerTeam: 3 });
      const show = [touchmark, "authority", "show", "package-0", "--offline"];
      const { a, b } = compareNode(show, [touchmark, "--version"], { cwd: folder, rounds: 31, measure: "wall" });
      return [
        {
          name: "authority show, cached",
          ours: { what: "touchmark authority show, evidence in touchmark.lock", value: a.wall },
          floor: { what: "touchmark --version", value: b.wall },
          unit: "ms",
          target: { most: 1.5 },
        },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
