// Who still has to sign a statement before the log takes it in. It only tells people whom to ask: whether it is enough is judged by the
// rules themselves.
import {
  type Authority,
  countHolders,
  type HeldKey,
  type Line,
  lineInForce,
  type PackageState,
  type Statement,
  statementChains,
} from "@touchmark/core";
import type { LogView } from "./log-view.ts";

/** What the counting looks at. */
export type StateView = Pick<LogView, "policy" | "state">;

/** Votes of one group of people. */
export interface Votes {
  /** Whose votes: a subject id. */
  of: string;
  as: "holders" | "recovery" | "committee" | "keys";
  have: number;
  need: number;
  /** Labels of those who have signed. */
  signed: string[];
  /** Labels of those who could. */
  waiting: string[];
  /** Fingerprints of those who could. */
  keys: string[];
}

/** What a statement needs by the log's view of its subjects, and what it has. `recovering`: a change that is meant to be by recovery keys. */
export function countVotes(
  statement: Statement,
  signers: readonly string[],
  view: StateView,
  recovering = false,
): Votes[] {
  const votes = statementChains(statement).flatMap((id) => votesOn(id, statement, signers, view, recovering));
  // The same people hold many packages: they are asked once.
  const seen = new Set<string>();
  return votes.filter((vote) => {
    const key = JSON.stringify({ ...vote, of: vote.as === "committee" ? vote.of : "" });
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** `1 of 2, waiting for bob or carol`. */
export function describeVotes({ of, as, have, need, waiting }: Votes): string {
  const who = as === "holders" || as === "keys" ? "" : as === "recovery" ? " recovery holders" : ` of ${of}`;
  const count = `${Math.min(have, need)} of ${need}${who}`;
  if (have >= need) return `${count}, enough`;
  if (waiting.length === 0) return `${count}, and nobody is left who could sign`;
  const all = as === "keys" || waiting.length === need - have;
  return `${count}, waiting for ${listed(waiting, all ? "and" : "or")}`;
}

/** Whether each group has said enough. */
export function isEnough(votes: readonly Votes[]): boolean {
  return votes.every(({ have, need }) => have >= need);
}

function votesOn(
  id: string,
  statement: Statement,
  signers: readonly string[],
  view: StateView,
  recovering: boolean,
): Votes[] {
  if (statement.kind === "claim") return [everyKey(id, listedIn(statement.authority), signers)];
  const state = view.state(id);
  const line = judgingLine(state, signers);
  const holders = (need: (authority: Authority) => number): Votes[] =>
    line === null ? [] : [tally(id, "holders", liveOf(line, line.authority.keys), need(line.authority), signers)];
  switch (statement.kind) {
    case "change":
      return line === null ? [] : changeVotes(id, line, statement.authority, signers, recovering);
    case "adopt": {
      const committees = statement.committees.flatMap((committee) => {
        const seat = lineInForce(view.state(committee));
        return seat === null
          ? []
          : [tally(committee, "committee", seat.authority.keys, seat.authority.releaseThreshold, signers)];
      });
      return [everyKey(id, listedIn(statement.authority), signers), ...committees];
    }
    case "adopt-final": {
      const candidate = state.adoption?.authority;
      return candidate === undefined ? [] : [tally(id, "holders", candidate.keys, candidate.releaseThreshold, signers)];
    }
    case "release": {
      const votes = holders(({ releaseThreshold }) => releaseThreshold);
      return line?.authority.expedite == null ? votes : expediteVotes(line, votes, signers, view);
    }
    case "endorse":
    case "review":
      return holders(({ releaseThreshold }) => releaseThreshold);
    case "hold":
      return holders(({ releaseThreshold }) => (id.startsWith("committee:") ? releaseThreshold : 1));
    case "lift":
    case "funding":
      return holders(({ changeThreshold }) => changeThreshold);
    case "proof":
      return holders(() => 1);
    case "veto":
      return line === null ? [] : [tally(id, "holders", liveOf(line, listedIn(line.authority)), 1, signers)];
    case "revoke":
      // A key revokes itself alone; else it takes as many as a change.
      if (line !== null && statement.keys.every((key) => signers.includes(key))) return [];
      return holders(({ changeThreshold }) => changeThreshold);
  }
}

//
function changeVotes(
  id: string,
  line: Line,
  after: Authority,
  signers: readonly string[],
  recovering: boolean,
): Votes[] {
  const before = line.authority;
  const known = listedIn(before);
  const added = listedIn(after).filter((key) => !known.some(({ fingerprint }) => fingerprint === key.fingerprint));
  const byHolders = tally(id, "holders", liveOf(line, before.keys), before.changeThreshold, signers);
  const votes = before.recovery
    ? tally(id, "recovery", liveOf(line, before.recovery.keys), before.recovery.threshold, signers)
    : null;
  const byRecovery = votes !== null && (recovering || votes.have > 0) && byHolders.have < byHolders.need;
  return [byRecovery ? votes : byHolders, ...(added.length === 0 ? [] : [everyKey(id, added, signers)])];
}

// a committee may stand in for one holder, once all the others have signed and some of its members as well.
function expediteVotes(line: Line, votes: Votes[], signers: readonly string[], view: StateView): Votes[] {
  const [own] = votes;
  const committee = line.authority.expedite!;
  const seat = own && own.have === own.need - 1 ? lineInForce(view.state(committee)) : null;
  if (own === undefined || seat === null) return votes;
  const stands = tally(committee, "committee", seat.authority.keys, seat.authority.releaseThreshold, signers);
  return stands.have === 0 ? votes : [{ ...own, need: own.need - 1 }, stands];
}

/** The line that the signers belong to; without signers the one in force, else the newest. */
function judgingLine(state: PackageState, signers: readonly string[]): Line | null {
  const force = lineInForce(state);
  if (force) return force;
  const fits = ({ authority }: Line): boolean =>
    listedIn(authority).some(({ fingerprint }) => signers.includes(fingerprint));
  return state.lines.findLast(fits) ?? state.lines.at(-1) ?? null;
}

function tally(of: string, as: Votes["as"], keys: readonly HeldKey[], need: number, signers: readonly string[]): Votes {
  const signing = keys.filter(({ fingerprint }) => signers.includes(fingerprint));
  const signed = labelsOf(signing);
  const open = keys.filter(({ holder }) => !signed.includes(holder));
  const left = countHolders(signing) >= need ? [] : open;
  return {
    of,
    as,
    have: countHolders(signing),
    need,
    signed,
    waiting: labelsOf(left),
    keys: left.map(({ fingerprint }) => fingerprint),
  };
}

function everyKey(of: string, keys: readonly HeldKey[], signers: readonly string[]): Votes {
  const [signed, open] = [true, false].map((has) =>
    keys.filter(({ fingerprint }) => signers.includes(fingerprint) === has),
  ) as [HeldKey[], HeldKey[]];
  return {
    of,
    as: "keys",
    have: signed.length,
    need: keys.length,
    signed: labelsOf(signed),
    waiting: labelsOf(open),
    keys: open.map(({ fingerprint }) => fingerprint),
  };
}

function liveOf({ revoked }: Line, keys: readonly HeldKey[]): HeldKey[] {
  return keys.filter(({ fingerprint }) => !revoked.has(fingerprint));
}

function listedIn({ keys, recovery }: Authority): HeldKey[] {
  return [...keys, ...(recovery?.keys ?? [])];
}

function labelsOf(keys: readonly { holder: string }[]): string[] {
  return [...new Set(keys.map(({ holder }) => holder))].toSorted();
}

function listed(labels: readonly string[], last: "and" | "or"): string {
  return labels.length < 2 ? (labels[0] ?? "") : `${labels.slice(0, -1).join(", ")} ${last} ${labels.at(-1)}`;
}
