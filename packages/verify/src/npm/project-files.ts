import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanText } from "@touchmark/core";
import { VerifyError } from "../errors.ts";

/** Files as they were before the client started. */
export interface ProjectFiles {
  /** Puts every file back that has changed since, and removes those that weren't there. Returns their paths. */
  restore(): string[];
}

const MAX_BYTES = 64 * 2 ** 20; // [C-15]

/** npm goes by the first of these that is there. */
const LOCKFILES = ["npm-shrinkwrap.json", "package-lock.json"] as const;

/** The lockfile that npm would go by. */
export function readLockfile(project: string): { name: string; bytes: Buffer } | undefined {
  for (const name of LOCKFILES) {
    const bytes = readIfThere(join(project, name));
    if (bytes) return { name, bytes };
  }
  return undefined;
}

/** `workspaces`: paths of the project's workspaces, whose package.json npm may change as well. */
export function keepProjectFiles(project: string, workspaces: readonly string[]): ProjectFiles {
  const paths = [...LOCKFILES, "package.json", ...workspaces.map((path) => `${path}/package.json`)];
  const kept = paths.map((path) => ({ path, file: join(project, path), before: readIfThere(join(project, path)) }));
  return {
    restore() {
      const changed = kept.filter(({ file, before }) => {
        const now = readIfThere(file);
        return before ? !now?.equals(before) : now !== undefined;
      });
      for (const { file, before } of changed) {
        if (before) writeFileSync(file, before);
        else rmSync(file);
      }
      return changed.map(({ path }) => path);
    },
  };
}

/** Throws `LOCKFILE_TOO_LARGE` for what is no plain file, a device without end among them, or too large to be one of npm's [C-15]. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > MAX_BYTES)
      throw new VerifyError("LOCKFILE_TOO_LARGE", `${cleanText(file, 200)} is no plain file of at most 64 MiB.`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw error;
  }
}
