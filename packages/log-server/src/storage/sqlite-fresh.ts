/**
 * What was appended lately, found by its keys in memory: the database's own trees of keys are brought up to date in bulk, which changes each of their pages
 * once for many batches. Nothing here has to survive: it is read again from the database at the start.
 */
import { type Digest, digestFromBytes } from "@touchmark/log";
import { LogServerError } from "../error.ts";
import type { ReleaseRow, StatementPlace } from "./ledger.ts";

/** A statement and its two keys, 32 bytes each. */
export type FreshStatement = StatementPlace & { readonly digest: Uint8Array; readonly envelopeHash: Uint8Array };

export type FreshKeys = {
  /** How many statements and releases there are. */
  readonly size: () => number;
  /** Throws `INTERNAL` if one of these statements is here already, or stands twice among them. */
  readonly refuseKnown: (statements: readonly FreshStatement[]) => void;
  readonly add: (statements: readonly FreshStatement[], releases: readonly ReleaseRow[]) => void;
  readonly clear: () => void;
  /** By the digest of the payload. */
  readonly place: (digest: Uint8Array) => StatementPlace | undefined;
  /** The index of the first entry of the statement with this envelope. */
  readonly firstOf: (envelopeHash: Uint8Array) => number | undefined;
  readonly releases: (packageHash: Uint8Array, version: string) => readonly ReleaseRow[];
};

export function createFreshKeys(): FreshKeys {
  const places = new Map<Digest, StatementPlace>();
  const envelopes = new Map<Digest, number>();
  const releases = new Map<string, ReleaseRow[]>();
  let count = 0;
  return {
    size: () => count,
    refuseKnown: (added) => {
      const digests = new Set(added.map(({ digest }) => digestFromBytes(digest)));
      if (digests.size === added.length && !added.some(({ digest }) => places.has(digestFromBytes(digest)))) return;
      throw new LogServerError("INTERNAL", "A statement of the batch is in the log already.");
    },
    add: (added, rows) => {
      for (const { first, count: entries, digest, envelopeHash } of added) {
        places.set(digestFromBytes(digest), { first, count: entries });
        envelopes.set(digestFromBytes(envelopeHash), first);
      }
      for (const row of rows) {
        const key = releaseKey(row.packageHash, row.version);
        const known = releases.get(key);
        if (known) known.push(row);
        else releases.set(key, [row]);
      }
      count += added.length + rows.length;
    },
    clear: () => {
      for (const kept of [places, envelopes, releases]) kept.clear();
      count = 0;
    },
    place: (digest) => places.get(digestFromBytes(digest)),
    firstOf: (envelopeHash) => envelopes.get(digestFromBytes(envelopeHash)),
    releases: (packageHash, version) => releases.get(releaseKey(packageHash, version)) ?? [],
  };
}

function releaseKey(packageHash: Uint8Array, version: string): string {
  return `${digestFromBytes(packageHash)}@${version}`;
}
