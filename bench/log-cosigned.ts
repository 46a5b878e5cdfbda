import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Benchmark, median } from "./figure.ts";
import { FLOOR, ORIGIN, rateOf, ROUNDS, start, stop, submissions, TOUCHMARK } from "./support/log-load.ts";

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
    const rates: { log: number[]; floor: number[] } = { log: [], floor: [] };
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
      for (let round = 0; round <= ROUNDS; round++) {
        const bodies = submissions(round);
        const pair = { log: await rateOf(cosigned.url, bodies), floor: await rateOf(floor.url, bodies) };
        if (round === 0) continue; // warm-up
        rates.log.push(pair.log);
        rates.floor.push(pair.floor);
      }
    } finally {
      for (const { child } of servers.toReversed()) await stop(child);
      rmSync(directory, { recursive: true, force: true });
    }
    return [
      {
        name: "log cosigned",
        ours: { what: "durable entries, cosigned by 2 of 2", value: median(rates.log) },
        floor: { what: "HTTP and the same check alone", value: median(rates.floor) },
        unit: "/s",
        target: { least: 0.7 },
      },
    ];
  },
};
