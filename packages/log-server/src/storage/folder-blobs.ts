/** Blobs as files in a folder, each written under another name, forced to the disk and moved into place. */
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Blobs, CHECKPOINT } from "./blobs.ts";
import { namedIfFull } from "./full-disk.ts";

const AT_ONCE = 32;

export function folderBlobs(dir: string): Blobs {
  return {
    read: (path) => readIfThere(join(dir, path)),
    write: async (blobs) => {
      const files = [...new Map(blobs.map(({ path, bytes }) => [join(dir, path), bytes]))];
      try {
        for (let at = 0; at < files.length; at += AT_ONCE) await writeDurably(files.slice(at, at + AT_ONCE));
      } catch (error) {
        throw namedIfFull(error);
      }
    },
    // Not forced to the disk: the next start writes it again if it is behind or cut short.
    show: async (note) => {
      const target = join(dir, CHECKPOINT);
      try {
        await writeFile(`${target}.new`, note, { mode: 0o644 });
        await rename(`${target}.new`, target);
      } catch (error) {
        throw namedIfFull(error);
      }
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

/** Each atomic, all durable: other names, their bytes to the disk, their names, the folders to the disk. The disk is waited for once for all of a step. */
async function writeDurably(files: readonly (readonly [path: string, bytes: Uint8Array])[]): Promise<void> {
  const changed = new Set<string>();
  for (const folder of new Set(files.map(([path]) => dirname(path)))) {
    changed.add(folder);
    const made = await mkdir(folder, { recursive: true });
    // New folders are entries of their parents.
    if (made !== undefined) for (let at = folder; at !== dirname(made); at = dirname(at)) changed.add(dirname(at));
  }
  await all(files.map(([path, bytes]) => writeNew(`${path}.new`, bytes)));
  for (const [path] of files) await rename(`${path}.new`, path);
  await all([...changed].map(syncFolder));
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "w", 0o644);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Waits for all of them even if one fails: none is under way when this throws. */
async function all(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
