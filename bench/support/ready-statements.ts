import { hash } from "node:crypto";
import { encodeEntry } from "@touchmark/log";
import type { AdmittedStatement } from "@touchmark/log-server";

export const READY_TIME = 1_800_000_000;

/**
 * A statement about a package of its own, as admission would leave it with entry `index`; the envelope may be any bytes. Its hash is made, since a log finds it
 * by that; the other hashes, which checks would have left behind, are the same bytes in another order.
 */
export function readyStatement(envelope: Uint8Array, index: number): AdmittedStatement {
  const envelopeHash = hash("sha256", envelope, "buffer");
  const digest = turned(envelopeHash, 11);
  const packageHash = turned(envelopeHash, 23);
  const sha512 = Buffer.concat([digest, packageHash]);
  const links = { previous: null, previousAuthority: null };
  return {
    digest,
    envelopeHash,
    envelope,
    entries: [encodeEntry({ kind: "claim", time: READY_TIME, packageHash, envelopeHash, ...links })],
    heads: [{ packageHash, last: index, lastAuthority: index }],
    releases: [{ packageHash, version: "1.0.0", line: index, sha512, tarSha512: sha512, position: index }],
    earlier: [],
  };
}

function turned(bytes: Buffer, by: number): Buffer {
  return Buffer.concat([bytes.subarray(by), bytes.subarray(0, by)]);
}
