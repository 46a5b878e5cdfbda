import { addSignature, encodeEnvelope } from "@touchmark/core";
import { CliError } from "../error.ts";
import { openStatement } from "../statements/statement-file.ts";

/** Both sides' signatures over the same statement, each of them verified. Throws `OTHER_STATEMENT`, `CoreError`. */
export function mergeEnvelopes(one: Uint8Array, other: Uint8Array): Uint8Array {
  const [ours, theirs] = [openStatement(one), openStatement(other)];
  if (ours.digest !== theirs.digest)
    throw new CliError(
      "OTHER_STATEMENT",
      "Under this name there is another statement already.",
      "Move it away, or use another name.",
    );
  return encodeEnvelope(theirs.envelope.signatures.reduce(addSignature, ours.envelope));
}
