import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark, Figure } from "./figure.ts";
import { compareNode } from "./support/child-process.ts";
import { builtTree } from "./support/built-tree.ts";
import { writeSignedTree } from "./support/signed-tree.ts";

const ROUNDS = 7;
const FLOOR = join(import.meta.dirname, "support/crypto-floor.ts");

/** `touchmark verify` as a whole process: a large signed lockfile against the bare cryptography, a small one against a bare start of node. */
export const verifyLockfile: Benchmark = {
  name: "verify-lockfile",
  run: async () => {
    const touchmark = join(await builtTree(), "node_modules/touchmark/dist/main.js");
    return [
      inTree(1000, (folder): Figure => {
        const { a, b } = compareNode([touchmark, "verify"], [FLOOR, folder], folder, ROUNDS);
        return {
          name: "verify 1,000 packages",
          ours: { what: "CPU, touchmark verify, 2-of-3 each", value: a.cpu },
          floor: { what: "CPU, 2,000 P-256 checks, hashes, reading", value: b.cpu },
          unit: "ms",
          target: { most: 2 },
        };
      }),
      inTree(3, (folder): Figure => {
        const { a, b } = compareNode([touchmark, "verify"], ["-e", "0"], folder, 3 * ROUNDS);
        return {
          name: "verify start-up",
          ours: { what: "touchmark verify, 3 packages", value: a.wall },
          floor: { what: "node -e 0", value: b.wall },
          unit: "ms",
          target: { most: 2 },
        };
      }),
    ];
  },
};

function inTree(packages: number, measure: (folder: string) => Figure): Figure {
  const folder = mkdtempSync(join(tmpdir(), "touchmark-tree-"));
  try {
    writeSignedTree(folder, { packages, packagesPerTeam: 10 });
    return measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
