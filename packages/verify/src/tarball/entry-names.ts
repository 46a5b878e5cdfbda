import { posix } from "node:path";
import { cleanText } from "@touchmark/core";
import { VerifyError } from "../errors.ts";

export interface EntryNames {
  /** Checks an entry's path and that nothing else has its place. Returns the path inside the package ("" for the package's own directory). */
  add(path: string, kind: "file" | "directory" | "link"): string;
  /** Checks that a link leads nowhere outside the package. */
  checkLink(path: string, target: string, kind: "symlink" | "hardlink"): void;
}

const MAX_PATH = 4096;
const MAX_NAMES = 32 * 2 ** 20; // characters of all names together
const CONTROL = /\p{Cc}/u;

/**
 * The names in one tarball. Two entries collide if any file system would put them in one place: the same name in another case, in another
 * Unicode form, or with what Windows cuts off (a stream after a colon, dots and spaces at the end).
 * Throws `TARBALL_PATH`, `TARBALL_DUPLICATE`, `TARBALL_LINK`, `TARBALL_TOO_LARGE`.
 */
export function createEntryNames(): EntryNames {
  const leaves = new Set<string>();
  const directories = new Set<string>();
  let characters = 0;

  const claimParents = (key: string, path: string): void => {
    for (let slash = key.lastIndexOf("/"); slash > 0; slash = key.lastIndexOf("/", slash - 1)) {
      const parent = key.slice(0, slash);
      if (leaves.has(parent)) throw duplicate(path);
      if (directories.has(parent)) return;
      directories.add(parent);
    }
  };

  return {
    add(path, kind) {
      const inside = insidePackage(path, kind);
      characters += inside.length;
      if (characters > MAX_NAMES)
        throw new VerifyError("TARBALL_TOO_LARGE", "The tarball is refused: its names are too long.");
      if (inside === "") return inside;
      const key = collisionKey(inside);
      claimParents(key, path);
      if (kind === "directory") {
        if (leaves.has(key)) throw duplicate(path);
        directories.add(key);
        return inside;
      }
      if (leaves.has(key) || directories.has(key)) throw duplicate(path);
      leaves.add(key);
      return inside;
    },
    checkLink(path, target, kind) {
      // A hard link names an entry of the archive; a symbolic link is resolved from where it lies.
      const resolved = kind === "hardlink" ? target : posix.join(posix.dirname(path), target);
      const segments = resolved.split("/");
      const escapes =
        posix.isAbsolute(target) || CONTROL.test(target) || /[\\:]/.test(target) || segments.includes("..");
      if (escapes || segments.length < 2 || segments[0] !== path.split("/")[0]) {
        throw new VerifyError(
          "TARBALL_LINK",
          `The tarball is refused: ${show(path)} is a link to ${show(target)}, outside the package.`,
        );
      }
    },
  };
}

/** The path without its first segment, which every client strips. */
function insidePackage(path: string, kind: "file" | "directory" | "link"): string {
  const trimmed = kind === "directory" ? path.replace(/\/$/, "") : path;
  const segments = trimmed.split("/");
  const bad = segments.some((segment, i) => segment === "" || segment === ".." || (segment === "." && i > 0));
  if (bad || path.length > MAX_PATH || CONTROL.test(path) || path.includes("\\") || /^[A-Za-z]:/.test(path)) {
    throw new VerifyError("TARBALL_PATH", `The tarball is refused: ${show(path)} is not a path inside the package.`);
  }
  if (segments.length < 2 && kind !== "directory") {
    throw new VerifyError("TARBALL_PATH", `The tarball is refused: ${show(path)} lies beside the package's directory.`);
  }
  return segments.slice(1).join("/");
}

function collisionKey(path: string): string {
  const folded = path.normalize("NFD").toUpperCase().toLowerCase().normalize("NFD");
  return folded
    .split("/")
    .map((segment) => segment.replace(/(?<=.):.*$/, "").replace(/(?<=.)[. ]+$/, ""))
    .join("/");
}

function duplicate(path: string): VerifyError {
  return new VerifyError("TARBALL_DUPLICATE", `The tarball is refused: ${show(path)} has the place of another entry.`);
}

function show(path: string): string {
  return JSON.stringify(cleanText(path, 120));
}
