/**
 * What a log answers to a submission, held against its tree. Trust assumption: the signed checkpoint of the answer says which tree is meant; where the
 * entries are said to be is believed only after they were found there.
 */
import { CoreError, equalBytes, packageIdHash, parseEnvelope, type Statement, statementChains } from "@touchmark/core";
import { fetchEnvelope, type LogEndpoint, type SubmitAnswer } from "./client.ts";
import { parseLeaf, type PackageEntry } from "./entry.ts";
import { LogError } from "./error.ts";
import { fetchProvedLeaves } from "./follow.ts";
import { nodeCrypto } from "./node-crypto.ts";

/**
 * Shows that this statement is in the tree of the answer's checkpoint, in the entries that the answer names [L-42]. Throws `NOT_LOGGED` if it isn't,
 * `BAD_TILE`, `WRONG_HASH` and what the network throws.
 */
export async function verifyReceipt(
  log: LogEndpoint,
  { statement, envelope }: { statement: Statement; envelope: Uint8Array },
  { entries, checkpoint }: SubmitAnswer,
): Promise<void> {
  const chains = statementChains(statement);
  const first = entries.get(chains[0]!);
  const named =
    first !== undefined && entries.size === chains.length && chains.every((id, i) => entries.get(id) === first + i);
  if (!named || first + chains.length > checkpoint.size)
    throw notLogged("The log's answer does not name the statement's entries");
  const leaves = (await fetchProvedLeaves(log, first, chains.length, checkpoint)).map(parseLeaf);
  const logged = await loggedHash(log, leaves[0]!, envelope);
  for (const [i, leaf] of leaves.entries()) {
    const same =
      leaf.kind === statement.kind &&
      equalBytes(leaf.packageHash, packageIdHash(nodeCrypto, chains[i]!)) &&
      equalBytes(leaf.envelopeHash, logged);
    if (!same)
      throw notLogged(`The log says that entry ${first + i} is the statement's, and its tree has another one there`);
  }
}

/** The hash of the envelope that the entries have to name: of this one, or of the one in which the same statement was logged before [L-15]. */
async function loggedHash(
  log: LogEndpoint,
  leaf: PackageEntry | { kind: "epoch" },
  envelope: Uint8Array,
): Promise<Uint8Array> {
  const own = nodeCrypto.sha256(envelope);
  if (leaf.kind === "epoch" || equalBytes(leaf.envelopeHash, own)) return own;
  const other = await fetchEnvelope(log, leaf.envelopeHash);
  return hasPayloadOf(other, envelope) ? leaf.envelopeHash : own;
}

function hasPayloadOf(other: Uint8Array, envelope: Uint8Array): boolean {
  try {
    return equalBytes(parseEnvelope(other).payload, parseEnvelope(envelope).payload);
  } catch (error) {
    if (error instanceof CoreError) return false;
    throw error;
  }
}

function notLogged(what: string): LogError {
  return new LogError("NOT_LOGGED", `${what}: nothing shows that it is logged.`, {
    hint: "Send it again; if it stays so, the log's operator holds statements back: tell those who rely on it.",
  });
}
