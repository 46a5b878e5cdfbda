/** A log's operator who goes past admission: entries as he likes them, in a real store under the log's real key. */
import {
  equalBytes,
  packageIdHash,
  releasesOf,
  type SignedStatement,
  statementChains,
  verifyEnvelope,
} from "@touchmark/core";
import { encodeEntry, type EntryKind, isAuthorityKind, type MapRecord, nodeCrypto } from "@touchmark/log";
import type { AdmittedStatement, Store } from "../../src/index.ts";

export type Forgery = {
  /** Log time of the entries; that of the epoch leaf behind them if left out. */
  time?: number;
  /** Changes what the map is told of the entries. */
  heads?: (heads: MapRecord[]) => MapRecord[];
  /** Changes an entry before it is logged. */
  entry?: (bytes: Uint8Array) => Uint8Array;
  /** What the entry names as its envelope. */
  envelopeHash?: Uint8Array;
  kind?: EntryKind;
  /** The lists of earlier versions that the operator keeps. */
  earlier?: AdmittedStatement["earlier"];
};

/** Appends a statement that nobody judged, an epoch leaf at log time `time`, and publishes both. */
export async function forceStatement(
  store: Store,
  envelope: Uint8Array,
  time: number,
  forgery: Forgery = {},
): Promise<void> {
  await store.publish(await signForged(store, envelope, time, forgery));
}

/** As {@link forceStatement}, without publishing; gives the note that the log signed. */
export async function signForged(
  store: Store,
  envelope: Uint8Array,
  time: number,
  forgery: Forgery = {},
): Promise<string> {
  const { earlier = [], entry: change = (bytes) => bytes, heads: told = (heads) => heads } = forgery;
  const signed: SignedStatement = verifyEnvelope(nodeCrypto, envelope);
  const envelopeHash = forgery.envelopeHash ?? nodeCrypto.sha256(envelope);
  const kind = forgery.kind ?? signed.statement.kind;
  const first = store.checkpoint().size;
  const heads: MapRecord[] = [];
  const releases: AdmittedStatement["releases"][number][] = [];
  const entries = statementChains(signed.statement).map((packageId, i) => {
    const packageHash = packageIdHash(nodeCrypto, packageId);
    const head = store.head(packageHash);
    const previousAuthority = head?.lastAuthority ?? null;
    const index = first + i;
    heads.push({ packageHash, last: index, lastAuthority: isAuthorityKind(kind) ? index : previousAuthority });
    if (signed.statement.kind === "release") {
      for (const { version, sha512, tarSha512 } of releasesOf(signed.statement, packageId)) {
        releases.push({
          packageHash,
          version,
          line: 1,
          sha512: bytesOf(sha512),
          tarSha512: bytesOf(tarSha512),
          position: index,
        });
      }
    }
    const entry = { kind, time: forgery.time ?? time, packageHash, envelopeHash };
    return change(encodeEntry({ ...entry, previous: head?.last ?? null, previousAuthority }));
  });
  // The store holds one row a version; of two releases of one it is told of the first.
  const known = await store.releases(releases);
  const fresh = releases.filter((row) => !known.some((other) => isSame(row, other)));
  const digest = nodeCrypto.sha256(Buffer.from(`forgery at ${first}`));
  const statement = { digest, envelopeHash, envelope, entries, heads: told(heads), releases: fresh, earlier };
  return (await store.append([statement], time)).note;
}

type ReleaseName = { readonly packageHash: Uint8Array; readonly version: string };

function isSame(one: ReleaseName, other: ReleaseName): boolean {
  return one.version === other.version && equalBytes(one.packageHash, other.packageHash);
}

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}
