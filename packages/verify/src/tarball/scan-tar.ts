import { createEntryNames, type EntryNames } from "./entry-names.ts";
import { VerifyError } from "../errors.ts";
import type { TarballLimits } from "./limits.ts";
import { applyOverride, parsePax, type PaxOverrides } from "./pax.ts";
import { BLOCK, isZeroBlock, parseTarHeader, type TarHeader } from "./tar-header.ts";

export interface TarScan {
  push(content: Buffer): void;
  /** Checks that the archive was whole. */
  end(): { entries: number; packageJson: Buffer | undefined };
}

const MAX_EXTENDED = 2 ** 20;
const EXTENDED = new Set(["pax", "globalPax", "longPath", "longLinkPath"]);

interface Body {
  left: number;
  padding: number;
  /** What is kept of it. */
  pieces: Buffer[] | undefined;
  done: (bytes: Buffer) => void;
}

/**
 * Walks through a tar archive piece by piece. Keeps the root's package.json, and nothing else; memory is bounded by the names.
 * Throws `TARBALL_*`.
 */
export function scanTar(limits: TarballLimits): TarScan {
  const names = createEntryNames();
  let waiting: Buffer = Buffer.alloc(0);
  let body: Body | undefined;
  let pending: PendingOverrides = {};
  let ended = false;
  let entries = 0;
  let packageJson: Buffer | undefined;

  /** The body that follows a header. */
  const begin = (block: Buffer): Body => {
    const header = parseTarHeader(block);
    if (header.size > limits.content) throw tooLarge(`an entry claims ${header.size} bytes`);
    if (EXTENDED.has(header.kind)) return extendedBody(header, pending);
    const { path, linkPath } = resolveOverrides(header, pending);
    pending = {};
    if (++entries > limits.entries) throw tooLarge(`it has over ${limits.entries} entries`);
    const inside = addEntry(names, header, path, linkPath);
    const wanted = inside === "package.json" && header.kind === "file";
    if (wanted && header.size > limits.packageJson) throw tooLarge("its package.json is too large");
    return bodyOf(header.size, wanted, (bytes) => {
      if (wanted) packageJson = bytes;
    });
  };

  return {
    push(content) {
      let rest = waiting.length > 0 ? Buffer.concat([waiting, content]) : content;
      while (rest.length > 0) {
        if (ended) {
          if (!rest.every((byte) => byte === 0)) throw trailing();
          rest = Buffer.alloc(0);
        } else if (body) {
          rest = feed(body, rest);
          body = unfinished(body);
        } else if (rest.length < BLOCK) {
          break;
        } else {
          const block = rest.subarray(0, BLOCK);
          rest = rest.subarray(BLOCK);
          if (isZeroBlock(block)) ended = true;
          else body = unfinished(begin(block));
        }
      }
      waiting = Buffer.from(rest); // a copy, so that the piece can be freed
    },
    end() {
      if (body || waiting.length > 0) throw malformed("its tar archive ends too early");
      if (Object.keys(pending).length > 0) throw malformed("an extended header has no entry");
      return { entries, packageJson };
    },
  };
}

interface PendingOverrides {
  pax?: PaxOverrides;
  longPath?: string;
  longLinkPath?: string;
}

/** An extended header's body goes into `pending` once it is complete. */
function extendedBody(header: TarHeader, pending: PendingOverrides): Body {
  if (header.size > MAX_EXTENDED) throw tooLarge("an extended header is too large");
  return bodyOf(header.size, true, (bytes) => {
    if (header.kind === "globalPax") {
      parsePax(bytes, "global");
    } else if (header.kind === "pax") {
      if (pending.pax) throw malformed("an entry has two extended headers");
      pending.pax = parsePax(bytes, "entry");
    } else {
      const key = header.kind === "longPath" ? "longPath" : "longLinkPath";
      if (pending[key] !== undefined) throw malformed("an entry has two long names");
      pending[key] = bytes.toString("utf8").replace(/\0+$/, "");
    }
  });
}

function resolveOverrides(
  header: TarHeader,
  { pax, longPath, longLinkPath }: PendingOverrides,
): { path: string; linkPath: string } {
  if (pax?.size !== undefined && pax.size !== header.size) {
    throw new VerifyError("TARBALL_OVERRIDE", "The tarball is refused: an extended header changes an entry's size.");
  }
  if (
    (pax?.path !== undefined && longPath !== undefined) ||
    (pax?.linkPath !== undefined && longLinkPath !== undefined)
  ) {
    throw malformed("an entry has two long names");
  }
  return {
    path: applyOverride(header.path, pax?.path ?? longPath),
    linkPath: applyOverride(header.linkPath, pax?.linkPath ?? longLinkPath),
  };
}

function addEntry(names: EntryNames, header: TarHeader, path: string, linkPath: string): string {
  const { kind } = header;
  if (kind === "symlink" || kind === "hardlink") {
    const inside = names.add(path, "link");
    names.checkLink(path, linkPath, kind);
    return inside;
  }
  return names.add(path, kind === "directory" ? "directory" : "file");
}

function bodyOf(size: number, keep: boolean, done: (bytes: Buffer) => void): Body {
  return { left: size, padding: (BLOCK - (size % BLOCK)) % BLOCK, pieces: keep ? [] : undefined, done };
}

/** Takes what belongs to the body and its padding; returns the rest. */
function feed(body: Body, content: Buffer): Buffer {
  const own = content.subarray(0, body.left);
  body.left -= own.length;
  body.pieces?.push(Buffer.from(own));
  const padding = Math.min(content.length - own.length, body.left === 0 ? body.padding : 0);
  body.padding -= padding;
  return content.subarray(own.length + padding);
}

/** Hands the body over once it is complete. */
function unfinished(body: Body): Body | undefined {
  if (body.left + body.padding > 0) return body;
  body.done(Buffer.concat(body.pieces ?? []));
  return undefined;
}

function tooLarge(what: string): VerifyError {
  return new VerifyError("TARBALL_TOO_LARGE", `The tarball is refused: ${what}.`);
}

function malformed(what: string): VerifyError {
  return new VerifyError("TARBALL_MALFORMED", `The tarball is refused: ${what}.`);
}

function trailing(): VerifyError {
  return new VerifyError("TARBALL_TRAILING_DATA", "The tarball is refused: data follows the end of its tar archive.");
}
