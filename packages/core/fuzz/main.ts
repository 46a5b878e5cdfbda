// Random histories of packages and committees, until the rules of authority break a promise.
import { checkHistory, type Tally } from "./history.ts";

const HELP = `Example:
  node packages/core/fuzz/main.ts 50000

Usage: node packages/core/fuzz/main.ts [CASES [SEED [FIRST]]]

Plays random histories through the rules of authority and checks each step: 1000000 of seed 20261123 when nothing else is said.
A failure names its history: FIRST begins there.
`;

const args = process.argv.slice(2).filter((arg) => arg !== "--");
if (args.includes("--help") || args.includes("-h")) end(0, HELP.trimEnd());
if (args.length > 3 || !args.every((arg) => /^\d{1,10}$/.test(arg)) || args[0] === "0") {
  process.stderr.write(`These are not a number of cases, a seed and a first case: ${args.join(" ")}\n`);
  process.exit(2);
}
const [cases = 1_000_000, seed = 20_261_123, first = 0] = args.map(Number);
const STEP = 20_000;

const tally: Tally = new Map();
const start = performance.now();
for (let done = 0; done < cases; done++) {
  if (done > 0 && done % STEP === 0) process.stdout.write(`${done} histories, ${mebibytes()} in use\n`);
  try {
    checkHistory(seed, first + done, tally);
  } catch (error) {
    end(1, error instanceof Error ? error.message : String(error));
  }
}
const seconds = ((performance.now() - start) / 1000).toFixed(0);
const [tried, admitted] = [sum(() => true), sum((name) => name.endsWith(": admitted"))];
end(0, `${cases} histories of seed ${seed} in ${seconds} s, ${admitted} of ${tried} statements admitted, none failed`);

function sum(counts: (name: string) => boolean): number {
  return [...tally].filter(([name]) => name.includes(": ") && counts(name)).reduce((all, [, count]) => all + count, 0);
}

function mebibytes(): string {
  return `${(process.memoryUsage().heapUsed / 1024 / 1024).toFixed(1)} MiB`;
}

function end(code: number, text: string): never {
  process.stdout.write(`${text}\n`);
  process.exit(code);
}
