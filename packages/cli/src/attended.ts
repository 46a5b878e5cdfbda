import type { Io } from "./io.ts";

/** Whether somebody is there to read a warning: not in a CI job, which every CI says by the variable `CI`. */
export function isAttended({ env }: Pick<Io, "env">): boolean {
  return ["", "0", "false"].includes(env["CI"] ?? "");
}
