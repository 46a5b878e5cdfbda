import { cleanText, isPackageName } from "@touchmark/core";
import { VerifyError } from "../errors.ts";

export type NpmCommand = "ci" | "install" | "update" | "uninstall" | "dedupe";

/** What the user asked of npm, understood: whatever is handed on to npm is written anew from this. */
export interface NpmArguments {
  command: NpmCommand;
  /** Canonical, each `--name=value`. */
  options: string[];
  /** Packages named on the command line. */
  specs: string[];
  /** Undefined if the command line doesn't say; npm's settings then do. */
  ignoreScripts: boolean | undefined;
  packageLockOnly: boolean | undefined;
  dryRun: boolean | undefined;
  /** Names of the options given. */
  given: ReadonlySet<string>;
}

export type SpecSource = "registry" | "git" | "remote" | "file";

const COMMANDS = new Map<string, NpmCommand>(
  Object.entries({
    ci: ["clean-install", "ic", "install-clean", "isntall-clean"],
    install: ["i", "add", "in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall"],
    update: ["u", "up", "upgrade", "udpate"],
    uninstall: ["un", "unlink", "remove", "rm", "r"],
    dedupe: ["ddp"],
  } satisfies Record<NpmCommand, string[]>).flatMap(([command, aliases]) =>
    [command, ...aliases].map((alias): [string, NpmCommand] => [alias, command as NpmCommand]),
  ),
);

// Only what is known not to lead npm past the gate. The rest belongs into .npmrc, where what matters is overridden.
const FLAGS = new Set(
  `audit bin-links dangerously-allow-all-scripts dry-run engine-strict force foreground-scripts fund ignore-scripts
   include-workspace-root install-links json legacy-peer-deps offline package-lock-only prefer-dedupe prefer-offline prefer-online progress
   save save-bundle save-dev save-exact save-optional save-peer save-prod strict-allow-scripts strict-peer-deps workspaces`.split(
    /\s+/,
  ),
);
const VALUES = new Set(
  "allow-scripts before cpu include libc loglevel min-release-age omit os save-prefix tag workspace".split(" "),
);
const SHORT: Readonly<Record<string, string>> = {
  B: "--save-bundle=true",
  D: "--save-dev=true",
  E: "--save-exact=true",
  O: "--save-optional=true",
  P: "--save-prod=true",
  S: "--save=true",
  d: "--loglevel=info",
  f: "--force=true",
  q: "--loglevel=warn",
  s: "--loglevel=silent",
};
const LONG: Readonly<Record<string, string>> = {
  "-ws": "--workspaces=true",
  "-iwr": "--include-workspace-root=true",
  "-dd": "--loglevel=verbose",
  "-ddd": "--loglevel=silly",
  "--silent": "--loglevel=silent",
  "--quiet": "--loglevel=warn",
  "--verbose": "--loglevel=verbose",
};

/**
 * Reads npm's command line. Options are an allow-list: what isn't on it, or is only abbreviated, is refused with a word on why
 * (`--registry`, `--cache`, `--global`, `--prefix`, `--userconfig`, `--script-shell` and the like would go around the gate). Throws `NPM_ARGUMENT`.
 */
export function parseNpmArguments(argv: readonly string[]): NpmArguments {
  const [first = "", ...rest] = argv;
  const command = COMMANDS.get(first);
  if (!command) {
    throw wrong(
      `npm ${shown(first)} does not run behind the gate`,
      `These do: npm ${[...new Set(COMMANDS.values())].join(", npm ")}.`,
    );
  }
  const options: [string, string][] = [];
  const specs: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const argument = rest[i]!;
    if (argument === "--") {
      specs.push(...rest.slice(i + 1));
      break;
    }
    if (!argument.startsWith("-")) {
      specs.push(argument);
      continue;
    }
    if (!argument.startsWith("--") && !(argument in LONG)) {
      if (argument === "-w") options.push(["workspace", valueOf(argument, rest[++i])]);
      else options.push(...shortOptions(argument));
      continue;
    }
    const [name, value, taken] = longOption(LONG[argument] ?? argument, rest[i + 1]);
    options.push([name, value]);
    if (taken) i++;
  }
  const last = (name: string): boolean | undefined => {
    const value = options.findLast(([given]) => given === name)?.[1];
    return value === undefined ? undefined : value === "true";
  };
  return {
    command,
    options: options.map(([name, value]) => `--${name}=${value}`),
    specs,
    ignoreScripts: last("ignore-scripts"),
    packageLockOnly: last("package-lock-only"),
    dryRun: last("dry-run"),
    given: new Set(options.map(([name]) => name)),
  };
}

/** Where npm would take a package named on its command line from. */
export function sourceOfSpec(spec: string): SpecSource {
  const at = spec.indexOf("@", 1);
  const name = at < 0 ? spec : spec.slice(0, at);
  const wanted = at < 0 ? "" : spec.slice(at + 1);
  if (isPackageName(name)) {
    if (wanted.startsWith("npm:")) return sourceOfSpec(wanted.slice(4));
    if (/^[\w.^~<>=|*+ -]*$/.test(wanted)) return /\.(?:tgz|tar|tar\.gz)$/i.test(wanted || name) ? "file" : "registry";
    return sourceOfAddress(wanted);
  }
  return sourceOfAddress(spec);
}

function sourceOfAddress(address: string): SpecSource {
  if (/^https?:/i.test(address) && !/\.git(?:#.*)?$/i.test(address)) return "remote";
  if (/^(?:file:|link:|[./~\\]|[A-Za-z]:[\\/])/i.test(address) || /\.(?:tgz|tar|tar\.gz)$/i.test(address))
    return "file";
  return "git"; // git:, git+ssh:, github:, and owner/repository
}

function shortOptions(argument: string): [string, string][] {
  return argument
    .slice(1)
    .split("")
    .map((letter) => {
      const long = SHORT[letter];
      if (long === undefined) throw unknown(`-${letter}`);
      return splitOption(long) as [string, string];
    });
}

function longOption(argument: string, next: string | undefined): [name: string, value: string, taken: boolean] {
  const [written, inline] = splitOption(argument);
  const negated = written.startsWith("no-") && FLAGS.has(written.slice(3));
  const name = negated ? written.slice(3) : written;
  if (VALUES.has(name)) return [name, inline ?? valueOf(argument, next), inline === undefined];
  if (!FLAGS.has(name)) throw unknown(`--${written}`);
  const taken = inline === undefined && (next === "true" || next === "false");
  const value = inline ?? (taken ? next : "true");
  if (value !== "true" && value !== "false") throw wrong(`--${name} is either true or false`, "");
  return [name, String((value === "true") !== negated), taken];
}

function splitOption(argument: string): [string, string | undefined] {
  const equals = argument.indexOf("=");
  return equals < 0 ? [argument.slice(2), undefined] : [argument.slice(2, equals), argument.slice(equals + 1)];
}

function valueOf(option: string, next: string | undefined): string {
  if (next === undefined || next.startsWith("-")) throw wrong(`${shown(option)} wants a value`, "");
  return next;
}

function unknown(option: string): VerifyError {
  return wrong(
    `npm's option ${shown(option)} is not passed on, since it is not known to keep npm behind the gate`,
    "Settings of registries belong into .npmrc; for anything else leave the option out, and write option names in full.",
  );
}

function wrong(what: string, hint: string): VerifyError {
  return new VerifyError("NPM_ARGUMENT", `${what}.`, hint);
}

function shown(text: string): string {
  return JSON.stringify(cleanText(text, 60));
}
