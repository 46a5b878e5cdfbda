/** Envelopes and lists of earlier versions: in the ledger where it keeps them, else under their public names beside the tiles. */
import { encodeHex } from "@touchmark/core";
import type { Blob } from "./storage/blobs.ts";
import type { AdmittedStatement } from "./storage/ledger.ts";
import type { Storage } from "./storage/storage.ts";

/** [L-30] Puts what has to be durable before these statements are appended onto stable storage: these tiles, and the statements' texts. */
export async function writeBefore(
  { ledger, blobs }: Storage,
  tiles: readonly Blob[],
  statements: readonly AdmittedStatement[],
): Promise<void> {
  if (ledger.texts === undefined) return blobs.write([...tiles, ...statements.flatMap(textBlobs)]);
  // Neither is under way any more when this throws.
  const outcomes = await Promise.allSettled([blobs.write(tiles), ledger.texts.write(statements)]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

function textBlobs({ envelopeHash, envelope, earlier }: AdmittedStatement): Blob[] {
  return [
    { path: envelopePath(envelopeHash), bytes: envelope },
    ...earlier.map(({ root, list }) => ({ path: earlierPath(root), bytes: Buffer.from(list, "utf8") })),
  ];
}

/** The bytes of an envelope in the first `size` leaves, by its SHA-256. Beside the tiles there may be ones that never came into the log. */
export async function readEnvelope(
  { ledger, blobs }: Storage,
  hash: Uint8Array,
  size: number,
): Promise<Uint8Array | undefined> {
  if (ledger.texts === undefined) return blobs.read(envelopePath(hash));
  const found = await ledger.texts.envelope(hash);
  return found !== undefined && found.first < size ? found.bytes : undefined;
}

export async function readEarlier({ ledger, blobs }: Storage, root: Uint8Array): Promise<string | undefined> {
  if (ledger.texts !== undefined) return ledger.texts.earlier(root);
  const bytes = await blobs.read(earlierPath(root));
  return bytes && Buffer.from(bytes).toString("utf8");
}

function envelopePath(hash: Uint8Array): string {
  return `envelope/${encodeHex(hash)}`;
}

function earlierPath(root: Uint8Array): string {
  return `earlier/${encodeHex(root)}`;
}
