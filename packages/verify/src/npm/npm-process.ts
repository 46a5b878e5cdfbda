import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, relative, sep } from "node:path";
import { VerifyError } from "../errors.ts";

/** A way to start npm: a program and the arguments that come first. */
export interface NpmProgram {
  file: string;
  args: readonly string[];
}

export interface NpmProcess {
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  stdout: (text: Uint8Array) => void;
  stderr: (text: Uint8Array) => void;
  /** Ends the process when it fires. */
  signal?: AbortSignal;
}

/** `npm` on the PATH, or `path` (a program, or npm's `npm-cli.js`). Throws `NPM_UNAVAILABLE`. */
export function findNpm(
  env: NodeJS.ProcessEnv,
  path?: string,
  platform: NodeJS.Platform = process.platform,
): NpmProgram {
  const found = path ?? searchPath(env, platform);
  if (found === undefined || !existsSync(found)) {
    throw new VerifyError("NPM_UNAVAILABLE", "npm was not found.", "Install npm, or put it on the PATH.");
  }
  return found.endsWith(".js") ? { file: process.execPath, args: [found] } : { file: found, args: [] };
}

/**
 * The environment without the programs that the project's own packages bring along: what lies in a node_modules around the current folder is what is to be
 * checked, and neither npm nor the node that runs it may come from there. npm puts that folder back for the scripts that it runs.
 */
export function withoutProjectPrograms(env: NodeJS.ProcessEnv, cwd: string): NodeJS.ProcessEnv {
  const isOwn = (directory: string): boolean => {
    const path = isAbsolute(directory) ? directory : join(cwd, directory);
    const modules = path.split(sep).indexOf("node_modules");
    if (modules < 0) return false;
    const project = path.split(sep).slice(0, modules).join(sep) || sep;
    return !relative(project, cwd).startsWith("..");
  };
  const kept = Object.entries(env).map(([key, value]): [string, string | undefined] =>
    key.toUpperCase() === "PATH" && value !== undefined
      ? [
          key,
          value
            .split(delimiter)
            .filter((directory) => directory !== "" && !isOwn(directory))
            .join(delimiter),
        ]
      : [key, value],
  );
  return Object.fromEntries(kept);
}

/** Runs npm to its end. Returns its exit code; 1 if a signal ended it. Throws `NPM_UNAVAILABLE`. */
export function runProcess(npm: NpmProgram, { args, cwd, env, stdout, stderr, signal }: NpmProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(npm.file, [...npm.args, ...args], {
      cwd,
      env,
      stdio: ["inherit", "pipe", "pipe"],
      ...(signal ? { signal } : {}),
    });
    child.stdout.on("data", stdout);
    child.stderr.on("data", stderr);
    child.on("error", (cause) => {
      if (!signal?.aborted) reject(new VerifyError("NPM_UNAVAILABLE", "npm could not be started.", "", cause));
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** Windows has no program of that name but a shell script, beside which npm itself lies. */
function searchPath(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  const directories = (env["PATH"] ?? env["Path"] ?? "").split(delimiter).filter((directory) => directory !== "");
  if (platform !== "win32")
    return directories.map((directory) => join(directory, "npm")).find((file) => existsSync(file));
  const script = directories.map((directory) => join(directory, "npm.cmd")).find((file) => existsSync(file));
  return script === undefined ? undefined : join(dirname(script), "node_modules", "npm", "bin", "npm-cli.js");
}
