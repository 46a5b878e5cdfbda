import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Benchmark, median } from "./figure.ts";
import { FLOOR, ORIGIN, rateOf, ROUNDS, start, stop, submissions, TOUCHMARK } from "./support/log-load.ts";

/** Durable, admitted entries a second of a real log server, against the rate of HTTP and the same signature check alone. */
export const logAdmission: Benchmark = {
  name: "log-admission",
  run: async () => {
    const directory = mkdtempSync(join(tmpdir(), "touchmark-log-"));
    const log = ["log", "serve", "--dir", join(directory, "log"), "--origin", ORIGIN, "--port", "0", "--json"];
    const servers = [await start([TOUCHMARK, ...log], directory), await start([FLOOR], directory)] as const;
    const rates: { log: number[]; floor: number[] } = { log: [], floor: [] };
    try {
      for (let round = 0; round <= ROUNDS; round++) {
        const bodies = submissions(round);
        const pair = { log: await rateOf(servers[0].url, bodies), floor: await rateOf(servers[1].url, bodies) };
        if (round === 0) continue; // warm-up
        rates.log.push(pair.log);
        rates.floor.push(pair.floor);
      }
    } finally {
      for (const { child } of servers) await stop(child);
      rmSync(directory, { recursive: true, force: true });
    }
    return [
      {
        name: "log admission",
        ours: { what: "durable entries, one P-256 check each", value: median(rates.log) },
        floor: { what: "HTTP and the same check alone", value: median(rates.floor) },
        unit: "/s",
        target: { least: 0.5 },
      },
    ];
  },
};
