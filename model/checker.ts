import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Spin makes a C program of a model that walks through every state that the model can reach; the C compiler makes it run.

export interface Model {
  name: string;
  variants: string[];
  switches: Switch[];
}

/** One thing that a run may turn: a guard that is taken out, or an end that is called impossible. Either has to be found. */
export interface Switch {
  kind: "guard" | "goal";
  number: number;
  description: string;
}

/** A model made into a program. */
export interface Checker {
  model: Model;
  variant: string;
  folder: string;
}

export interface Outcome {
  states: number;
  /** What was violated, as the checker says it; null if every state was looked at and nothing was. */
  violation: string | null;
}

const SWITCHES = "switches.h";
/** No run needs more: beyond it the checker gives up, and that is a failure. */
const MAX_MEGABYTES = 512;
const MAX_DEPTH = 100_000;

/** Why the models can't be checked on this machine; undefined if they can. */
export function missingSpin(): string | undefined {
  if (spawnSync("spin", ["-V"]).status !== 0) return "spin is not installed (Debian: apt install spin)";
  if (spawnSync("cc", ["--version"]).status !== 0) return "there is no C compiler (Debian: apt install gcc libc6-dev)";
  return undefined;
}

/** Reads from a model's own text what there is to run: its `variants:` line, and its M_ and R_ lines. */
export function readModel(name: string): Model {
  const text = readFileSync(join(import.meta.dirname, `${name}.pml`), "utf8");
  const variants = /^ \* variants: (.*)$/m.exec(text)?.[1]?.split(" ");
  if (!variants) throw new Error(`${name}.pml has no line "variants:"`);
  const lines = text.matchAll(/^#define ([MR])_\w+ (\d+) \/\* (.*) \*\/$/gm);
  const switches = [...lines].map(([, kind, number, description]): Switch => ({
    kind: kind === "M" ? "guard" : "goal",
    number: Number(number),
    description: description!,
  }));
  return { name, variants, switches };
}

export async function buildChecker(model: Model, variant: string): Promise<Checker> {
  const folder = mkdtempSync(join(tmpdir(), `touchmark-${model.name}-`));
  for (const file of [`${model.name}.pml`, SWITCHES]) copyFileSync(join(import.meta.dirname, file), join(folder, file));
  const made = await run("spin", [`-D${variant}`, "-a", `${model.name}.pml`], folder);
  if (made.exit !== 0 || /error/i.test(made.output)) throw new Error(`spin refuses ${model.name}.pml: ${made.output}`);
  const flags = ["-O1", "-w", "-DSAFETY", `-DMEMLIM=${MAX_MEGABYTES}`];
  const compiled = await run("cc", [...flags, "-o", "pan", "pan.c"], folder);
  if (compiled.exit !== 0) throw new Error(`${model.name}.pml does not compile: ${compiled.output}`);
  return { model, variant, folder };
}

/** Looks at every state. Throws if it could not look at all of them. */
export async function runChecker(checker: Checker, setting: { number: number; watched: boolean }): Promise<Outcome> {
  const env = { SWITCH: String(setting.number), WATCHED: setting.watched ? "1" : "0" };
  const { output } = await run("./pan", [`-m${MAX_DEPTH}`, "-w18"], checker.folder, env);
  const states = /^ *(\d+) states, stored/m.exec(output)?.[1];
  const errors = /errors: (\d+)/.exec(output)?.[1];
  if (states === undefined || errors === undefined || /max search depth too small|out of memory/.test(output))
    throw new Error(`${checker.model.name} (${checker.variant}) was not checked to its end: ${output}`);
  if (errors === "0") return { states: Number(states), violation: null };
  return { states: Number(states), violation: /^pan:\d*:? ?(.*) \(at depth \d+\)/m.exec(output)?.[1] ?? output };
}

/** The steps that led to what a run has just found, one a line. */
export async function readTrail(checker: Checker, setting: { number: number; watched: boolean }): Promise<string> {
  const env = { SWITCH: String(setting.number), WATCHED: setting.watched ? "1" : "0" };
  return (await run("./pan", ["-r"], checker.folder, env)).output;
}

export function removeChecker(checker: Checker): void {
  rmSync(checker.folder, { recursive: true, force: true });
}

function run(
  program: string,
  args: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ exit: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const add = (piece: Buffer): void => {
      output += piece.toString("utf8");
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.once("error", reject);
    child.once("close", (exit) => resolve({ exit, output }));
  });
}
