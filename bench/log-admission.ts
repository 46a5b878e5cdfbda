import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark } from "./figure.ts";
import { BUSY, compareRates, FLOOR, ORIGIN, start, stop, TOUCHMARK } from "./support/log-load.ts";

/** Durable, admitted entries a second of a real log server, against the rate of HTTP and the same signature check alone. */
export const logAdmission: Benchmark = {
  name: "log-admission",
  run: async () => {
    const directory = mkdtempSync(join(tmpdir(), "touchmark-log-"));
    const log = ["log", "serve", "--dir", join(directory, "log"), "--origin", ORIGIN, "--port", "0", "--json"];
    const servers = [await start([TOUCHMARK, ...log], directory), await start([FLOOR], directory)] as const;
    try {
      const { ours, floor } = await compareRates({ ours: servers[0].url, floor: servers[1].url }, BUSY);
      return [
        {
          name: "log admission",
          ours: { what: "durable entries, one P-256 check each", value: ours },
          floor: { what: "HTTP and the same check alone", value: floor },
          unit: "/s",
          target: { least: 0.5 },
        },
      ];
    } finally {
      for (const { child } of servers) await stop(child);
      rmSync(directory, { recursive: true, force: true });
    }
  },
};
