// Changed messages and whole talks, until one of them does what it must not.
import { fork } from "node:child_process";
import type { Progress } from "./child.ts";

const HELP = `Example:
  node packages/fido/fuzz/main.ts 5000

Usage: node packages/fido/fuzz/main.ts [CASES [SEED [FIRST]]]

Sends hostile packets, framing and CBOR to the security keys' client: 200000 cases of seed 20261123 when nothing else is said.
A failure names its case: FIRST begins there.
`;

const args = process.argv.slice(2).filter((arg) => arg !== "--");
if (args.includes("--help") || args.includes("-h")) end(0, HELP.trimEnd());
if (args.length > 3 || !args.every((arg) => /^\d{1,10}$/.test(arg)) || args[0] === "0") {
  process.stderr.write(`These are not a number of cases, a seed and a first case: ${args.join(" ")}\n`);
  process.exit(2);
}
const [cases = 200_000, seed = 20_261_123, first = 0] = args.map(Number);
/** Milliseconds without a sign of life. */
const HANGS = 120_000;
/** What the heap may grow by once it is warm. */
const MOST_GROWTH = 24 * 1024 * 1024;

const start = performance.now();
const child = fork(new URL("child.ts", import.meta.url), [seed, first, cases].map(String), {
  execArgv: ["--expose-gc"],
});
let last: Progress = { done: 0, heap: 0 };
let warm: number | undefined;
let watch = setTimeout(hang, HANGS);

child.on("message", (message) => {
  last = message as Progress;
  clearTimeout(watch);
  watch = setTimeout(hang, HANGS);
  // A tenth of the cases, so that everything has been loaded and compiled.
  if (warm === undefined && last.done >= cases / 10) warm = last.heap;
  if (last.done % 20_000 === 0) say(`${last.done} cases, ${mebibytes(last.heap)} in use`);
  if (warm !== undefined && last.heap > warm + MOST_GROWTH)
    end(1, `memory grows: ${mebibytes(warm)} after a tenth, ${mebibytes(last.heap)} after ${last.done} cases`);
});

child.on("exit", (code) => {
  if (code !== 0 || last.done < cases) end(1, `failed after ${last.done} cases of seed ${seed}`);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const heap = `${mebibytes(warm ?? last.heap)} after a tenth, ${mebibytes(last.heap)} at the end`;
  end(0, `${last.done} cases of seed ${seed} in ${seconds} s, none failed; in use: ${heap}`);
});

function hang(): void {
  child.kill("SIGKILL");
  end(1, `nothing for ${HANGS / 1000} s after ${last.done} cases of seed ${seed}`);
}

function end(code: number, text: string): void {
  say(text);
  process.exit(code);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
