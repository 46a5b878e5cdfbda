import { lineInForce, type Line } from "@touchmark/core";
import { dayOf } from "./finding.ts";
import type { History, OpenEnvelope } from "./package-history.ts";

/** How an epoch of a package began: somebody took it over. */
export interface Handover {
  /** The epoch that it began. */
  epoch: number;
  /** Index of the adopt-final entry, and its log time in seconds. */
  entry: number;
  time: number;
  /** Index of the entry that proposed it. */
  proposed: number;
  /** With committees, by a successor that the holders had named, or of a package whose holders left it open to anybody. */
  way: "adoption" | "succession" | "open";
  committees: string[];
  /** Authority digests. */
  from: string;
  to: string;
  /** Who had the keys, and who has them. */
  before: string[];
  after: string[];
}

/** Every take-over of a package that counts here, the oldest first. */
export function handoversOf({ chain }: Extract<History, { kind: "claimed" }>, open: OpenEnvelope): Handover[] {
  const handovers: Handover[] = [];
  for (const [at, { entry, state }] of chain.entries()) {
    const proposal = chain[at - 1];
    const before = proposal && lineInForce(proposal.state);
    const after = lineInForce(state);
    if (entry.kind !== "adopt-final" || !before || !after || state.epoch === proposal.state.epoch) continue;
    const statement = open(proposal.entry)?.statement;
    const committees = statement?.kind === "adopt" ? statement.committees : [];
    handovers.push({
      epoch: state.epoch,
      entry: entry.index,
      time: entry.time,
      proposed: proposal.entry.index,
      way: committees.length > 0 ? "adoption" : isSuccession(before, after) ? "succession" : "open",
      committees,
      from: before.authority.digest,
      to: after.authority.digest,
      before: holdersOf(before),
      after: holdersOf(after),
    });
  }
  return handovers;
}

/** What happened, in a sentence. Labels and ids are of the forms of [C-17] and need no cleaning. */
export function describeHandover({ epoch, entry, time, way, committees, before, after }: Handover): string {
  const how = {
    adoption: `adopted it with ${committees.join(" and ")}`,
    succession: "succeeded, as its holders had provided for",
    open: "took it over, which its holders had left open to anybody",
  }[way];
  return `${after.join(", ")} ${how}, in entry ${entry} of ${dayOf(time)}: epoch ${epoch} began, and ${before.join(", ")} can release nothing any more`;
}

function isSuccession(before: Line, after: Line): boolean {
  return before.authority.successors.some((successor) =>
    after.authority.keys.some(({ fingerprint }) => fingerprint === successor),
  );
}

function holdersOf({ authority }: Line): string[] {
  return [...new Set(authority.keys.map(({ holder }) => holder))];
}
