import { cleanText, type Reason } from "@touchmark/core";
import {
  decideQuorum,
  LogError,
  parseNote,
  type QuorumVerdict,
  type SignedCheckpoint,
  verifyCosignatures,
} from "@touchmark/log";
import type { Policy } from "../policy/policy.ts";

/** Whose cosignatures a checkpoint has, by the policy's names, and as of when its quorum stands. */
export interface CheckedQuorum {
  /** Seconds. */
  time: number;
  cosigned: readonly string[];
}

/**
 * Checks a checkpoint's cosignatures against the quorum of the policy [V-21]. Null where the policy demands none [V-22]; a reason where it is not there, or
 * where one is false. `now` in seconds.
 */
export function checkQuorum(policy: Policy, checkpoint: SignedCheckpoint, now: number): CheckedQuorum | Reason | null {
  const { quorum } = policy.log;
  if (quorum === null) return null;
  const keys = quorum.witnesses.map(({ key }) => key);
  try {
    const note = parseNote(Buffer.from(checkpoint.note, "utf8"));
    const { cosignatures, unchecked } = verifyCosignatures(note, keys);
    const verdict = decideQuorum(quorum, cosignatures, now);
    if (verdict.time !== null) return { time: verdict.time, cosigned: verdict.cosigned.map((name) => cleanText(name)) };
    const names = quorum.witnesses.filter(({ key }) => unchecked.includes(key)).map(({ name }) => name);
    return lacking(verdict, names);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return { code: "CHECKPOINT_BAD", step: "V-21", message: error.message, hint: "" };
  }
}

function lacking({ cosigned, missing, ignored }: QuorumVerdict, unchecked: readonly string[]): Reason {
  const parts = [
    cosigned.length === 0 ? "nobody cosigned it" : `cosigned by ${listOf(cosigned)}`,
    ...(ignored.length === 0 ? [] : [`the time of ${listOf(ignored)} is none or ahead of this machine's clock`]),
    ...(unchecked.length === 0 ? [] : [`that of ${listOf(unchecked)} cannot be checked by this Node`]),
    ...(missing.length === 0 ? [] : [`without ${listOf(missing)}`]),
  ];
  const hint =
    unchecked.length > 0
      ? "ML-DSA-44 needs Node 24 or later, or the package @noble/post-quantum."
      : "Fetch the evidence again: touchmark npm install, or --online. If it stays so, the witnesses are down, or somebody shows a history that they have not seen.";
  const message = `The checkpoint lacks the quorum of witnesses that the policy demands: ${parts.join("; ")}.`;
  return { code: "QUORUM", step: "V-21", message, hint };
}

function listOf(names: readonly string[]): string {
  return names.map((name) => cleanText(name, 60)).join(", ");
}
