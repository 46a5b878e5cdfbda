import {
  type AuthorityDraft,
  type Details,
  encodeClaim,
  encodeEarlierLeaf,
  encodeUtf8,
  type PublishedVersion,
} from "@touchmark/core";
import { leafHash, nodeCrypto, rootOfLeaves } from "@touchmark/log";
import type { EarlierVersions } from "../registry/earlier-versions.ts";

/** What is claimed: a package with the versions so far, a committee or a log with none. */
export interface Claimed {
  earlier: EarlierVersions;
  /** The last authority entry, where there is one. */
  previous: Uint8Array | null;
  /** A version that carries the authority's digest [S-27]. */
  proof: PublishedVersion | null;
}

/** The payload of a claim of these subjects. */
export function draftClaim(
  origin: string,
  claimed: ReadonlyMap<string, Claimed>,
  authority: AuthorityDraft,
  details: Details = null,
): Uint8Array {
  const packages = new Map(
    [...claimed].map(([id, { earlier, previous, proof }]) => {
      const leaves = earlier.map(([version, sha512]) => leafHash(encodeEarlierLeaf(version, sha512)));
      return [id, { previous, earlier: { size: earlier.length, root: rootOfLeaves(leaves) }, proof }];
    }),
  );
  return encodeClaim(nodeCrypto, { logs: [origin], packages, authority, details });
}

/** The list beside a claim, as the log wants to have it with the claim [L-20]. */
export function encodeEarlierFile(claimed: ReadonlyMap<string, Pick<Claimed, "earlier">>): Uint8Array {
  const lists = Object.fromEntries([...claimed].map(([id, { earlier }]) => [id, earlier]));
  return encodeUtf8(`${JSON.stringify(lists)}\n`);
}
