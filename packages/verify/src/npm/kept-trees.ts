import { lstatSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The node_modules of a project as they were before npm. */
export interface KeptTrees {
  /** Takes what npm has made so far away, and further ones out of its way: npm starts anew. */
  add(directories: readonly string[]): void;
  /** Takes away what npm has made and puts the old ones back. */
  restore(): void;
  /** Forgets the old ones. */
  drop(): void;
}

const ASIDE = ".node_modules-before-touchmark";

/**
 * Takes every node_modules out of npm's way. npm keeps what it finds there if a file in it says that it is the right thing, and nobody can tell who wrote that;
 * so everything is unpacked anew, from tarballs that were judged. `first` are the project's and its workspaces'.
 */
export function setTreesAside(first: readonly string[]): KeptTrees {
  const directories: string[] = [];
  const kept: { tree: string; aside: string }[] = [];
  const setAside = (directory: string): void => {
    directories.push(directory);
    const [tree, aside] = [join(directory, "node_modules"), join(directory, ASIDE)];
    remove(aside); // of a run that was killed
    if (!isThere(tree)) return;
    if (moveAway(tree, aside)) kept.push({ tree, aside });
    else removeTree(tree);
  };
  first.forEach(setAside);
  return {
    add(more) {
      for (const directory of directories) removeTree(join(directory, "node_modules"));
      more.forEach(setAside);
    },
    restore() {
      for (const directory of directories) removeTree(join(directory, "node_modules"));
      for (const { tree, aside } of kept) renameSync(aside, tree);
    },
    drop() {
      for (const { aside } of kept) remove(aside);
    },
  };
}

/** Removes a node_modules; one that can't be removed, as a mounted folder, is emptied. */
export function removeTree(tree: string, remove_: (path: string) => void = remove): void {
  try {
    remove_(tree);
  } catch (error) {
    if (!isHeld(error)) throw error;
    for (const name of readdirSync(tree)) remove(join(tree, name));
  }
}

/** False for what can't be moved, as a mounted folder: that is emptied, as `npm ci` does it. */
function moveAway(tree: string, aside: string): boolean {
  try {
    renameSync(tree, aside);
    return true;
  } catch (error) {
    if (isHeld(error)) return false;
    throw error;
  }
}

function isHeld(error: unknown): boolean {
  return error instanceof Error && "code" in error && ["EBUSY", "EXDEV", "EPERM"].includes(String(error.code));
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
