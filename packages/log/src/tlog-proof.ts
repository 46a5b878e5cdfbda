/** C2SP tlog-proof (https://c2sp.org/tlog-proof): one leaf's inclusion, checkable offline. */
import { encodeBase64, parseBase64 } from "./bytes.ts";
import { parseDecimal, type SignedCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { LogError } from "./error.ts";
import { verifyInclusion } from "./merkle.ts";
import { MAX_NOTE_BYTES, type VerifierKey } from "./note.ts";

/** `extra` is not authenticated by anything. `hashes` begin at the leaf's sibling. `checkpoint` is a whole note. */
export type TlogProof = {
  readonly extra: Uint8Array | undefined;
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: string;
};

const HEADER = "c2sp.org/tlog-proof@v1";
const MAX_HASHES = 63;
const MAX_EXTRA_BYTES = 64 * 1024;
/** What is longer is no proof. */
export const MAX_TLOG_PROOF_BYTES: number = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES;

export function encodeTlogProof(proof: TlogProof): string {
  const extra = proof.extra === undefined ? [] : [`extra ${encodeBase64(proof.extra)}`];
  const lines = [HEADER, ...extra, `index ${proof.index}`, ...proof.hashes.map(encodeBase64)];
  return `${lines.join("\n")}\n\n${proof.checkpoint}`;
}

/** Reads a proof without trusting it. Throws `BAD_PROOF`. */
export function parseTlogProof(text: string): TlogProof {
  if (text.length > MAX_TLOG_PROOF_BYTES) throw malformed("is too long");
  const border = text.indexOf("\n\n");
  if (border < 0) throw malformed("has no checkpoint");
  const lines = text.slice(0, border).split("\n");
  if (lines.shift() !== HEADER) throw malformed("does not begin with the line of its format");
  const extra = lines[0]?.startsWith("extra ") === true ? parseExtra(lines.shift()!) : undefined;
  const index = parseDecimal(/^index (.*)$/.exec(lines.shift() ?? "")?.[1] ?? "");
  if (index === undefined) throw malformed("has no index");
  if (lines.length > MAX_HASHES) throw malformed("has too many hashes");
  return { extra, index, hashes: lines.map(parseHash), checkpoint: text.slice(border + 2) };
}

/**
 * Throws unless the leaf with this hash is at the proof's index of a tree that the log `key` signed: `BAD_PROOF`, and what {@link verifyCheckpoint} throws.
 * Whether the tree has the cosignatures that a policy demands is for whoever has the policy to check [M-17].
 */
export function verifyTlogProof(proof: TlogProof, leaf: Uint8Array, key: VerifierKey): SignedCheckpoint {
  const checkpoint = verifyCheckpoint(proof.checkpoint, key);
  verifyInclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root);
  return checkpoint;
}

function parseExtra(line: string): Uint8Array {
  const extra = parseBase64(line.slice("extra ".length));
  if (extra === undefined || extra.length > MAX_EXTRA_BYTES) throw malformed("has malformed extra data");
  return extra;
}

function parseHash(line: string): Uint8Array {
  const bytes = parseBase64(line);
  if (bytes?.length !== 32) throw malformed("has a malformed hash");
  return bytes;
}

function malformed(what: string): LogError {
  return new LogError("BAD_PROOF", `The log proof ${what}.`);
}
