/**
 * The second half of a log's storage: bytes under a name, which are the log's public files. Everything but the checkpoint is written once.
 * Trust assumption: none beyond durability; tiles are compared with the signed root, envelopes with their hash.
 */

/** `path` is the path below the log's address, for example `tile/0/000`. */
export type Blob = { readonly path: string; readonly bytes: Uint8Array };

/** Name of the published checkpoint, as `tlog-tiles` wants it. */
export const CHECKPOINT = "checkpoint";

export type Blobs = {
  /** The bytes, or `undefined` if there are none under this name. */
  readonly read: (path: string) => Promise<Uint8Array | undefined>;
  /** Puts all of them onto stable storage, or throws. What is there already is replaced: it was never part of a signed tree. */
  readonly write: (blobs: readonly Blob[]) => Promise<void>;
  /** Shows a checkpoint that is durable in the ledger already. The old one is there until the new one is. */
  readonly show: (note: string) => Promise<void>;
  readonly close: () => Promise<void>;
};
