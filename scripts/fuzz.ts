// Both fuzzers, one after the other: hostile security keys, and random histories of packages.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const HELP = `Example:
  pnpm fuzz
  pnpm fuzz --only rules --cases 50000

Usage: pnpm fuzz [--only keys|rules] [--cases N] [--seed N] [--first N]

keys   hostile packets, framing and CBOR for the security keys' client (200000 cases)
rules  random histories for the rules of authority (1000000 cases)
A failure names its case: --first begins there.
`;
const PARTS: Record<string, { main: string; cases: string }> = {
  keys: { main: "packages/fido/fuzz/main.ts", cases: "200000" },
  rules: { main: "packages/core/fuzz/main.ts", cases: "1000000" },
};
const SEED = "20261123";

process.exitCode = main(process.argv.slice(2).filter((arg) => arg !== "--"));

function main(args: string[]): number {
  const values = readFlags(args);
  if (values === null) {
    process.stderr.write(`${HELP}\nThese are not its flags: ${args.join(" ")}\n`);
    return 2;
  }
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  for (const [name, part] of Object.entries(PARTS)) {
    if (values.only !== undefined && values.only !== name) continue;
    const counts = [values.cases ?? part.cases, values.seed ?? SEED, values.first ?? "0"];
    const { status } = spawnSync(process.execPath, [part.main, ...counts], { stdio: "inherit" });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

function readFlags(args: string[]): Flags | null {
  try {
    const text = { type: "string" } as const;
    const options = {
      only: text,
      cases: text,
      seed: text,
      first: text,
      help: { type: "boolean", short: "h" },
    } as const;
    const { values } = parseArgs({ args, options });
    return values.only === undefined || values.only in PARTS ? values : null;
  } catch {
    return null;
  }
}

interface Flags {
  only?: string;
  cases?: string;
  seed?: string;
  first?: string;
  help?: boolean;
}
