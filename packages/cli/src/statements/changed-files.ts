// What is shown of a change before the touch. Only tarballs that `readTarball` has accepted come here, so nothing is judged any more.
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";

export interface Changes {
  changed: number;
  added: number;
  removed: number;
  /** Files in the new one. */
  files: number;
}

const MAX_CONTENT = 256 * 2 ** 20;
const BLOCK = 512;

/** How two tarballs differ, file by file: content, kind and executable bit. null if one is too large or too odd to be compared. */
export function compareTarballs(base: Uint8Array, next: Uint8Array): Changes | null {
  const [before, after] = [listFiles(base), listFiles(next)];
  if (before === null || after === null) return null;
  const common = [...after].filter(([path]) => before.has(path));
  return {
    changed: common.filter(([path, digest]) => before.get(path) !== digest).length,
    added: after.size - common.length,
    removed: before.size - common.length,
    files: after.size,
  };
}

// Path without its first part, as every client unpacks it → digest.
function listFiles(tarball: Uint8Array): Map<string, string> | null {
  const tar = unpack(tarball);
  if (tar === null) return null;
  const files = new Map<string, string>();
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const header = tar.subarray(at, at + BLOCK);
    const size = octal(header.subarray(124, 136));
    if (size === null || at + BLOCK + size > tar.length) return null;
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === "x") {
      const records = paxRecords(content);
      if (records.has("size")) return null;
      longName = records.get("path") ?? longName;
    } else if (type === "L") longName = text(content);
    else if (type !== "g" && type !== "5") {
      const isExecutable = ((octal(header.subarray(100, 108)) ?? 0) & 0o111) !== 0;
      const kind = type === "\0" ? "0" : type;
      const about = `${kind}${isExecutable ? "x" : "-"}${text(header.subarray(157, 257))}\0`;
      const path = (longName ?? nameOf(header)).split("/").slice(1).join("/");
      files.set(path, createHash("sha256").update(about).update(content).digest("hex"));
      longName = undefined;
    } else if (type === "5") longName = undefined;
  }
  return files;
}

function unpack(tarball: Uint8Array): Buffer | null {
  try {
    return gunzipSync(tarball, { maxOutputLength: MAX_CONTENT });
  } catch {
    return null;
  }
}

function nameOf(header: Buffer): string {
  const prefix = text(header.subarray(257, 263)) === "ustar" ? text(header.subarray(345, 500)) : "";
  return `${prefix === "" ? "" : `${prefix}/`}${text(header.subarray(0, 100))}`;
}

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? bytes.length : end).toString("utf8");
}

function octal(bytes: Buffer): number | null {
  const digits = text(bytes).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : null;
}

function paxRecords(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const length = Number(content.subarray(at, space).toString("latin1"));
    if (space < 0 || !Number.isInteger(length) || length <= 0) break;
    const record = content.subarray(space + 1, at + length - 1).toString("utf8");
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}
