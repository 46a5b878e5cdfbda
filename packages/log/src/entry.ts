/** The leaves of a Touchmark log: package entries and epoch leaves. */
import { copyBytes, hexOf } from "./bytes.ts";
import { LogError } from "./error.ts";

export const ENTRY_BYTES = 90;
export const EPOCH_BYTES = 58;

/** [L-4] A kind's place in this list is its number; number 0 is the epoch leaf. */
const KINDS = [
  "epoch",
  "claim",
  "change",
  "revoke",
  "release",
  "review",
  "hold",
  "lift",
  "adopt",
  "adopt-final",
  "veto",
  "funding",
  "proof",
  "endorse",
] as const;

export type EntryKind = Exclude<(typeof KINDS)[number], "epoch">;

/** [L-2] `time` in seconds; hashes are 32 bytes; indices are `null` where there is none. */
export type PackageEntry = {
  readonly kind: EntryKind;
  readonly time: number;
  readonly packageHash: Uint8Array;
  readonly envelopeHash: Uint8Array;
  readonly previous: number | null;
  readonly previousAuthority: number | null;
};

/** An entry with its hashes in lower-case hex, for whoever looks things up by them. */
export type NamedEntry = Omit<PackageEntry, "packageHash" | "envelopeHash"> & {
  readonly package: string;
  readonly envelope: string;
};

/** [L-3] `covers` is the number of leaves before this one, which is its index. */
export type EpochLeaf = {
  readonly kind: "epoch";
  readonly time: number;
  readonly mapRoot: Uint8Array;
  readonly covers: number;
  readonly previousEpoch: number | null;
};

/** [L-4] Whoever checks a package sees every entry of these kinds. */
export function isAuthorityKind(kind: EntryKind): boolean {
  return kind !== "release" && kind !== "review";
}

export function encodeEntry(entry: PackageEntry): Uint8Array {
  const bytes = new Uint8Array(ENTRY_BYTES);
  writeHead(bytes, entry.kind, entry.time);
  bytes.set(requireHash(entry.packageHash), 10);
  bytes.set(requireHash(entry.envelopeHash), 42);
  writeIndex(bytes, 74, entry.previous);
  writeIndex(bytes, 82, entry.previousAuthority);
  return bytes;
}

export function encodeEpoch(epoch: EpochLeaf): Uint8Array {
  const bytes = new Uint8Array(EPOCH_BYTES);
  writeHead(bytes, epoch.kind, epoch.time);
  bytes.set(requireHash(epoch.mapRoot), 10);
  writeIndex(bytes, 42, epoch.covers);
  writeIndex(bytes, 50, epoch.previousEpoch);
  return bytes;
}

/** [L-1] Reads a leaf of either form. Throws `BAD_ENTRY` for any other length, version or kind. */
export function parseLeaf(bytes: Uint8Array): PackageEntry | EpochLeaf {
  return bytes[1] === 0 ? parseEpoch(bytes) : parseEntry(bytes);
}

/** Throws `BAD_ENTRY`. */
export function parseEntry(bytes: Uint8Array): PackageEntry {
  const { kind, time } = readEntryHead(bytes);
  return {
    kind,
    time,
    packageHash: copyBytes(bytes, 10, 42),
    envelopeHash: copyBytes(bytes, 42, 74),
    previous: readIndex(bytes, 74),
    previousAuthority: readIndex(bytes, 82),
  };
}

/** As {@link parseEntry}. Throws `BAD_ENTRY`. */
export function parseNamedEntry(bytes: Uint8Array): NamedEntry {
  const { kind, time } = readEntryHead(bytes);
  const previous = readIndex(bytes, 74);
  const previousAuthority = readIndex(bytes, 82);
  return { kind, time, previous, previousAuthority, package: hexOf(bytes, 10, 42), envelope: hexOf(bytes, 42, 74) };
}

/** The envelopes that these entries name, as {@link parseNamedEntry} has them; all else in the entries is looked at too. Throws `BAD_ENTRY`. */
export function envelopesOf(entries: Iterable<Uint8Array>): Set<string> {
  const envelopes = new Set<string>();
  let before: Uint8Array | undefined;
  for (const bytes of entries) {
    readEntryHead(bytes);
    readIndex(bytes, 74);
    readIndex(bytes, 82);
    // The entries of one statement stand side by side [L-6].
    if (before === undefined || !isSame(before, bytes, 42, 74)) envelopes.add(hexOf(bytes, 42, 74));
    before = bytes;
  }
  return envelopes;
}

/** Throws `BAD_ENTRY`. */
export function parseEpoch(bytes: Uint8Array): EpochLeaf {
  const { kind, time } = readHead(bytes, EPOCH_BYTES);
  const covers = readIndex(bytes, 42);
  if (kind !== "epoch" || covers === null) throw new LogError("BAD_ENTRY", "The leaf is no epoch leaf.");
  return { kind, time, mapRoot: copyBytes(bytes, 10, 42), covers, previousEpoch: readIndex(bytes, 50) };
}

/** [C-3] Reads an unsigned 64-bit number below 2^53, or `null` for the value that means none. Throws `BAD_ENTRY`. */
export function readIndex(bytes: Uint8Array, at: number): number | null {
  const high = uint32(bytes, at);
  const low = uint32(bytes, at + 4);
  if (high === NONE && low === NONE) return null;
  if (high >= 2 ** 21) throw new LogError("BAD_ENTRY", "A number in the leaf is too great.");
  return high * 2 ** 32 + low;
}

// The caller has checked that the bytes are there.
function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function writeIndex(bytes: Uint8Array, at: number, index: number | null): void {
  if (index !== null && (!Number.isSafeInteger(index) || index < 0)) {
    throw new LogError("BAD_ARGUMENT", "An index is no whole number.");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(at, index === null ? NONE : Math.floor(index / 2 ** 32));
  view.setUint32(at + 4, index === null ? NONE : index % 2 ** 32);
}

function isSame(a: Uint8Array, b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (a[i] !== b[i]) return false;
  return true;
}

function readEntryHead(bytes: Uint8Array): { kind: EntryKind; time: number } {
  const { kind, time } = readHead(bytes, ENTRY_BYTES);
  if (kind === "epoch") throw new LogError("BAD_ENTRY", "The leaf is an epoch leaf, not a package entry.");
  return { kind, time };
}

function readHead(bytes: Uint8Array, length: number): { kind: (typeof KINDS)[number]; time: number } {
  if (bytes.length !== length) throw new LogError("BAD_ENTRY", "The leaf has a wrong length.");
  if (bytes[0] !== VERSION) throw new LogError("BAD_ENTRY", "The leaf is of an unknown version.");
  const kind = KINDS[bytes[1]!];
  if (kind === undefined) throw new LogError("BAD_ENTRY", "The leaf is of an unknown kind.");
  const time = readIndex(bytes, 2);
  if (time === null) throw new LogError("BAD_ENTRY", "The leaf has no time.");
  return { kind, time };
}

function writeHead(bytes: Uint8Array, kind: (typeof KINDS)[number], time: number): void {
  bytes[0] = VERSION;
  bytes[1] = KINDS.indexOf(kind);
  writeIndex(bytes, 2, time);
}

function requireHash(hash: Uint8Array): Uint8Array {
  if (hash.length !== 32) throw new LogError("BAD_ARGUMENT", "A hash is not 32 bytes long.");
  return hash;
}

const VERSION = 1;
/** Each half of 2^64 - 1. */
const NONE = 2 ** 32 - 1;
