/** An auditor's own look at proofs (a) of first claims [M-16]. */
import { CoreError, equalBytes, packageIdHash, windowEnd } from "@touchmark/core";
import { LogError, nodeCrypto } from "@touchmark/log";
import { type ProofChecker, publishedProofs } from "../claim-proofs.ts";
import type { Problem, ReadLeaf, ReplayMaterial, ReplayMemory } from "../replay.ts";

/**
 * What is wrong with the proofs (a) that an entry brings, before it is replayed. Throws a `LogError` where a fresh one can't be looked up now; what can't be
 * looked up later, since versions may be unpublished, is passed over, as is a registry that this auditor does not ask.
 */
export async function judgeProofs(
  index: number,
  { leaf: entry }: ReadLeaf,
  material: ReplayMaterial,
  memory: Pick<ReplayMemory, "state">,
  now: number,
  check: ProofChecker,
): Promise<Problem | undefined> {
  if (entry instanceof LogError || (entry.kind !== "claim" && entry.kind !== "proof")) return undefined;
  const signed = statementOf(material, entry.envelopeHash);
  if (signed === undefined) return undefined; // the replay says what is wrong with it
  const proofs = publishedProofs(
    signed.statement,
    (packageId) => memory.state(packageId, entry.previousAuthority),
    entry.time,
  );
  for (const proof of proofs) {
    if (!equalBytes(packageIdHash(nodeCrypto, proof.packageId), entry.packageHash)) continue;
    const verdict = await check(proof);
    if (verdict.kind === "wrong") return { index, rule: "A-5", message: `Entry ${index}: ${verdict.message}` };
    if (verdict.kind === "unknown" && now < windowEnd("claim", entry.time))
      throw new LogError("NETWORK", `The proof of entry ${index} could not be looked up: ${verdict.message}`);
  }
  return undefined;
}

function statementOf(material: ReplayMaterial, envelopeHash: Uint8Array): ReturnType<ReplayMaterial["statement"]> {
  try {
    return material.statement(envelopeHash);
  } catch (error) {
    if (error instanceof CoreError) return undefined;
    throw error;
  }
}
