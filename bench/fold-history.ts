import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Benchmark, median } from "./figure.ts";
import { builtTree } from "./support/built-tree.ts";
import { writeLongHistory } from "./support/long-history.ts";

const STEADY = join(import.meta.dirname, "support/steady-fold.ts");

/** What a package's long life costs whoever checks it, beside the signatures in it. */
export const foldHistory: Benchmark = {
  name: "fold-history",
  run: async () => {
    const built = await builtTree();
    const folder = mkdtempSync(join(tmpdir(), "touchmark-history-"));
    try {
      writeLongHistory(folder, 1000);
      const output = execFileSync(process.execPath, [STEADY, folder, built], { encoding: "utf8" });
      const rounds = JSON.parse(output) as { ours: number; floor: number }[];
      return [
        {
          name: "history of 1,000 statements",
          ours: {
            what: "CPU, reading and folding, ten kinds of entries",
            value: median(rounds.map(({ ours }) => ours)),
          },
          floor: { what: "CPU, its signature checks", value: median(rounds.map(({ floor }) => floor)) },
          unit: "ms",
          target: { most: 1.5 },
        },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
