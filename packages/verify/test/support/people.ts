import {
  type AuthorityDraft,
  encodeClaim,
  encodeRelease,
  type Envelope,
  addSignature,
  type ClaimedPackage,
  SK_ECDSA,
} from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { makeSoftKey, type SoftKey } from "../../../core/test/support/soft-key.ts";
import { earlierCommitment } from "./forged-log.ts";

export { earlierCommitment as earlierCommitmentOf };

/** Holders and the statements they sign, for tests. Seeds make them the same in every run. */
export interface Holder extends SoftKey {
  holder: string;
}

export function person(holder: string, seed: string = holder): Holder {
  return { ...makeSoftKey({ type: SK_ECDSA, seed }), holder };
}

export function authority(
  keys: Holder[],
  releaseThreshold: number,
  more: Partial<AuthorityDraft> = {},
): AuthorityDraft {
  return { keys: keys.map(({ holder, record }) => ({ holder, record })), releaseThreshold, ...more };
}

export function signedBy(payload: Uint8Array, signers: SoftKey[]): Envelope {
  return signers.reduce((envelope, signer) => addSignature(envelope, signer.sign(nodeCrypto, payload)), {
    payload,
    signatures: [],
  } as Envelope);
}

export interface ClaimWish {
  packages: string[];
  authority: AuthorityDraft;
  logs?: string[];
  earlier?: [string, string][];
  previous?: Uint8Array;
}

export function claimPayload({
  packages,
  authority: draft,
  logs = ["log.example/test"],
  earlier = [],
  previous,
}: ClaimWish): Uint8Array {
  const claimed: ClaimedPackage = { previous: previous ?? null, earlier: earlierCommitment(earlier), proof: null };
  return encodeClaim(nodeCrypto, { logs, packages: new Map(packages.map((id) => [id, claimed])), authority: draft });
}

export function releasePayload(
  releaseId: string,
  sha512: string,
  tarSha512: string = sha512,
  logs = ["log.example/test"],
): Uint8Array {
  return encodeRelease({ logs, releases: [{ releaseId, sha512, tarSha512 }] });
}

/** A SHA-512 in hex that stands for some bytes. */
export function digestOf(text: string): string {
  return Buffer.from(nodeCrypto.sha512(Buffer.from(text))).toString("hex");
}
