import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { isForeign, type LockedPackage, type Lockfile } from "./lockfile.ts";

const MAX_LINKS = 40;

/**
 * The lockfile as the project on disk makes it [P-7]: a workspace or a folder of the repository that symbolic links lead out of the project, or into
 * another package, is not the repository's own and becomes `file`. Throws what the system throws.
 */
export function settleLocalFolders(lockfile: Lockfile, project: string): Lockfile {
  if (!lockfile.packages.some(isLocal)) return lockfile;
  const root = realpathSync(project);
  const settle = (locked: LockedPackage): LockedPackage => {
    if (!isLocal(locked)) return locked;
    const folders = locked.kind === "link" ? [locked.resolved ?? ""] : locked.paths;
    return folders.some((folder) => leadsAway(root, folder)) ? { ...locked, kind: "file" } : locked;
  };
  return { ...lockfile, packages: lockfile.packages.map(settle) };
}

function isLocal({ kind }: LockedPackage): boolean {
  return kind === "workspace" || kind === "link";
}

/** Follows links by hand: what they lead to may not be there yet, as a package's folder before it is installed. */
function leadsAway(root: string, folder: string): boolean {
  let rest = folder.split("/");
  let at = root;
  for (let links = 0; rest.length > 0;) {
    const next = join(at, rest[0]!);
    if (!lstatSync(next, { throwIfNoEntry: false })?.isSymbolicLink()) {
      at = next;
      rest = rest.slice(1);
      continue;
    }
    const target = relative(root, resolve(at, readlinkSync(next)));
    if (++links > MAX_LINKS || isAbsolute(target)) return true;
    rest = [...target.split(sep), ...rest.slice(1)];
    if (isForeign(rest.join("/"))) return true;
    at = root;
  }
  return false;
}
