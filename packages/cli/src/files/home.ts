import { join, resolve } from "node:path";
import type { Io } from "../io.ts";

/** The Touchmark home: `TOUCHMARK_HOME`, else `~/.touchmark`. */
export function touchmarkHome(io: Io): string {
  const named = io.env["TOUCHMARK_HOME"] ?? "";
  return named === "" ? join(io.homeDirectory, ".touchmark") : resolve(io.cwd, named);
}
