import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "./support/log.ts";
import { type RunningPostgres, startPostgres } from "./support/postgres.ts";
import { killAtSteps, OF_A_BATCH, OF_STARTS } from "./support/step-kills.ts";
import { type RunningSwift, startSwift } from "./support/swift.ts";
import { bundleScript } from "./support/bundle.ts";

const { dir, remove } = temporaryFolder();
let postgres: RunningPostgres;
let swift: RunningSwift;
let script: string;
beforeAll(async () => {
  [postgres, swift, script] = await Promise.all([
    startPostgres(),
    startSwift(),
    bundleScript("tortured-server.ts", join(dir, "bundle")),
  ]);
});
afterAll(async () => {
  await Promise.all([postgres.stop(), swift.stop()]);
  remove();
});

// On PostgreSQL and S3 those of which the two make something else than a folder does; `pnpm torture` takes all of them there too.
test(
  "[L7] kill -9 at each step of a batch and of a start: nothing answered is lost, one history is signed",
  { timeout: 200_000 },
  async () => {
    const shared = { dir, ledger: await postgres.makeDatabase(), blobs: await swift.makeBucket() };
    const amid = OF_A_BATCH.filter(({ when, count }) => (when === "amid" || when === "half") && count === 2);
    const starts = [[...OF_STARTS[0]!.slice(0, 2), ...OF_STARTS[1]!]];
    const [inFolder, inShared] = await Promise.all([
      killAtSteps({ script, addresses: { dir: join(dir, "log") }, signed: join(dir, "signed") }, OF_A_BATCH, OF_STARTS),
      killAtSteps({ script, addresses: shared, signed: join(dir, "signed-too") }, amid, starts),
    ]);
    expect(inFolder.acknowledged).toBeGreaterThan(4 * OF_A_BATCH.length);
    expect(inShared.acknowledged).toBeGreaterThan(4 * amid.length);
  },
);
