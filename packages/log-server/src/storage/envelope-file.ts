/**
 * Envelopes one after another in a file, whose places the database knows: in its rows each would be written twice, the first time to the write-ahead log.
 * Trust assumption: what was forced to the disk stays; whoever reads an envelope compares its hash.
 */
import { close, constants, fdatasync, fstatSync, fsyncSync, openSync, closeSync, read, write } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { LogServerError } from "../error.ts";

export type EnvelopeFile = {
  /** Puts these from this place on, over whatever is there, onto stable storage. */
  readonly write: (envelopes: readonly Uint8Array[], at: number) => Promise<void>;
  /** Throws `STORE_DAMAGED` if they are not all there. */
  readonly read: (at: number, length: number) => Promise<Uint8Array>;
  readonly close: () => Promise<void>;
};

const readPart = promisify(read);
const writePart = promisify(write);
const flushFile = promisify(fdatasync);
const closeFile = promisify(close);

/** Opens the file, or makes it if it is to be empty, for one process alone. Throws `STORE_DAMAGED` if it does not have as many bytes as were forced to the disk, what opening throws if it is not there. */
export function openEnvelopeFile(path: string, length: number): EnvelopeFile {
  const file = openSync(path, constants.O_RDWR | (length === 0 ? constants.O_CREAT : 0), 0o644);
  const { size } = fstatSync(file);
  if (size < length) {
    closeSync(file);
    throw new LogServerError(
      "STORE_DAMAGED",
      "Envelopes are missing from the log's folder.",
      "Restore it from a backup.",
    );
  }
  if (size === 0) flushName(path);
  return {
    write: async (envelopes, at) => {
      if (envelopes.length === 0) return;
      const bytes = Buffer.concat(envelopes);
      for (let done = 0; done < bytes.length;)
        done += (await writePart(file, bytes, done, bytes.length - done, at + done)).bytesWritten;
      await flushFile(file);
    },
    read: async (at, wanted) => {
      const bytes = Buffer.alloc(wanted);
      for (let done = 0; done < wanted;) {
        const { bytesRead } = await readPart(file, bytes, done, wanted - done, at + done);
        if (bytesRead === 0) throw new LogServerError("STORE_DAMAGED", "An envelope is missing from the log's folder.");
        done += bytesRead;
      }
      return bytes;
    },
    close: () => closeFile(file),
  };
}

/** The name of a new file is an entry of its folder. */
function flushName(path: string): void {
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
