import { CliError } from "./error.ts";
import type { Io } from "./io.ts";
import { nearest } from "./nearest.ts";
import type { Ui } from "./ui.ts";

// An import would make Node set up everything else in node:util too, which takes longer than all of our own parsing.
const { parseArgs } = process.getBuiltinModule("node:util");

/** A flag of a command. `value` names what stands after it in the help; a flag without one is a switch. */
export interface Flag {
  readonly help: string;
  readonly value?: string;
  /** May be given more than once. */
  readonly many?: boolean;
}

export type Flags = Readonly<Record<string, Flag>>;

/** What was typed: text, a list, or yes and no, as the flags say. */
export type Values<F extends Flags> = {
  readonly [K in keyof F]: F[K] extends { value: string; many: true }
    ? readonly string[]
    : F[K] extends { value: string }
      ? string | undefined
      : boolean;
};

/** What every command is given beside its own arguments. */
export interface Context {
  readonly io: Io;
  readonly ui: Ui;
  readonly json: boolean;
  /** `--policy`, as typed. */
  readonly policy: string | undefined;
}

export interface CommandText<F extends Flags> {
  /** What is typed, as in `key enroll`. */
  readonly name: string;
  /** What follows the name: `FILE… [--yes]`. */
  readonly usage: string;
  /** Full command lines; shown first. */
  readonly examples: readonly string[];
  readonly about: readonly string[];
  readonly flags: F;
  /** How many arguments that are no flags. */
  readonly operands: readonly [least: number, most: number];
  /** The exit code. */
  run(values: Values<F>, operands: readonly string[], context: Context): Promise<number>;
}

/** A command, ready to be given its part of the command line. */
export interface Command {
  help(): string[];
  start(args: readonly string[], context: Omit<Context, "policy" | "ui" | "json">, common: Common): Promise<number>;
}

/** The flags that every command takes, as far as they stood before its name; and how to print, once it is known. */
export interface Common {
  readonly json: boolean;
  readonly policy: string | undefined;
  makeUi(json: boolean): Ui;
}

export const COMMON_FLAGS = {
  json: { help: "one JSON document on standard output instead of text" },
  policy: { value: "FILE", help: "the policy; touchmark.json in the current folder when left out" },
  help: { help: "this text" },
} as const;

/** Makes a command out of its description. */
export function defineCommand<const F extends Flags>(text: CommandText<F>): Command {
  const flags: Flags = { ...text.flags, ...COMMON_FLAGS };
  const help = (): string[] => helpLines(text);
  return {
    help,
    start: async (args, { io }, common) => {
      const { values, positionals } = readArguments(args, flags, text.name);
      const json = common.json || values["json"] === true;
      const ui = common.makeUi(json);
      if (values["help"] === true) {
        const lines = help();
        ui.result({ ok: true, help: lines.join("\n") }, lines);
        return 0;
      }
      checkOperands(positionals, text);
      const filled = Object.fromEntries(
        Object.entries(text.flags).map(([name, flag]) => [name, values[name] ?? emptyValue(flag)]),
      ) as Values<F>;
      const policy = typeof values["policy"] === "string" ? values["policy"] : common.policy;
      return text.run(filled, positionals, { io, ui, json, policy });
    },
  };
}

/** The error for a command line that can't be understood. */
export function usageError(command: string, message: string, hint?: string): CliError {
  return new CliError("USAGE", message, hint ?? `See: touchmark ${command} --help`.replace("  ", " "));
}

function readArguments(
  args: readonly string[],
  flags: Flags,
  command: string,
): { values: Record<string, string | boolean | (string | boolean)[] | undefined>; positionals: string[] } {
  if (args.length === 0) return { values: {}, positionals: [] };
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      { type: flag.value === undefined ? ("boolean" as const) : ("string" as const), multiple: flag.many === true },
    ]),
  );
  const known = new Set(Object.keys(flags));
  for (const arg of args) {
    if (arg === "--") break;
    if (arg === "-h") return { values: { help: true }, positionals: [] };
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || known.has(name)) continue;
    const near = nearest(name, known);
    throw usageError(
      command,
      `There is no flag --${name}.`,
      near === undefined ? undefined : `Did you mean --${near}?`,
    );
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    const [sentence = "The command line cannot be understood"] =
      cause instanceof Error ? cause.message.split(". ") : [];
    throw usageError(command, `${sentence.replaceAll(/\s+/g, " ")}.`);
  }
}

function checkOperands<F extends Flags>(operands: readonly string[], text: CommandText<F>): void {
  const [least, most] = text.operands;
  if (operands.length < least)
    throw usageError(text.name, `touchmark ${text.name} needs ${text.usage.split(" ")[0]!.replace("…", "")}.`);
  if (operands.length > most)
    throw usageError(text.name, `touchmark ${text.name} does not know what to do with "${operands[most]}".`);
}

function emptyValue(flag: Flag): false | undefined | readonly string[] {
  if (flag.many) return [];
  return flag.value === undefined ? false : undefined;
}

function helpLines<F extends Flags>(text: CommandText<F>): string[] {
  const flags: [string, Flag][] = Object.entries({ ...text.flags, ...COMMON_FLAGS });
  const names = flags.map(([name, flag]) => `--${name}${flag.value === undefined ? "" : ` ${flag.value}`}`);
  const width = Math.max(...names.map((name) => name.length));
  return [
    "Example:",
    ...text.examples.map((example) => `  ${example}`),
    "",
    `Usage: touchmark ${text.name} ${text.usage}`.trimEnd(),
    "",
    ...text.about,
    "",
    "Flags:",
    ...flags.map(([, flag], i) => `  ${names[i]!.padEnd(width)}  ${flag.help}${flag.many ? " (may be repeated)" : ""}`),
  ];
}
