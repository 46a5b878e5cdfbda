import { join } from "node:path";
import { isVersion } from "@touchmark/core";
import type { Lockfile } from "./lockfile.ts";
import type { NpmArguments } from "./npm-arguments.ts";
import { readIfThere } from "./project-files.ts";

/**
 * The npm commands that run the scripts which were held back, in their order: those of the dependencies by `npm rebuild`, which keeps to npm's own rules
 * (`allowScripts` in npm 12), then the project's own. Dependencies are named one by one, with their versions: a rebuild of everything would, in npm 10 and 11,
 * run the project's scripts too, even after `npm install <package>`.
 *
 * The project's `preinstall` comes after the dependencies' scripts, as in npm 10 and 11; npm 12 runs it first.
 */
export function scriptCommands(args: NpmArguments, project: string, installed: Lockfile): string[][] {
  const commands: string[][] = [];
  const specs = rebuiltPackages(installed);
  if (specs.length > 0) commands.push(["rebuild", ...args.options, "--", ...specs]);
  const ofProject = args.command === "ci" || (args.command === "install" && args.specs.length === 0);
  const shared = args.options.filter((option) => /^--(?:loglevel|ignore-scripts)=/.test(option));
  for (const event of ofProject ? projectEvents(project) : []) commands.push(["run", event, ...shared]);
  return commands;
}

function rebuiltPackages({ packages }: Lockfile): string[] {
  const specs = new Set<string>();
  for (const { kind, hasInstallScript, paths, version } of packages) {
    const isLink = kind === "link" || kind === "file"; // npm notes no scripts of theirs, and runs `prepare` too
    if (kind === "bundled" || kind === "workspace" || !(hasInstallScript || isLink)) continue;
    for (const path of paths) {
      const at = path.lastIndexOf("node_modules/");
      if (at < 0) continue;
      const name = path.slice(at + "node_modules/".length);
      specs.add(version !== undefined && isVersion(version) ? `${name}@${version}` : name);
    }
  }
  return [...specs];
}

/** `npm run` runs an event's `pre` and `post` with it, but only if the event itself has a script. */
function projectEvents(project: string): string[] {
  const scripts = scriptsOf(project);
  const group = (event: string): string[] => {
    const all = [`pre${event}`, event, `post${event}`];
    return scripts.has(event) ? [event] : all.filter((name) => scripts.has(name));
  };
  return [...group("install"), ...["prepublish"].filter((name) => scripts.has(name)), ...group("prepare")];
}

function scriptsOf(project: string): ReadonlySet<string> {
  const bytes = readIfThere(join(project, "package.json"));
  if (!bytes) return new Set();
  const { scripts } = JSON.parse(bytes.toString("utf8").replace(/^\ufeff/, "")) as { scripts?: Record<string, string> };
  return new Set(Object.keys(scripts ?? {}));
}
