import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark, Figure } from "./figure.ts";
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
      const urls = { ours: cosigned.url, floor: floor.url };
      return [
        figureOf("log cosigned", await compareRates(urls, BUSY), { least: 0.7 }),
        figureOf(`the same, ${CALM} at once`, await compareRates(urls, CALM), null),
      ];
    } finally {
      for (const { child } of servers.toReversed()) await stop(child);
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

function figureOf(name: string, { ours, floor }: { ours: number; floor: number }, target: Figure["target"]): Figure {
  return {
    name,
    ours: { what: "durable entries, cosigned by 2 of 2", value: ours },
    floor: { what: "HTTP and the same check alone", value: floor },
    unit: "/s",
    target,
  };
}
