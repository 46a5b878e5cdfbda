import { execFile } from "node:child_process";
import { promisify } from "node:util";

const TIME_OUT = 5000;

/** A value of git's configuration, as git itself says it; undefined where it isn't set, or git isn't there. */
export async function gitConfig(key: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("git", ["config", "--get", key], { timeout: TIME_OUT });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
