/**
 * The map of a large log in a file, so that a start need not make it again from every head. It is only a cache: what is missing, cut short or of another
 * tree is made from the ledger, and what is read counts only if its root is the one in the epoch leaf.
 */
import { createHash } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { loadPackageMap, LogError, type PackageMap } from "@touchmark/log";

/** The map after the first `size` leaves. */
export type CachedMap = { readonly size: number; readonly map: PackageMap };

const MAGIC = Buffer.from("touchmark-map/1\n", "latin1");
const HEADER = MAGIC.length + 8 + 32;
const PIECE = 1024 * 1024;

export async function readMapCache(path: string): Promise<CachedMap | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined || bytes.length < HEADER || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const body = bytes.subarray(HEADER);
  const size = bytes.subarray(MAGIC.length, MAGIC.length + 8);
  const sum = createHash("sha256").update(size).update(body).digest();
  if (!sum.equals(bytes.subarray(MAGIC.length + 8, HEADER))) return undefined;
  try {
    return { size: Number(size.readBigUInt64BE()), map: loadPackageMap(body) };
  } catch (error) {
    if (error instanceof LogError) return undefined;
    throw error;
  }
}

/** Writes the map as it is when this is called, whatever is done to it meanwhile. */
export async function writeMapCache(path: string, { size, map }: CachedMap): Promise<void> {
  const pieces = map.dump();
  const header = Buffer.alloc(HEADER);
  MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(size), MAGIC.length);
  const hash = createHash("sha256").update(header.subarray(MAGIC.length, MAGIC.length + 8));
  const file = await open(`${path}.new`, "w", 0o644);
  try {
    await file.write(header);
    for (const piece of inLargePieces(pieces)) {
      hash.update(piece);
      await file.write(piece);
    }
    await file.write(hash.digest(), 0, 32, MAGIC.length + 8);
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

function* inLargePieces(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for (const piece of pieces) {
    waiting.push(piece);
    length += piece.length;
    if (length < PIECE) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    length = 0;
  }
  yield Buffer.concat(waiting);
}
