import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark } from "./figure.ts";
import { BUSY, CALM, compareRates, FLOOR, ORIGIN, start, stop, TOUCHMARK } from "./support/log-load.ts";

const WITNESSES = ["w1.example", "w2.example"];

/**
 * Durable, admitted, cosigned entries a second of a real log server with two real witnesses, all of whom have to cosign, against the rate of HTTP and the same
 * signature check alone.
 */
export const logCosigned: Benchmark = {
  name: "log-cosigned",
  run: async () => {
    const directory = mkdtempSync(join(tmpdir(), "touchmark-log-"));
    const servers: Awaited<ReturnType<typeof start>>[] = [];
    const serve = async (args: string[]): Promise<(typeof servers)[number]> => {
      const server = await start(args, directory);
      servers.push(server);
      return server;
    };
    try {
      const log = [TOUCHMARK, "log", "serve", "--dir", join(directory, "log"), "--port", "0", "--json"];
      const made = await start([...log, "--origin", ORIGIN], directory);
      await stop(made.child);
      const lines = ["group all-of-them all w1.example w2.example", "quorum all-of-them", ""];
      for (const name of WITNESSES.toReversed()) {
        const dir = join(directory, name);
        const witness = ["log", "witness", "serve", "--dir", dir, "--name", name, "--log", made.line.key];
        const { line, url } = await serve([TOUCHMARK, ...witness, "--port", "0", "--json"]);
        lines.unshift(`witness ${name} ${line.keys[0]} ${url}`);
      }
      writeFileSync(join(directory, "witnesses.policy"), lines.join("\n"));
      const cosigned = await serve([...log, "--quorum", join(directory, "witnesses.policy")]);
      const floor = await serve([FLOOR]);
      const compared = {
        ours: { url: cosigned.url, what: "durable entries, cosigned by 2 of 2" },
        floor: { url: floor.url, what: "HTTP and the same check alone" },
      };
      return [
        await compareRates("log cosigned", compared, BUSY, { least: 0.7 }),
        await compareRates(`the same, ${CALM} at once`, compared, CALM, null),
      ];
    } finally {
      for (const { child } of servers.toReversed()) await stop(child);
      rmSync(directory, { recursive: true, force: true });
    }
  },
};
