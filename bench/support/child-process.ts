import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "../figure.ts";

const REPORT = fileURLToPath(new URL("report-cpu.ts", import.meta.url));
// A certificate bundle named in the environment is read at every start, and would be measured with it.
export const ENVIRONMENT: Record<string, string | undefined> = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name !== "NODE_EXTRA_CA_CERTS" && name !== "NODE_OPTIONS"),
);

export interface Cost {
  /** Milliseconds of processor time, user and system. */
  cpu: number;
  /** Milliseconds. */
  wall: number;
}

/** Runs a node command as a process of its own and tells what it cost. Without `cpu` nothing is loaded beside the command. Throws if it fails. */
export function runNode(args: string[], cwd: string, measure: "cpu" | "wall", env: Record<string, string> = {}): Cost {
  const start = performance.now();
  const run = spawnSync(process.execPath, [...(measure === "cpu" ? ["--import", REPORT] : []), ...args], {
    cwd,
    env: { ...ENVIRONMENT, ...env, TOUCHMARK_HOME: join(cwd, ".touchmark") },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    maxBuffer: 2 ** 28,
  });
  const wall = performance.now() - start;
  if (run.status !== 0)
    throw new Error(`node ${args.join(" ")} ended with ${run.status}: ${String(run.stdout)}${String(run.stderr)}`);
  return { cpu: Number(String(run.output[3])), wall };
}

/** Medians of two commands run in turn, so that the machine's moods meet both. */
export function compareNode(
  a: string[],
  b: string[],
  { cwd, rounds, measure, env }: { cwd: string; rounds: number; measure: "cpu" | "wall"; env?: Record<string, string> },
): { a: Cost; b: Cost } {
  const costs: { a: Cost[]; b: Cost[] } = { a: [], b: [] };
  for (let round = -1; round < rounds; round++) {
    const pair = { a: runNode(a, cwd, measure, env), b: runNode(b, cwd, measure, env) };
    if (round < 0) continue; // warm-up
    costs.a.push(pair.a);
    costs.b.push(pair.b);
  }
  const middle = (list: Cost[]): Cost => ({
    cpu: median(list.map(({ cpu }) => cpu)),
    wall: median(list.map(({ wall }) => wall)),
  });
  return { a: middle(costs.a), b: middle(costs.b) };
}
