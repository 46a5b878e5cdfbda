import { type Authority, lineInForce, type Line, type PackageState, type Reason, type World } from "@touchmark/core";
import {
  type Committees,
  countingLine,
  envelopeOpener,
  type Handover,
  handoversOf,
  holdsPin,
  type OpenedEvidence,
  type OpenEnvelope,
  type PackageRule,
  type Pin,
  pinOf,
  type Policy,
  type ProvedEntry,
  readCommittees,
  readHistory,
  ruleFor,
} from "@touchmark/verify";
import type { Subject } from "./explain-release.ts";

/** Who signed a statement of a take-over: by the candidate's label, or by a member's and their committee. */
export interface TransferSigner {
  who: string;
  fingerprint: string;
}

/** A package whose authority is another one than this repository has pinned. */
export interface Transfer {
  /** The authority digest that was expected, and what the log knows of it; null if it never was in force. */
  from: { digest: string; authority: Authority | null };
  to: { line: Line; pin: Pin };
  handovers: { handover: Handover; proposedBy: TransferSigner[]; finishedBy: TransferSigner[] }[];
}

/** What there is to accept: a transfer, nothing (`null`), or the reason why it can't be told or can't be accepted. */
export function findTransfer(
  { packageId, name }: Subject,
  policy: Policy,
  pin: Pin | undefined,
  evidence: OpenedEvidence,
): Transfer | Reason | null {
  const open = envelopeOpener(evidence);
  const committees = readCommittees(policy, evidence, open);
  if (committees.unread !== null) return committees.unread;
  const { worldBefore } = committees;
  const world = worldBefore(Infinity);
  const rule = ruleFor(policy, name);
  const expected = rule.authority ?? pin?.authority;
  if (expected === undefined) return null;
  const history = readHistory(evidence, open, packageId, { worldBefore, vouched: null });
  if (history.kind === "unknown" || history.kind === "incomplete")
    return refusal("EVIDENCE_MISSING", "V-10", "The log's evidence of the package is not whole.");
  if (history.kind === "broken") return refusal("RULE_BROKEN", "V-11", history.error.message);
  if (history.kind === "unclaimed") return refusal("NOT_CLAIMED", "V-13", "Nobody has claimed the package in the log.");
  const { state } = history;
  if (stillHeld({ state, rule, pin, packageId, world })) return null;
  const line = countingLine(state, { ...rule, authority: null }, packageId, world);
  if (!line)
    return refusal(
      "CLAIM_PENDING",
      "V-12",
      "No claim of the package is in force with the proofs that the policy wants.",
    );
  const before = history.chain.flatMap((link) => link.state.lines).find((old) => old.authority.digest === expected);
  const since = before ? (history.chain.findLast((link) => link.state.lines.includes(before))?.state.epoch ?? 0) : 0;
  const byIndex = new Map(history.chain.map(({ entry }) => [entry.index, entry]));
  return {
    from: { digest: expected, authority: before?.authority ?? null },
    to: { line, pin: pinOf(state, line, packageId, world) },
    handovers: handoversOf(history, open)
      .filter(({ epoch }) => epoch > since)
      .map((handover) => ({
        handover,
        proposedBy: signersOf(byIndex.get(handover.proposed)!, handover, history.chain, committees, open),
        finishedBy: signersOf(byIndex.get(handover.entry)!, handover, history.chain, committees, open),
      })),
  };
}

interface Held {
  state: PackageState;
  rule: PackageRule;
  pin: Pin | undefined;
  packageId: string;
  world: World;
}

/** Whether policy and touchmark.lock both name an authority of the line that counts. */
function stillHeld({ state, rule, pin, packageId, world }: Held): boolean {
  const line = countingLine(state, rule, packageId, world);
  return line !== null && (pin === undefined || holdsPin(state, line, pin));
}

function signersOf(
  entry: ProvedEntry,
  { to, committees: named }: Handover,
  chain: readonly { state: PackageState }[],
  committees: Committees,
  open: OpenEnvelope,
): TransferSigner[] {
  const candidate = chain.map(({ state }) => lineInForce(state)).find((line) => line?.authority.digest === to);
  const world = committees.worldBefore(entry.index);
  const groups = [
    { of: "", keys: candidate?.authority.keys ?? [] },
    ...named.map((id) => ({ of: ` of ${id}`, keys: world.state(id)?.lines[0]?.authority.keys ?? [] })),
  ];
  const signers = open(entry)?.signers ?? [];
  return (signers === "vouched" ? [] : signers).map(({ fingerprint }) => {
    const group = groups.find(({ keys }) => keys.some((key) => key.fingerprint === fingerprint));
    const holder = group?.keys.find((key) => key.fingerprint === fingerprint)?.holder ?? "a recovery key";
    return { who: `${holder}${group?.of ?? ""}`, fingerprint };
  });
}

function refusal(code: Reason["code"], step: string, message: string): Reason {
  return { code, step, message, hint: "touchmark explain shows what the log knows of it." };
}
