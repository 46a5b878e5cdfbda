// [V-12], [V-13]: by which line a package is judged.
import {
  type ClaimStatus,
  claimStatus,
  isFrozen,
  lackingLetters,
  type Line,
  lineInForce,
  type PackageState,
  pinnedLine,
  proofLetters,
  type Reason,
  type World,
} from "@touchmark/core";
import type { PackageRule } from "../policy/policy.ts";
import { type Finding, reason, rejected, short, unchecked } from "./finding.ts";
import { describeHandover, handoversOf } from "./handovers.ts";
import type { History, OpenEnvelope } from "./package-history.ts";
import { holdsPin, type Pin } from "./pin.ts";
import { rejectedBy } from "./broken-rule.ts";

export type Claimed = Extract<History, { kind: "claimed" }>;

/** The line by which a package's releases are judged. */
export interface Trusted {
  claimed: Claimed;
  line: Line;
}

/** What is asked of a package's authority. */
export interface AuthorityQuestion {
  packageId: string;
  name: string;
  rule: PackageRule;
  /** That of `touchmark.lock`. */
  pin: Pin | undefined;
  history: History;
  /** Log time of the evidence, seconds. */
  time: number;
  /** The world at that time. */
  world: World;
  open: OpenEnvelope;
}

/** Everything that is decided before a release is looked at; else the line that counts. `accepted` means that the package counts as unclaimed. */
export function checkAuthority(question: AuthorityQuestion): Finding | Trusted {
  const { history } = question;
  switch (history.kind) {
    case "unknown":
      return unchecked(
        "EVIDENCE_MISSING",
        "V-9",
        "The evidence says nothing of this package.",
        "Fetch it: touchmark npm install",
      );
    case "incomplete":
      return unchecked("EVIDENCE_MISSING", history.step, history.message, "Fetch it again: touchmark npm install");
    case "broken":
      return rejectedBy(history.error, "V-11");
    case "unclaimed":
      return checkUnclaimed(question);
    case "claimed":
      return checkClaimed(question, history);
  }
}

/** The line that counts by a rule [V-12], or nothing: one that the rule pins, or the one in force if it has the proofs that are asked [P-21]. */
export function countingLine(
  state: PackageState,
  { authority, proof }: Pick<PackageRule, "authority" | "proof">,
  packageId: string,
  world: World,
): Line | null {
  if (authority !== null) return pinnedLine(state, authority);
  const line = lineInForce(state);
  return line && lackingLetters(proof, proofLetters(line, packageId, world)).length === 0 ? line : null;
}

/** Said of a package whose holders have too few keys left to release anything [A-12]. */
export function frozenNote(line: Line): Reason[] {
  if (line.revoked.size === 0 || !isFrozen(line)) return [];
  return [
    reason(
      "FROZEN",
      "V-12",
      "The package is frozen: too few of its holders have a key that is not revoked. What was released before stays good.",
      "Its holders put that right with a change, or by recovery.",
    ),
  ];
}

function checkUnclaimed({ rule, pin }: AuthorityQuestion): Finding {
  if (rule.authority !== null) {
    return rejected(
      "NOT_CLAIMED",
      "V-13",
      "The policy names an authority for this package, but nobody has claimed it in the log.",
      "Claim it: touchmark claim",
    );
  }
  if (pin !== undefined) {
    return rejected(
      "AUTHORITY_CHANGED",
      "V-13",
      `The package was held by ${short(pin.authority)} and is not claimed any more.`,
      "A log never forgets a claim: ask its operator, and whoever changed the policy's log.",
    );
  }
  return asUnclaimed(rule, "Nobody has claimed this package in the log.", []);
}

