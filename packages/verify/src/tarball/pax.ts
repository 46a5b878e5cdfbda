import { VerifyError } from "../errors.ts";

/** What an extended header may say about the entry that follows it. Everything else in one (times, owners, notes) places no byte and is not kept. */
export interface PaxOverrides {
  path?: string;
  linkPath?: string;
  size?: number;
}

const RECORD = /^([1-9]\d{0,9}) ([^=\n]+)=([^\n]*)\n$/;
const SPARSE = /^(?:GNU\.sparse\.|SCHILY\.realsize$|SUN\.holesdata$)/;

/**
 * Reads the records of a pax header (POSIX.1-2017, pax). A value with a line feed in it would be read as further records by parsers
 * that go by lines, npm's among them, and is refused. Throws `TARBALL_MALFORMED`, `TARBALL_OVERRIDE`.
 */
export function parsePax(body: Buffer, scope: "entry" | "global"): PaxOverrides {
  const overrides: PaxOverrides = {};
  const seen = new Set<string>();
  for (let at = 0; at < body.length;) {
    const length = Number.parseInt(body.toString("latin1", at, at + 11), 10);
    const [record, digits, key, value] = RECORD.exec(body.toString("utf8", at, at + length)) ?? [];
    if (record === undefined || Number(digits) !== length || Buffer.byteLength(record) !== length) {
      throw new VerifyError("TARBALL_MALFORMED", "The tarball is refused: an extended header is not well-formed.");
    }
    at += length;
    if (seen.has(key!)) throw override(`an extended header has ${JSON.stringify(key)} twice`);
    seen.add(key!);
    if (SPARSE.test(key!)) throw override("it holds a sparse file");
    if (key === "path") overrides.path = value!;
    else if (key === "linkpath") overrides.linkPath = value!;
    else if (key === "size") overrides.size = parseSize(value!);
  }
  if (scope === "global" && Object.keys(overrides).length > 0) {
    throw override("a global header changes the path or size of every entry");
  }
  return overrides;
}

/**
 * The text that counts: the override only if the plain header could not hold it (over 100 bytes, or not ASCII), which is the only reason
 * for which honest programs write one. Anything else shows one name to one program and another name to the next.
 */
export function applyOverride(plain: string, override_: string | undefined): string {
  if (override_ === undefined || override_ === plain) return plain;
  const needed = Buffer.byteLength(override_) >= 100 || /[^\x20-\x7e]/.test(override_);
  if (!needed) throw override("an extended header renames an entry that needs no other name");
  return override_;
}

function parseSize(value: string): number {
  if (!/^(?:0|[1-9]\d{0,14})$/.test(value)) throw override("an extended header has a size that is no number");
  return Number(value);
}

function override(what: string): VerifyError {
  return new VerifyError("TARBALL_OVERRIDE", `The tarball is refused: ${what}.`);
}
