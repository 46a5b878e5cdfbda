import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Benchmark, type Figure, median } from "./figure.ts";
import { builtTree } from "./support/built-tree.ts";
import { compareNode } from "./support/child-process.ts";
import { writeSignedTree } from "./support/signed-tree.ts";

const FLOOR = join(import.meta.dirname, "support/crypto-floor.ts");
const STEADY = join(import.meta.dirname, "support/steady-verify.ts");

/** `touchmark verify`: a large signed lockfile against the bare cryptography, a small one against a bare start of node. */
export const verifyLockfile: Benchmark = {
  name: "verify-lockfile",
  run: async () => {
    const built = await builtTree();
    const touchmark = join(built, "node_modules/touchmark/dist/main.js");
    const large = inTree(1000, (folder): Figure[] => {
      const { a, b } = compareNode([touchmark, "verify"], [FLOOR, folder], { cwd: folder, rounds: 7, measure: "cpu" });
      return [
        {
          name: "verify 1,000 packages",
          ...steady(folder, built),
          unit: "ms",
          target: { most: 2 },
        },
        {
          name: "the same, whole process",
          ours: { what: "CPU, touchmark verify from start to end", value: a.cpu },
          floor: { what: "CPU, a script that does only the floor", value: b.cpu },
          unit: "ms",
          target: null,
        },
      ];
    });
    const small = inTree(3, (folder): Figure[] => {
      const start = (env: Record<string, string>): Pick<Figure, "ours" | "floor"> => {
        const how = { cwd: folder, rounds: 31, measure: "wall", env } as const;
        const { a, b } = compareNode([touchmark, "verify"], ["-e", "0"], how);
        return {
          ours: { what: "touchmark verify, 3 packages", value: a.wall },
          floor: { what: "node -e 0", value: b.wall },
        };
      };
      return [
        { name: "verify start-up", ...start({}), unit: "ms", target: { most: 2 } },
        { name: "the first time", ...start({ NODE_DISABLE_COMPILE_CACHE: "1" }), unit: "ms", target: null },
      ];
    });
    return [...large, ...small];
  },
};

function steady(folder: string, built: string): Pick<Figure, "ours" | "floor"> {
  const output = execFileSync(process.execPath, [STEADY, folder, built], { encoding: "utf8" });
  const rounds = JSON.parse(output) as { ours: number; floor: number }[];
  return {
    ours: { what: "CPU, reading and checking, 2-of-3 each", value: median(rounds.map(({ ours }) => ours)) },
    floor: { what: "CPU, 2,000 P-256 checks, hashes, reading", value: median(rounds.map(({ floor }) => floor)) },
  };
}

function inTree(packages: number, measure: (folder: string) => Figure[]): Figure[] {
  const folder = mkdtempSync(join(tmpdir(), "touchmark-tree-"));
  try {
    writeSignedTree(folder, { packages, packagesPerTeam: 10 });
    return measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
