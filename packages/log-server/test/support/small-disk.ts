/** A disk that is small, and can be filled to the last page: a file system in memory. */
import { execFileSync } from "node:child_process";
import { appendFileSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./log.ts";

export type SmallDisk = {
  readonly dir: string;
  /** Leaves room for so many pages of 4 KiB, none if left out. */
  readonly fill: (pages?: number) => void;
  /** What `fill` wrote is gone. */
  readonly makeRoom: () => void;
  readonly remove: () => void;
};

/** Of so many MiB; `undefined` where this user may not mount one. */
export function mountSmallDisk(size: number): SmallDisk | undefined {
  const { dir, remove } = temporaryFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}m`, "none", dir], { stdio: "ignore" });
  } catch {
    remove();
    return undefined;
  }
  const ballast = join(dir, "ballast");
  return {
    dir,
    fill: (pages = 0) => {
      const { bavail, bsize } = statfsSync(dir);
      appendFileSync(ballast, new Uint8Array(bavail * bsize - pages * 4096));
    },
    makeRoom: () => rmSync(ballast, { force: true }),
    remove: () => {
      execFileSync("umount", [dir]);
      remove();
    },
  };
}
