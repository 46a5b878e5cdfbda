import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CliError } from "./error.ts";

const TIME_OUT = 30_000;

/** A value of npm's configuration, as npm itself says it. Throws `NPM_UNAVAILABLE`. */
export async function npmConfig(key: string): Promise<string> {
  try {
    // On Windows npm is a script of the shell; the key is ours, never foreign.
    const shell = process.platform === "win32";
    const { stdout } = await promisify(execFile)("npm", ["config", "get", key], { timeout: TIME_OUT, shell });
    return stdout.trim();
  } catch (cause) {
    throw new CliError(
      "NPM_UNAVAILABLE",
      "npm could not be asked for its configuration.",
      "Name the registry with --registry NAME=URL.",
      cause,
    );
  }
}
