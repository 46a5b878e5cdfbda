/**
 * What takes too long for every test run: a log killed at each step of a batch and of a start, and 500 times at random, half of them on SQLite and a folder,
 * half on PostgreSQL and S3, and one that is asked a million times for what it doesn't have. It ends with 1 at the first loss, and says by which seed it can be
 * played again: pnpm torture [kills] [seed] [requests].
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../../packages/log-server/test/support/postgres.ts";
import { startSwift } from "../../packages/log-server/test/support/swift.ts";
import { missingTiles } from "./missing-tiles.ts";
import type { StorageAddresses } from "@touchmark/log-server";
import { bundleScript } from "../../packages/log-server/test/support/bundle.ts";
import { killAtSteps, OF_A_BATCH, OF_STARTS } from "../../packages/log-server/test/support/step-kills.ts";
import { seededRandom, torture } from "../../packages/log-server/test/support/torture.ts";

const [kills = 500, seed = Date.now() % 1_000_000, requests = 1_000_000] = process.argv.slice(2).map(Number);
const dir = mkdtempSync(join(tmpdir(), "touchmark-torture-"));
const [postgres, swift] = await Promise.all([startPostgres(), startSwift()]);
const onBoth = async (): Promise<StorageAddresses> => ({
  dir,
  ledger: await postgres.makeDatabase(),
  blobs: await swift.makeBucket(),
});
try {
  console.log(`${kills} kills, seed ${seed}, ${requests} requests`);
  await missingTiles(dir, requests, (line) => console.log(line));
  const script = await bundleScript("tortured-server.ts", join(dir, "bundle"));
  for (const [name, addresses] of Object.entries({ embedded: { dir: join(dir, "steps") }, shared: await onBoth() })) {
    const signed = join(dir, `signed-steps-${name}`);
    const { acknowledged, size } = await killAtSteps({ script, addresses, signed }, OF_A_BATCH, OF_STARTS, (step) =>
      console.log(`${name}: killed ${step.when} ${step.call}, time ${step.count}`),
    );
    console.log(`${name}: ${acknowledged} acknowledged, none lost; one history of ${size} leaves`);
  }
  for (const [name, addresses] of Object.entries({ embedded: { dir: join(dir, "log") }, shared: await onBoth() })) {
    const onKill = (done: number): void => {
      if (done % 25 === 0) console.log(`${name}: ${done}`);
    };
    const signed = join(dir, `signed-${name}`);
    const report = await torture({ script, addresses, signed, kills: kills / 2, random: seededRandom(seed), onKill });
    console.log(
      `${name}: ${report.acknowledged} acknowledged, none lost; ${report.signatures} trees signed, one history of ${report.size} leaves`,
    );
  }
} finally {
  await Promise.all([postgres.stop(), swift.stop()]);
  rmSync(dir, { recursive: true, force: true });
}
