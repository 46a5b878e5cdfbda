import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Io } from "../io.ts";

/** The lockfile that `--lockfile` names, else the one that npm goes by in the current folder: a shrinkwrap before a package-lock. */
export function lockfilePath(io: Io, named: string | undefined): string {
  if (named !== undefined) return resolve(io.cwd, named);
  const shrinkwrap = resolve(io.cwd, "npm-shrinkwrap.json");
  return existsSync(shrinkwrap) ? shrinkwrap : resolve(io.cwd, "package-lock.json");
}
