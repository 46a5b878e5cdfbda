/**
 * The first half of a log's storage: entries, heads and the checkpoint that is signed next, all that has to change at once. It has one writer and, where the database
 * allows it, any number of readers. Trust assumption: what it says is durable stays; what is read at start is compared with what was signed.
 */
import { cleanText } from "@touchmark/core";
import type { MapRecord } from "@touchmark/log";
import { LogServerError } from "../error.ts";

export const LEDGER_FORMAT = "touchmark-log/4";

/** A tree that was, or is to be, stored. `root` is 32 bytes. */
export type TreeHead = { readonly size: number; readonly root: Uint8Array };

/** Who the log is, the tree that it stored last, which it signs, and the note that it showed last (`published`). */
export type LedgerRow = TreeHead & {
  readonly format: string;
  /** The log's verifier key. */
  readonly key: string;
  readonly published: string;
};

/** The entries of a statement are `count` leaves from `first` on. */
export type StatementPlace = { readonly first: number; readonly count: number };

/**
 * A version that an entry is about. Digests are 64 bytes; `position` is the index of the entry, `line` that of the claim whose holders released [S-23].
 * A review is found in the same way [E-20]: `packageHash` is then the committee's, `version` the release id, and `line` the entry itself, so that all stay.
 */
export type ReleaseRow = {
  readonly packageHash: Uint8Array;
  readonly version: string;
  readonly line: number;
  readonly sha512: Uint8Array;
  readonly tarSha512: Uint8Array;
  readonly position: number;
};

/** A statement that was admitted: its entries, and what they change. */
export type AdmittedStatement = {
  /** SHA-256 of the payload. */
  readonly digest: Uint8Array;
  readonly envelopeHash: Uint8Array;
  readonly envelope: Uint8Array;
  /** Package entries, encoded, next to each other. */
  readonly entries: readonly Uint8Array[];
  readonly heads: readonly MapRecord[];
  readonly releases: readonly ReleaseRow[];
  /** Lists of earlier versions by their root [S-15]. */
  readonly earlier: readonly { readonly root: Uint8Array; readonly list: string }[];
};

/** What one checkpoint adds: the statements in order, and all leaves, the epoch leaf last. */
export type LedgerBatch = {
  readonly from: TreeHead;
  readonly to: TreeHead;
  readonly leaves: readonly Uint8Array[];
  readonly statements: readonly AdmittedStatement[];
};

/** Envelopes and lists of earlier versions, where they are kept with the entries instead of beside the tiles. */
export type LedgerTexts = {
  /** [L-30] Puts the envelopes of the statements that are appended next onto stable storage. Nothing changes if it throws. */
  readonly write: (statements: readonly AdmittedStatement[]) => Promise<void>;
  /** By SHA-256; `first` is the index of the statement's first entry. */
  readonly envelope: (hash: Uint8Array) => Promise<{ readonly first: number; readonly bytes: Uint8Array } | undefined>;
  readonly earlier: (root: Uint8Array) => Promise<string | undefined>;
};

export type Ledger = {
  /** `undefined` where no log was made yet. */
  readonly row: () => Promise<LedgerRow | undefined>;
  /** Makes the log with its first leaf; durable when this resolves. Throws `STORE_EXISTS`. */
  readonly create: (row: LedgerRow, leaf: Uint8Array) => Promise<void>;
  /** Becomes the one writer; `false` while another process is. Whoever was the writer before can't append any more once this is `true` [L-31]. */
  readonly takeWriting: () => Promise<boolean>;
  /**
   * [L-17] [L-30] Adds the batch, durably, once its texts are written, if the stored tree is still `batch.from` and this is still the writer. Throws `STORE_CHANGED` or `STORE_LOST` if
   * not, `STORE_LOST` also if it can't know what is stored; after any other error nothing changed.
   */
  readonly append: (batch: LedgerBatch) => Promise<void>;
  /** Remembers the note that is shown. It outlives the process; after a power failure it may be an older one. */
  readonly setPublished: (note: string) => Promise<void>;
  /** How many leaves there are, by the place of the last one; `undefined` if there is none. */
  readonly leafCount: () => Promise<number | undefined>;
  /** The leaves in `[from, to)`, fewer if there are fewer. */
  readonly leaves: (from: number, to: number) => Promise<Uint8Array[]>;
  readonly leavesAt: (positions: readonly number[]) => Promise<ReadonlyMap<number, Uint8Array>>;
  /** All heads in pieces, where they are kept beside the leaves. They may be newer than any row that was read before. */
  readonly heads: (() => AsyncIterable<readonly MapRecord[]>) | undefined;
  /** By the SHA-256 of the payload; the key of the answer is its hex. */
  readonly places: (digests: readonly Uint8Array[]) => Promise<ReadonlyMap<string, StatementPlace>>;
  readonly releases: (wanted: readonly ReleaseName[]) => Promise<readonly ReleaseRow[]>;
  readonly texts: LedgerTexts | undefined;
  readonly close: () => Promise<void>;
};

/** Throws `STORE_FORMAT` for the database of another version. */
export function requireFormat(format: unknown): void {
  if (format === LEDGER_FORMAT) return;
  throw new LogServerError(
    "STORE_FORMAT",
    `The log's database is of another format (${cleanText(String(format), 40)}) than this version's (${LEDGER_FORMAT}).`,
    "Use the version that it was made with.",
  );
}

export type ReleaseName = { readonly packageHash: Uint8Array; readonly version: string };
