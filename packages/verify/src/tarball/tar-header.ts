import { Header } from "tar/header";
import { VerifyError } from "../errors.ts";

export type EntryKind =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "pax"
  | "globalPax"
  | "longPath"
  | "longLinkPath";

export interface TarHeader {
  kind: EntryKind;
  path: string;
  linkPath: string;
  /** Bytes of the body that follows. */
  size: number;
}

export const BLOCK = 512;

const KINDS = new Map<string, EntryKind>([
  ["0", "file"],
  ["\0", "file"],
  ["1", "hardlink"],
  ["2", "symlink"],
  ["5", "directory"],
  ["x", "pax"],
  ["g", "globalPax"],
  ["L", "longPath"],
  ["K", "longLinkPath"],
]);

/**
 * Reads one header block strictly (POSIX ustar, GNU and the v7 form before them). The reading must also be that of the parser inside npm:
 * a block that two parsers read differently is refused. Throws `TARBALL_MALFORMED`, `TARBALL_ENTRY_TYPE`.
 */
export function parseTarHeader(block: Buffer): TarHeader {
  const sum = octal(block, 148, 8, "checksum");
  if (sum !== checksum(block)) throw malformed("a header's checksum is wrong");
  const type = String.fromCharCode(block[156]!);
  const kind = KINDS.get(type);
  if (!kind) {
    throw new VerifyError(
      "TARBALL_ENTRY_TYPE",
      `The tarball is refused: it holds an entry of type ${JSON.stringify(type)}, which is no file, directory or link.`,
    );
  }
  const header = { kind, path: pathOf(block), linkPath: text(block, 157, 100), size: octal(block, 124, 12, "size") };
  if (kind === "file" && header.path.endsWith("/")) header.kind = "directory"; // as tar did before it knew directories
  if (header.size > 0 && ["directory", "symlink", "hardlink"].includes(header.kind)) {
    throw malformed(`a ${header.kind} has a body`);
  }
  compareWithNpm(block, header);
  return header;
}

/** Whether the block marks the end of the archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function compareWithNpm(block: Buffer, header: TarHeader): void {
  const theirs = new Header(block, 0);
  const sameLink = header.kind !== "symlink" && header.kind !== "hardlink" ? true : theirs.linkpath === header.linkPath;
  if (!theirs.cksumValid || theirs.path !== header.path || theirs.size !== header.size || !sameLink) {
    throw malformed("two programs would read one of its headers differently");
  }
}

function pathOf(block: Buffer): string {
  const name = text(block, 0, 100);
  if (block.toString("latin1", 257, 265) !== "ustar\u000000") return name; // GNU and v7 have no prefix
  const prefix = text(block, 345, 155);
  return prefix === "" ? name : `${prefix}/${name}`;
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const zero = field.indexOf(0);
  return field.toString("utf8", 0, zero < 0 ? length : zero);
}

/** Octal digits, after spaces and before spaces or zero bytes. The base-256 form is only for sizes far over any limit. */
function octal(block: Buffer, start: number, length: number, what: string): number {
  const match = /^ *([0-7]+)[ \0]*$/.exec(block.toString("latin1", start, start + length));
  if (!match) throw malformed(`a header's ${what} is not an octal number`);
  return Number.parseInt(match[1]!, 8);
}

function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) {
    if (i < 148 || i >= 156) sum += block[i]!;
  }
  return sum;
}

function malformed(what: string): VerifyError {
  return new VerifyError("TARBALL_MALFORMED", `The tarball is refused: ${what}.`);
}
