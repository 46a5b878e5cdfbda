import { cleanText, isObject, type Json } from "@touchmark/core";
import { VerifyError } from "../errors.ts";
import { runProcess, type NpmProgram } from "./npm-process.ts";

/** What npm's own configuration comes to (project, user, global and environment). */
export interface NpmSettings {
  /** The directory that npm works in, which may be above the current one. */
  project: string;
  registry: string;
  /** Scope, `@` included, to its registry. */
  scopes: ReadonlyMap<string, string>;
  /** The .npmrc files, in order of precedence. */
  files: string[];
  ignoreScripts: boolean;
  packageLockOnly: boolean;
  dryRun: boolean;
  /** False if npm neither reads nor writes a lockfile (but for `npm ci`). */
  packageLock: boolean;
  /** Names of all settings that this npm has. */
  known: ReadonlySet<string>;
}

/** Asks npm itself. Throws `NPM_UNAVAILABLE`, `NPM_SETTING`. */
export async function readNpmSettings(npm: NpmProgram, cwd: string, env: NodeJS.ProcessEnv): Promise<NpmSettings> {
  const [list, prefix] = await Promise.all([
    ask(npm, ["config", "list", "--json"], cwd, env),
    ask(npm, ["prefix"], cwd, env),
  ]);
  const settings = parseSettings(list);
  const text = (name: string): string => (typeof settings[name] === "string" ? settings[name] : "");
  const strategy = text("install-strategy");
  if (strategy === "linked") {
    throw new VerifyError(
      "NPM_SETTING",
      "npm's install-strategy is linked, and such a tree can't be compared with the lockfile yet.",
      "Use hoisted or nested.",
    );
  }
  if (settings["global"] === true || settings["location"] === "global") {
    throw new VerifyError(
      "NPM_SETTING",
      "npm is set to install globally.",
      "Remove global and location from .npmrc and the environment.",
    );
  }
  const scopes = Object.entries(settings).flatMap(([key, value]): [string, string][] =>
    /^@[^/]+:registry$/.test(key) && typeof value === "string" ? [[key.slice(0, -":registry".length), value]] : [],
  );
  const project = prefix.trim();
  return {
    project,
    registry: text("registry"),
    scopes: new Map(scopes),
    files: [`${project}/.npmrc`, text("userconfig"), text("globalconfig")],
    ignoreScripts: settings["ignore-scripts"] === true,
    packageLockOnly: settings["package-lock-only"] === true,
    dryRun: settings["dry-run"] === true,
    packageLock: settings["package-lock"] !== false,
    known: new Set(Object.keys(settings)),
  };
}

async function ask(npm: NpmProgram, args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const out: Uint8Array[] = [];
  const errors: Uint8Array[] = [];
  const code = await runProcess(npm, {
    args,
    cwd,
    env,
    stdout: (piece) => out.push(piece),
    stderr: (piece) => errors.push(piece),
  });
  if (code !== 0) {
    if (Buffer.concat(errors).includes("ENOWORKSPACES")) {
      throw new VerifyError(
        "NPM_SETTING",
        "This folder is a workspace, and the policy and the lockfile are those of the whole project.",
        "Run it in the project's own folder, with -w and the workspace's name.",
      );
    }
    const said = cleanText(Buffer.concat(errors).toString("utf8").trim().replaceAll("\n", " "), 300);
    throw new VerifyError("NPM_SETTING", `npm ${args[0]} failed: ${said}`, "Mend npm's configuration.");
  }
  return Buffer.concat(out).toString("utf8");
}

function parseSettings(text: string): Record<string, Json> {
  try {
    const settings = JSON.parse(text) as Json;
    if (isObject(settings)) return settings;
  } catch (cause) {
    throw new VerifyError("NPM_SETTING", "npm's configuration can't be read.", "", cause);
  }
  throw new VerifyError("NPM_SETTING", "npm's configuration can't be read.");
}
