/** Claims and releases, signed by keys in software: what a signer would submit. */
import { createHash } from "node:crypto";
import {
  type AuthorityDraft,
  addSignature,
  encodeClaim,
  encodeEarlierLeaf,
  encodeEnvelope,
  encodeRelease,
  encodeReview,
  encodeRevoke,
  type Envelope,
  verifyEnvelope,
} from "@touchmark/core";
import { leafHash, nodeCrypto, rootOfLeaves } from "@touchmark/log";
import { makeSoftKey, type SoftKey } from "../../../core/test/support/soft-key.ts";

export const ORIGIN = "log.example/main";

export type Person = { readonly holder: string; readonly key: SoftKey };
export type Earlier = readonly (readonly [version: string, sha512: string])[];

export function person(holder: string, seed: string = holder): Person {
  return { holder, key: makeSoftKey({ seed }) };
}

export function sha512Hex(text: string): string {
  return createHash("sha512").update(text).digest("hex");
}

export function earlierRoot(list: Earlier): { size: number; root: Uint8Array } {
  const leaves = list.map(([version, sha512]) => leafHash(encodeEarlierLeaf(version, sha512)));
  return { size: list.length, root: rootOfLeaves(leaves) };
}

/** A claim of these packages by these people, signed by all of them. */
export function claim(
  packages: Readonly<Record<string, Earlier>>,
  people: readonly Person[],
  options: {
    threshold?: number;
    logs?: string[];
    signers?: readonly Person[];
    earlierSize?: number;
    /** Of every package: a version that names the authority [S-27]. */
    proof?: { version: string; sha512: string };
  } = {},
): Uint8Array {
  const authority: AuthorityDraft = {
    keys: people.map(({ holder, key }) => ({ holder, record: key.record })),
    releaseThreshold: options.threshold ?? 1,
  };
  const claimed = Object.entries(packages).map(([name, list]) => {
    const earlier = earlierRoot(list);
    return [
      name,
      {
        previous: null,
        earlier: { ...earlier, size: options.earlierSize ?? earlier.size },
        proof: options.proof ?? null,
      },
    ] as const;
  });
  const payload = encodeClaim(nodeCrypto, { logs: options.logs ?? [ORIGIN], packages: new Map(claimed), authority });
  return signed(payload, options.signers ?? people);
}

/** Keys of people are void for these packages from now on. */
export function revoke(
  packageIds: readonly string[],
  revoked: readonly Person[],
  people: readonly Person[],
): Uint8Array {
  const keys = revoked.map(({ key }) => key.fingerprint);
  return signed(encodeRevoke(nodeCrypto, { logs: [ORIGIN], subjects: [...packageIds], keys }), people);
}

/** A release of these release ids; the digests are made from `bytes`. */
export function release(
  releaseIds: readonly string[],
  people: readonly Person[],
  options: { bytes?: string; logs?: string[] } = {},
): Uint8Array {
  const { bytes = "tarball" } = options;
  const payload = encodeRelease({
    logs: options.logs ?? [ORIGIN],
    releases: releaseIds.map((releaseId) => ({
      releaseId,
      sha512: sha512Hex(`${bytes} of ${releaseId}`),
      tarSha512: sha512Hex(`${bytes} tar of ${releaseId}`),
    })),
  });
  return signed(payload, people);
}

/** A committee with the power to review everything, of these people, all of whom a review needs. */
export function reviewers(id: string, people: readonly Person[]): Uint8Array {
  const payload = encodeClaim(nodeCrypto, {
    logs: [ORIGIN],
    packages: new Map([[id, { previous: null, earlier: earlierRoot([]), proof: null }]]),
    authority: {
      keys: people.map(({ holder, key }) => ({ holder, record: key.record })),
      releaseThreshold: people.length,
    },
    details: { kind: "committee", scope: ["*"], powers: ["review"], termDays: 100 },
  });
  return signed(payload, people);
}

/** A committee's good word for these release ids. */
export function review(by: string, releaseIds: readonly string[], people: readonly Person[]): Uint8Array {
  const found = { base: null, verdict: "good", tool: null } as const;
  const reviews = new Map(
    releaseIds.map((id) => [
      id,
      { sha512: release.sha512Of(id), tarSha512: sha512Hex(`tarball tar of ${id}`), ...found },
    ]),
  );
  return signed(encodeReview({ logs: [ORIGIN], by, replaces: null, reviews }), people);
}

/** The SHA-512 of the tarball that {@link release} signs for this release id. */
release.sha512Of = (releaseId: string, bytes = "tarball"): string => sha512Hex(`${bytes} of ${releaseId}`);

/** The digest of the authority in a claim's envelope. */
export function authorityDigest(envelope: Uint8Array): string {
  const { statement } = verifyEnvelope(nodeCrypto, envelope);
  if (statement.kind !== "claim") throw new Error("not a claim");
  return statement.authority.digest;
}

function signed(payload: Uint8Array, people: readonly Person[]): Uint8Array {
  let envelope: Envelope = { payload, signatures: [] };
  for (const { key } of people) envelope = addSignature(envelope, key.sign(nodeCrypto, payload));
  return encodeEnvelope(envelope);
}
