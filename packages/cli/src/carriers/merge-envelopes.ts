import { addSignature, encodeEnvelope, MAX_SIGNATURES } from "@touchmark/core";
import { CliError } from "../error.ts";
import { openStatement } from "../statements/statement-file.ts";

/**
 * Our signatures over a statement, and theirs over the same as far as their keys have a say in it, each of them verified [L-52]. Throws `OTHER_STATEMENT`,
 * `CoreError`.
 */
export function mergeEnvelopes(own: Uint8Array, other: Uint8Array, concerned: ReadonlySet<string>): Uint8Array {
  const [ours, theirs] = [openStatement(own), openStatement(other)];
  if (ours.digest !== theirs.digest)
    throw new CliError(
      "OTHER_STATEMENT",
      "Under this name there is another statement already.",
      "Move it away, or use another name.",
    );
  const taken = theirs.envelope.signatures.filter(({ keyid }) => concerned.has(keyid));
  const merged = taken.reduce(addSignature, ours.envelope);
  // What has too many could not be read again.
  return encodeEnvelope(merged.signatures.length > MAX_SIGNATURES ? ours.envelope : merged);
}
