/** The files beside the database: full tiles, written once, and the published checkpoint. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Tile, tilePath } from "@touchmark/log";
import type { FullTile } from "./tree.ts";

/** Name of the published checkpoint's file, as `tlog-tiles` wants it. */
export const CHECKPOINT = "checkpoint";

/** Shows a checkpoint that is durable in the database already. The file is not forced to the disk: the next start writes it again if it is behind or cut short. */
export function publishCheckpoint(dir: string, note: string): void {
  const target = join(dir, CHECKPOINT);
  writeFileSync(`${target}.new`, note, { mode: 0o644 });
  renameSync(`${target}.new`, target);
}

/** Writes the tiles, all of them onto the disk or an error. A file that is there already is replaced: it was never part of a signed tree. */
export async function writeTiles(dir: string, tiles: readonly FullTile[]): Promise<void> {
  for (const { tile, bytes } of tiles) await writeDurably(dir, tilePath(tile), bytes);
}

/** The bytes of a full tile, or `undefined` if there is no such file. */
export function readTileFile(dir: string, tile: Tile): Uint8Array | undefined {
  return readIfThere(join(dir, tilePath(tile)));
}

export function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts a file in place atomically and durably: another name, its bytes to the disk, its name, the folder to the disk. */
async function writeDurably(dir: string, path: string, bytes: Uint8Array): Promise<void> {
  const target = join(dir, path);
  const folder = dirname(target);
  const made = await mkdir(folder, { recursive: true });
  const temporary = `${target}.new`;
  const file = await open(temporary, "w", 0o644);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, target);
  await syncFolder(folder);
  if (made === undefined) return;
  // New folders are entries of their parents.
  for (let at = folder; at !== dirname(made); at = dirname(at)) await syncFolder(dirname(at));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