function checkClaimed(question: AuthorityQuestion, claimed: Claimed): Finding | Trusted {
  const { packageId, rule, pin, world } = question;
  const { state } = claimed;
  const line = countingLine(state, rule, packageId, world);
  if (line && (rule.authority !== null || pin === undefined || holdsPin(state, line, pin))) return { claimed, line };
  if (rule.authority !== null || pin !== undefined) return authorityChanged(question, claimed);
  const force = lineInForce(state);
  const status = claimStatus(state, question.time);
  const note = force
    ? claimNote(force, `is in force and lacks what the policy wants for a proof: ${lackingOf(question, force)}`)
    : state.lines.length > 1
      ? rivalsNote(state.lines, status)
      : claimNote(state.lines[0]!, `is ${status} and does not count yet`);
  const why = force ? "lacks the proofs that the policy wants" : `is ${status}`;
  return asUnclaimed(rule, `The claim of this package ${why}.`, [note]);
}

function claimNote({ authority: { digest } }: Line, what: string): Reason {
  const hint = `To trust it now, put "authority": "${digest}" into touchmark.json.`;
  return reason("CLAIM_PENDING", "V-12", `A claim by ${short(digest)} ${what}.`, hint);
}

// Whichever was named here as the one to trust might be the thief's.
function rivalsNote(lines: readonly Line[], status: ClaimStatus): Reason {
  const digests = lines.map(({ authority }) => short(authority.digest));
  return reason(
    "CLAIM_PENDING",
    "V-12",
    `There are ${lines.length} claims, by ${digests.join(" and ")}: ${status}, none counts yet.`,
    "Ask the owners, by a way that you know, which one is theirs, before you name an authority in touchmark.json.",
  );
}

// [V-13]
function authorityChanged(question: AuthorityQuestion, claimed: Claimed): Finding {
  const { rule, pin, packageId, name, world, open } = question;
  const { state } = claimed;
  const counts = countingLine(state, rule, packageId, world);
  const expected = rule.authority ?? pin!.authority;
  if (rule.authority === null && counts === null && pin && state.lines.some((line) => holdsPin(state, line, pin))) {
    const force = lineInForce(state);
    const missing = force
      ? `whose claim lacks what the policy wants for a proof: ${lackingOf(question, force)}`
      : "and the policy doesn't name it any more";
    return rejected(
      "AUTHORITY_CHANGED",
      "V-13",
      `touchmark.lock holds this package to the authority ${short(expected)}, ${missing}.`,
      `Put "authority": "${expected}" back into touchmark.json; or, if it shall not be held to that, remove touchmark.lock.`,
    );
  }
  const since = pin && rule.authority === null ? pin.epoch : epochOfAuthority(claimed, expected);
  const happened = handoversOf(claimed, open)
    .filter(({ epoch }) => since === null || epoch > since)
    .map(describeHandover);
  const now = counts ?? lineInForce(state);
  const has = now
    ? `the log has ${short(now.authority.digest)}, of ${holdersOf(now)}`
    : `its claims are ${claimStatus(state, question.time)}`;
  return rejected(
    "AUTHORITY_CHANGED",
    "V-13",
    `The authority changed hands: ${short(expected)} was expected, ${has}.${happened.map((what) => ` ${what}.`).join("")}`,
    now
      ? `If that is right: touchmark accept ${name}`
      : "Wait until a claim is in force; touchmark explain shows them.",
  );
}

/** The epoch in which an authority was in force, null if it never was. */
function epochOfAuthority({ chain }: Claimed, digest: string): number | null {
  const link = chain.findLast(({ state }) => pinnedLine(state, digest) !== null);
  return link ? link.state.epoch : null;
}

function lackingOf({ rule, packageId, world }: AuthorityQuestion, line: Line): string {
  return lackingLetters(rule.proof, proofLetters(line, packageId, world))
    .map((letter) => `(${letter})`)
    .join(", ");
}

function holdersOf({ authority }: Line): string {
  return [...new Set(authority.keys.map(({ holder }) => holder))].join(", ");
}

// [V-18]
function asUnclaimed(rule: PackageRule, message: string, notes: Reason[]): Finding {
  if (rule.level !== "strict") return { status: "accepted", basis: "unclaimed", reasons: notes };
  const refusal = rejected(
    "NOT_CLAIMED",
    "V-18",
    message,
    "The policy is strict here: claim the package, or add an exception with an end to touchmark.json.",
  );
  return { ...refusal, reasons: [...refusal.reasons, ...notes] };
}
