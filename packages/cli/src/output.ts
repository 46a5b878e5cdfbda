import { fstatSync, writeSync } from "node:fs";

/** Standard output or standard error of the process. */
export interface Output {
  readonly write: (text: string | Uint8Array) => void;
  readonly isTerminal: boolean;
  /** Whether all that was written has left the process. */
  readonly isDrained: boolean;
}

/**
 * Files and pipes are written to directly: the stream that Node has for each is set up when it is first looked at, and takes as long as a
 * quarter of what `touchmark verify` does. Terminals, Windows, and whatever doesn't take all that it is given, get the stream.
 */
export function processOutput(name: "stdout" | "stderr"): Output {
  const fd = name === "stdout" ? 1 : 2;
  const plain = isFileOrPipe(fd);
  let direct = plain;
  return {
    write: (text) => {
      const bytes = typeof text === "string" ? Buffer.from(text) : text;
      const written = direct ? writeDirectly(fd, bytes) : 0;
      direct &&= written === bytes.length; // once given up, for good, so that what comes later stays behind
      if (!direct) process[name].write(bytes.subarray(written));
    },
    get isTerminal() {
      return !plain && process[name].isTTY;
    },
    get isDrained() {
      return direct;
    },
  };
}

function isFileOrPipe(fd: number): boolean {
  if (process.platform === "win32") return false;
  try {
    const status = fstatSync(fd);
    return status.isFile() || status.isFIFO() || status.isSocket();
  } catch {
    return false;
  }
}

/** How many bytes were taken. */
function writeDirectly(fd: number, bytes: Uint8Array): number {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written);
  } catch {
    // A pipe that is full for now, or gone: the stream knows what to do about either, and says so.
  }
  return written;
}
