/** Whether the cosignatures on a checkpoint are those that a policy demands, and as of when. Pure: the time comes in. */
import { equalBytes } from "@touchmark/core";
import type { Cosignature } from "./cosignature.ts";
import type { VerifierKey } from "./note.ts";
import type { PolicyMember, PolicyWitness, TlogPolicy } from "./tlog-policy.ts";

/** Seconds that a cosignature's time may be ahead of the clock. */
export const MAX_COSIGNATURE_AHEAD = 600;

/**
 * `held`: the quorum is there. `time`: the newest time at which the quorum stands, in seconds; null where none is demanded or it is not there.
 * `cosigned` and `missing`: the policy's names of witnesses; `ignored`: those whose only cosignatures do not count, being of the future or of no time.
 */
export type QuorumVerdict = {
  readonly held: boolean;
  readonly time: number | null;
  readonly cosigned: readonly string[];
  readonly missing: readonly string[];
  readonly ignored: readonly string[];
};

/** Decides by verified cosignatures to. A witness counts once, however often it cosigned. `now` in seconds. */
export function decideQuorum(policy: TlogPolicy, cosignatures: readonly Cosignature[], now: number): QuorumVerdict {
  const times = new Map<PolicyWitness, number>();
  const ignored: PolicyWitness[] = [];
  for (const witness of policy.witnesses) {
    const { key } = witness;
    const own = cosignatures.filter((one) => isSameKey(one.key, key));
    const counted = own.map(({ time }) => time).filter((time) => time > 0 && time <= now + MAX_COSIGNATURE_AHEAD);
    if (counted.length > 0) times.set(witness, Math.max(...counted));
    else if (own.length > 0) ignored.push(witness);
  }
  const time = policy.quorum === null ? null : timeOf(policy.quorum, times);
  const namesOf = (wanted: (witness: PolicyWitness) => boolean): string[] =>
    policy.witnesses.filter(wanted).map(({ name }) => name);
  return {
    held: policy.quorum === null || time !== undefined,
    time: time ?? null,
    cosigned: namesOf((witness) => times.has(witness)),
    missing: namesOf((witness) => !times.has(witness)),
    ignored: namesOf((witness) => ignored.includes(witness)),
  };
}

/** Name and id are not enough: an id is 32 bits, and whoever may choose a key can find one with the id of another. */
function isSameKey(a: VerifierKey, b: VerifierKey): boolean {
  return a.name === b.name && a.keyId === b.keyId && a.type === b.type && equalBytes(a.publicKey, b.publicKey);
}

/** The newest time at which a member stands: a witness's own, a group's that of its threshold-th newest member; `undefined` if it does not. */
function timeOf(member: PolicyMember, times: ReadonlyMap<PolicyWitness, number>): number | undefined {
  if (member.kind === "witness") return times.get(member);
  const standing = member.members.map((one) => timeOf(one, times)).filter((time) => time !== undefined);
  return standing.toSorted((a, b) => b - a)[member.threshold - 1];
}

/**
 * How many witnesses any two quorums have in common at least. A log can show two histories only with the help of that many dishonest witnesses: with
 * n witnesses of which k are needed, 2k − n. At 0 it needs no help at all.
 */
export function quorumOverlap({ quorum }: TlogPolicy): number {
  return quorum === null ? 0 : overlapOf(quorum);
}

/** What the overlap means, in a sentence for whoever writes the policy. */
export function overlapSentence(overlap: number): string {
  if (overlap === 0) {
    return "Two histories of this log could each have their quorum although every witness is honest: 2k - n is 0 or less.";
  }
  return overlap === 1
    ? "This quorum tolerates no dishonest witness: 2k - n is 1, so that one of them could help the log show two histories."
    : `This quorum tolerates ${overlap - 1} dishonest ${overlap === 2 ? "witness" : "witnesses"}: 2k - n is ${overlap}.`;
}

/** Two choices of k among n members share 2k − n of them; the worst case shares those that themselves have the least in common. */
function overlapOf(member: PolicyMember): number {
  if (member.kind === "witness") return 1;
  const shared = Math.max(0, 2 * member.threshold - member.members.length);
  const overlaps = member.members.map(overlapOf).toSorted((a, b) => a - b);
  return overlaps.slice(0, shared).reduce((sum, overlap) => sum + overlap, 0);
}
