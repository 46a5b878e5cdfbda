/** C2SP tlog-tiles (https://c2sp.org/tlog-tiles): which tiles a tree has, what they are called, what is in them. */
import { copyBytes } from "./bytes.ts";
import { LogError } from "./error.ts";

/** Hashes or entries in a full tile. */
export const TILE_WIDTH = 256;
const MAX_LEVEL = 63;
const MAX_ENTRY_BYTES = 0xffff;

/** A tile of hashes, or with level `"entries"` a bundle of entries. `width` is 1 to 256; below 256 the tile is partial. */
export type Tile = { readonly level: number | "entries"; readonly index: number; readonly width: number };

/** The path below the log's address, for example `tile/0/x001/x234/067.p/8`. */
export function tilePath(tile: Tile): string {
  const partial = tile.width === TILE_WIDTH ? "" : `.p/${tile.width}`;
  return `tile/${tile.level}/${tileIndexPath(tile.index)}${partial}`;
}

/** Reads a path in the form of {@link tilePath}; `undefined` for any other, a second spelling included. */
export function parseTilePath(path: string): Tile | undefined {
  const match = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path);
  if (match === null) return undefined;
  const level = match[1] === "entries" ? ("entries" as const) : Number(match[1]);
  const index = Number(match[2]!.replaceAll(/[x/]/g, ""));
  const width = match[3] === undefined ? TILE_WIDTH : Number(match[3]);
  const tile: Tile = { level, index, width };
  const known = Number.isSafeInteger(index) && width > 0 && (level === "entries" || level <= MAX_LEVEL);
  return known && tilePath(tile) === path ? tile : undefined;
}

/** How many hashes (or entries) tile `index` of this level has in a tree of `size` leaves: 0 to 256. */
export function tileWidth(size: number, level: number | "entries", index: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** (level === "entries" ? 0 : level));
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** Entries one after another, each behind its length in two bytes. Throws `BAD_TILE` if one is over 65,535 bytes. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) throw new LogError("BAD_TILE", "An entry is too long for an entry bundle.");
    length += 2 + entry.length;
  }
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (const entry of entries) {
    view.setUint16(at, entry.length);
    bytes.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bytes;
}

/** The `width` entries of a bundle. Throws `BAD_TILE` for any other number, or for bytes left over. */
export function parseEntryBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (entries.length < width && at + 2 <= bytes.length) {
    const end = at + 2 + view.getUint16(at);
    if (end > bytes.length) break;
    entries.push(copyBytes(bytes, at + 2, end));
    at = end;
  }
  if (at !== bytes.length || entries.length !== width) {
    throw new LogError("BAD_TILE", "The entry bundle does not hold the entries that it should.");
  }
  return entries;
}

/** A number of 2^53 is 16 digits, six groups of three. */
function tileIndexPath(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/.{3}/g) ?? [];
  return groups.map((group, i) => (i === groups.length - 1 ? group : `x${group}`)).join("/");
}
