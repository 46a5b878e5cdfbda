import { randomBytes } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";

const IN_MEMORY = 4 * 2 ** 20;

/** Bytes that are held back until they have been judged: in memory while they are few, else in a file that only this process can open. */
export interface Spool {
  write(piece: Uint8Array): Promise<void>;
  size(): number;
  read(): Readable;
  dispose(): Promise<void>;
}

/** `directory` must be the caller's own and readable by nobody else. */
export function createSpool(directory: string): Spool {
  const path = join(directory, randomBytes(16).toString("hex"));
  let pieces: Uint8Array[] = [];
  let file: FileHandle | undefined;
  let size = 0;
  return {
    async write(piece) {
      size += piece.length;
      pieces.push(piece);
      if (size <= IN_MEMORY) return;
      file ??= await open(path, "wx+", 0o600);
      for (const waiting of pieces.splice(0)) await file.writeFile(waiting);
    },
    size: () => size,
    read: () =>
      file ? file.createReadStream({ start: 0, autoClose: false }) : Readable.from(pieces, { objectMode: false }),
    async dispose() {
      pieces = [];
      if (!file) return;
      await file.close();
      await rm(path, { force: true });
    },
  };
}
