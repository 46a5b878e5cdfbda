import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "./support/log.ts";
import { type RunningPostgres, startPostgres } from "./support/postgres.ts";
import { type RunningSwift, startSwift } from "./support/swift.ts";
import { bundleScript } from "./support/bundle.ts";
import { seededRandom, torture } from "./support/torture.ts";

const { dir, remove } = temporaryFolder();
let postgres: RunningPostgres;
let swift: RunningSwift;
beforeAll(async () => {
  [postgres, swift] = await Promise.all([startPostgres(), startSwift()]);
});
afterAll(async () => {
  await Promise.all([postgres.stop(), swift.stop()]);
  remove();
});

// 54 kills in all; `pnpm torture` does ten times as many.
test(
  "[L7] kill -9 at any instant under load: nothing acknowledged is lost, one history is signed",
  { timeout: 400_000 },
  async () => {
    const script = await bundleScript("tortured-server.ts", join(dir, "bundle"));
    const shared = { ledger: await postgres.makeDatabase(), blobs: await swift.makeBucket() };
    const runs = [
      { script, addresses: { dir: join(dir, "log") }, signed: join(dir, "signed"), kills: 30, random: seededRandom(1) },
      { script, addresses: { dir, ...shared }, signed: join(dir, "signed-too"), kills: 24, random: seededRandom(2) },
    ];
    for (const { acknowledged, signatures } of await Promise.all(runs.map(torture))) {
      expect(acknowledged).toBeGreaterThan(30);
      expect(signatures).toBeGreaterThan(20);
    }
  },
);
