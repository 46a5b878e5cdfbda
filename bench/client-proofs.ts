import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEvidence, parseCompanion, parsePolicy } from "@touchmark/verify";
import { type Benchmark, median } from "./figure.ts";
import { writeSignedTree } from "./support/signed-tree.ts";

const PACKAGES = 1000;
/** Rounds until V8 has compiled what it will: the first ones take up to half as long again. */
const WARM_UP = 20;
const ROUNDS = 101;

/** A client verifies the log and map proofs of 1,000 packages, against as many bare hashes of a Merkle node as these proofs need at least. */
export const clientProofs: Benchmark = {
  name: "client-proofs",
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), "touchmark-proofs-"));
    try {
      writeSignedTree(folder, { packages: PACKAGES, packagesPerTeam: 10 });
      const { evidence } = parseCompanion(readFileSync(join(folder, "touchmark.lock")));
      const { log } = parsePolicy(readFileSync(join(folder, "touchmark.json")), Math.floor(Date.now() / 1000));
      const { hashes } = JSON.parse(readFileSync(join(folder, "floor.json"), "utf8")) as { hashes: number };
      const node = Buffer.alloc(65, 1);
      const bare = (): void => {
        for (let i = 0; i < hashes; i++) hash("sha256", node, "binary");
      };
      const times: { ours: number; floor: number }[] = [];
      for (let round = -WARM_UP; round < ROUNDS; round++) {
        const ours = time(() => openEvidence(evidence, log.key));
        const floor = time(bare);
        if (round >= 0) times.push({ ours, floor });
      }
      return [
        {
          name: "proofs of 1,000 packages",
          ours: { what: "checkpoint, log and map proofs", value: median(times.map(({ ours }) => ours)) },
          floor: { what: `${hashes} bare hashes`, value: median(times.map(({ floor }) => floor)) },
          unit: "ms",
          target: { most: 1.5 },
        },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function time(run: () => void): number {
  const begun = performance.now();
  run();
  return performance.now() - begun;
}
