import { cleanText } from "@touchmark/core";
import { COMMON_FLAGS, type Common, usageError } from "./command.ts";
import { COMMANDS, type CommandEntry, commandHelp } from "./commands.ts";
import { explainFailure } from "./failure.ts";
import type { Io } from "./io.ts";
import { nearest } from "./nearest.ts";
import { makeUi, table } from "./ui.ts";
import { readVersion } from "./version.ts";

const MAX_SENTENCE = 4000; // a policy's faults are all named in one

/** Runs one command line (without `node` and the program's name) and gives the exit code. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return fail(error, argv, io);
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const { common, help, version, rest } = readCommonFlags(argv, io);
  const ui = common.makeUi(common.json);
  if (version) {
    const number = readVersion();
    ui.result({ ok: true, version: number }, [number]);
    return 0;
  }
  const [word, second] = rest;
  if (word === undefined || (word === "help" && second === undefined)) {
    const lines = overview();
    ui.result({ ok: true, help: lines.join("\n") }, lines);
    return word === undefined && !help ? 2 : 0;
  }
  const words = word === "help" ? rest.slice(1) : rest;
  const found = findCommand(words);
  const wantsHelp = word === "help" || help;
  if ("group" in found) {
    const lines = commandHelp(found.group);
    if (!wantsHelp && !words.some((arg) => arg === "--help" || arg === "-h"))
      throw usageError(words.join(" "), `touchmark ${words.join(" ")} needs to know what to do.`);
    ui.result({ ok: true, help: lines.join("\n") }, lines);
    return 0;
  }
  const args = wantsHelp ? ["--help"] : words.slice(found.entry.name.split(" ").length);
  const command = await found.entry.load();
  return command.start(args, { io }, common);
}

/** The flags before the command's name. */
function readCommonFlags(
  argv: readonly string[],
  io: Io,
): { common: Common; help: boolean; version: boolean; rest: readonly string[] } {
  let json = false;
  let help = false;
  let policy: string | undefined;
  let at = 0;
  for (; at < argv.length; at++) {
    const arg = argv[at]!;
    if (arg === "--json") json = true;
    else if (arg === "--help" || arg === "-h") help = true;
    else if (arg === "--version" || arg === "-v") {
      return { common: { json, policy, makeUi: (asJson) => makeUi(io, asJson) }, help, version: true, rest: [] };
    } else if (arg === "--policy") {
      policy = argv[++at];
      if (policy === undefined) throw usageError("", "--policy needs a file.");
    } else if (arg.startsWith("--policy=")) policy = arg.slice("--policy=".length);
    else if (arg.startsWith("-")) throw unknownFlag(arg);
    else break;
  }
  return {
    common: { json, policy, makeUi: (asJson) => makeUi(io, asJson) },
    help,
    version: false,
    rest: argv.slice(at),
  };
}

/** A name is one to three words; the help of a group is asked for by its first one or two. */
function findCommand(words: readonly string[]): { entry: CommandEntry } | { group: CommandEntry[] } {
  const typed = words.findIndex((word) => word.startsWith("-"));
  const leading = words.slice(0, Math.min(typed < 0 ? words.length : typed, 3));
  for (let length = leading.length; length > 0; length--) {
    const name = leading.slice(0, length).join(" ");
    const entry = COMMANDS.find((command) => command.name === name);
    if (entry) return { entry };
    const group = COMMANDS.filter((command) => command.name.startsWith(`${name} `));
    if (group.length === 0) continue;
    if (length === leading.length) return { group };
    throw noCommand(
      name,
      leading[length]!,
      group.map((command) => command.name.split(" ")[length]!),
    );
  }
  throw noCommand(
    "",
    words[0] ?? "",
    COMMANDS.map(({ name }) => name.split(" ")[0]!),
  );
}

function noCommand(group: string, typed: string, names: string[]): Error {
  const near = nearest(typed, names);
  const before = group === "" ? "" : `${group} `;
  return usageError(
    "",
    `There is no command "${before}${typed}".`,
    near === undefined ? undefined : `Did you mean ${before}${near}?`,
  );
}

function unknownFlag(arg: string): Error {
  const near = nearest(arg.replace(/^--?/, ""), [...Object.keys(COMMON_FLAGS), "version"]);
  return usageError("", `There is no flag ${arg}.`, near === undefined ? undefined : `Did you mean --${near}?`);
}

function overview(): string[] {
  return [
    "Examples:",
    ...table([
      ["  touchmark npm ci", "install, refusing what isn't signed"],
      ["  touchmark verify", "check the lockfile, offline"],
      ["  touchmark key enroll --holder alice", "enrol a security key"],
      ["  touchmark sign widget-1.0.0.tgz", "sign a release with a touch"],
    ]),
    "",
    "Usage: touchmark [--json] [--policy FILE] COMMAND …",
    "",
    "Commands:",
    ...table(COMMANDS.map(({ name, summary }) => [`  ${name}`, summary])),
    "",
    "Each command explains itself with --help. Exit codes: 0 done, 1 rejected, 2 usage, 3 could not check, 4 key or person.",
  ];
}

function fail(error: unknown, argv: readonly string[], io: Io): number {
  const { exit, code, message, hint, rule = "" } = explainFailure(error);
  const said = { code, message: cleanText(message, MAX_SENTENCE), hint: cleanText(hint, MAX_SENTENCE) };
  if (wantsJson(argv)) makeUi(io, true).result({ ok: false, error: { ...said, ...(rule === "" ? {} : { rule }) } }, []);
  else io.stderr(`error: ${said.message} [${code}]\n${said.hint === "" ? "" : `hint: ${said.hint}\n`}`);
  if (io.env["TOUCHMARK_DEBUG"] === "1" && error instanceof Error) io.stderr(`${describe(error)}\n`);
  return exit;
}

// Where the command line itself could not be read, its --json still decides the form of the answer; npm's own does not.
function wantsJson(argv: readonly string[]): boolean {
  const npm = argv.indexOf("npm");
  return (npm < 0 ? argv : argv.slice(0, npm)).includes("--json");
}

function describe(error: Error): string {
  const cause = error.cause instanceof Error && error.cause !== error ? `\ncaused by ${describe(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
