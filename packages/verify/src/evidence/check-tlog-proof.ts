import type { Reason } from "@touchmark/core";
import {
  type EpochLeaf,
  leafHash,
  LogError,
  type PackageEntry,
  parseLeaf,
  parseNote,
  parseTlogProof,
  type SignedCheckpoint,
  verifyCosignatures,
  verifyTlogProof,
} from "@touchmark/log";
import type { Policy } from "../policy/policy.ts";
import { type CheckedQuorum, checkQuorum } from "./check-quorum.ts";
import { reasonOf } from "./trust-evidence.ts";

/** What a `.tlog-proof` shows under a policy. `quorum` is null where the policy names none [V-22]. */
export type TlogProofVerdict =
  | {
      status: "accepted";
      /** The leaf's place in the tree of `checkpoint`. */
      index: number;
      leaf: PackageEntry | EpochLeaf;
      checkpoint: SignedCheckpoint;
      quorum: CheckedQuorum | null;
    }
  | { status: "rejected" | "unchecked"; reason: Reason };

/**
 * Checks a proof by itself, offline [M-17]: a leaf of the policy's log, in a tree that the log signed, with the quorum of the policy. `now` in seconds.
 * That a leaf is in the log says nothing of its statement being good.
 */
export function checkTlogProof(policy: Policy, text: string, now: number): TlogProofVerdict {
  try {
    const proof = parseTlogProof(text);
    if (proof.extra === undefined)
      throw new LogError("BAD_PROOF", "The log proof does not hold the leaf that it is of.");
    const leaf = parseLeaf(proof.extra);
    const checkpoint = verifyTlogProof(proof, leafHash(proof.extra), policy.log.key);
    const quorum = checkQuorum(policy, checkpoint, now); // [V-21]
    if (quorum === null || "time" in quorum)
      return { status: "accepted", index: proof.index, leaf, checkpoint, quorum };
    return { status: isComputable(policy, checkpoint) ? "rejected" : "unchecked", reason: quorum };
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    const { code, ...reason } = reasonOf(error);
    return { status: "rejected", reason: { ...reason, code, step: code === "PROOF_BAD" ? "M-17" : reason.step } };
  }
}

/** Whether each cosignature by a witness of the policy could be computed here. */
function isComputable({ log: { quorum } }: Policy, checkpoint: SignedCheckpoint): boolean {
  const keys = quorum?.witnesses.map(({ key }) => key) ?? [];
  try {
    return verifyCosignatures(parseNote(Buffer.from(checkpoint.note, "utf8")), keys).unchecked.length === 0;
  } catch (error) {
    if (error instanceof LogError) return true; // one is false
    throw error;
  }
}
