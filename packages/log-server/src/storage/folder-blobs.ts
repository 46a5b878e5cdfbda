/** Blobs as files in a folder, each written under another name, forced to the disk and moved into place. */
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Blobs, CHECKPOINT } from "./blobs.ts";

export function folderBlobs(dir: string): Blobs {
  return {
    read: (path) => readIfThere(join(dir, path)),
    write: async (blobs) => {
      for (const { path, bytes } of blobs) await writeDurably(join(dir, path), bytes);
    },
    // Not forced to the disk: the next start writes it again if it is behind or cut short.
    show: async (note) => {
      const target = join(dir, CHECKPOINT);
      await writeFile(`${target}.new`, note, { mode: 0o644 });
      await rename(`${target}.new`, target);
    },
    close: async () => undefined,
  };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Atomic and durable: another name, its bytes to the disk, its name, the folder to the disk. */
async function writeDurably(target: string, bytes: Uint8Array): Promise<void> {
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
