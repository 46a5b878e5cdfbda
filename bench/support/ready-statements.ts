import { hash } from "node:crypto";
import { encodeEntry } from "@touchmark/log";
import type { AdmittedStatement } from "@touchmark/log-server";

export const READY_TIME = 1_800_000_000;

/** A statement about a package of its own, as admission would leave it with entry `index`; the envelope may be any bytes. */
export function readyStatement(envelope: Uint8Array, index: number): AdmittedStatement {
  const envelopeHash = hash("sha256", envelope, "buffer");
  const digest = hash("sha256", envelopeHash, "buffer");
  const packageHash = hash("sha256", digest, "buffer");
  const sha512 = hash("sha512", digest, "buffer");
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
