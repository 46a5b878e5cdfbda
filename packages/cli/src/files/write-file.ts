import { randomUUID } from "node:crypto";
import { link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes a file so that it is there whole or not at all: beside, then renamed. Throws what the system throws. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  await writeBeside(path, content, (temporary) => rename(temporary, path));
}

/** As `writeWhole`, but a file that is there already stays and the system's EEXIST is thrown. */
export async function writeNew(path: string, content: Uint8Array | string, mode = 0o666): Promise<void> {
  await writeBeside(
    path,
    content,
    async (temporary) => {
      await link(temporary, path);
      await rm(temporary);
    },
    mode,
  );
}

async function writeBeside(
  path: string,
  content: Uint8Array | string,
  finish: (temporary: string) => Promise<void>,
  mode = 0o666,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await finish(temporary);
  } catch (error) {
    await rm(temporary, { force: true });
    // The person knows nothing of the file beside.
    if (error instanceof Error && "path" in error && error.path === temporary) Object.assign(error, { path });
    throw error;
  }
}
