import { hash } from "node:crypto";
import { encodeEntry, type MapRecord, noteSigner } from "@touchmark/log";
import { type AdmittedStatement, createStore, openFolder } from "@touchmark/log-server";

export const LARGE_SIGNER = noteSigner("log.example/large", new Uint8Array(32).fill(5));
const TIME = 1_800_000_000;
const ENTRIES_A_BATCH = 20_000;

/** A log of one claim for each of `packages` packages, as admission would leave it, but for the signatures: it is opened and served, not replayed. */
export async function writeLargeLog(dir: string, packages: number): Promise<void> {
  const store = await createStore(await openFolder(dir, true), LARGE_SIGNER, TIME);
  for (let first = 0; first < packages; first += ENTRIES_A_BATCH) {
    const count = Math.min(ENTRIES_A_BATCH, packages - first);
    const { note } = await store.append([claimOf(first, count, store.checkpoint().size)], TIME);
    await store.publish(note);
  }
  await store.close();
}

export function largePackageHash(number: number): Uint8Array {
  return hash("sha256", `npm:npmjs/large-${number}`, "buffer");
}

function claimOf(first: number, count: number, index: number): AdmittedStatement {
  const envelope = Buffer.from(`{"of":${first}}`);
  const envelopeHash = hash("sha256", envelope, "buffer");
  const heads: MapRecord[] = [];
  const entries = Array.from({ length: count }, (_, i) => {
    const packageHash = largePackageHash(first + i);
    heads.push({ packageHash, last: index + i, lastAuthority: index + i });
    return encodeEntry({
      kind: "claim",
      time: TIME,
      packageHash,
      envelopeHash,
      previous: null,
      previousAuthority: null,
    });
  });
  return { digest: envelopeHash, envelopeHash, envelope, entries, heads, releases: [], earlier: [] };
}
