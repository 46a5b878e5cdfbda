import { createHash } from "node:crypto";
import { readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VerifyError } from "../errors.ts";

/**
 * Takes a project for one install: what one run checks another must not exchange meanwhile. The note of it lies in `directory`, the user's own; one whose
 * process has ended counts for nothing. Returns what gives the project back. Throws `PROJECT_BUSY` and what the system throws.
 */
export function takeTurn(directory: string, project: string): () => void {
  const digest = createHash("sha256").update(realpathSync(project)).digest("hex");
  const file = join(directory, `installing-${digest.slice(0, 32)}`);
  for (let stale = false; ; stale = true) {
    try {
      writeFileSync(file, `${process.pid} ${startOf(process.pid)}`, { flag: "wx", mode: 0o600 });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const [pid, start = ""] = readFileSync(file, "utf8").split(" ");
    if (stale || isRunning(Number(pid), start)) {
      throw new VerifyError(
        "PROJECT_BUSY",
        `Another touchmark npm, process ${pid}, is installing in this project.`,
        `Wait until it has ended. If there is none, remove ${file}`,
      );
    }
    rmSync(file, { force: true });
  }
}

// Numbers come again, and soon in containers that keep the user's folder; when a process began does not.
function isRunning(pid: number, start: string): boolean {
  if (!(pid > 0) || start !== startOf(pid)) return false; // an empty note is what a full disk left of one
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When a process began, in ticks since the machine did; empty where the system doesn't say. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
