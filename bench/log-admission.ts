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
      const compared = {
        ours: { url: servers[0].url, what: "durable entries, one P-256 check each" },
        floor: { url: servers[1].url, what: "HTTP and the same check alone" },
      };
      return [await compareRates("log admission", compared, BUSY, { least: 0.5 })];
    } finally {
      for (const { child } of servers) await stop(child);
      rmSync(directory, { recursive: true, force: true });
    }
  },
};
