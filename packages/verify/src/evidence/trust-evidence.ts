import type { Reason } from "@touchmark/core";
import {
  type Evidence,
  fetchConsistency,
  type LogEndpoint,
  LogError,
  type NotePair,
  type SignedCheckpoint,
} from "@touchmark/log";
import type { Policy } from "../policy/policy.ts";
import { checkQuorum } from "./check-quorum.ts";
import { type OpenedEvidence, openEvidence } from "./open-evidence.ts";

const MAX_AHEAD = 600; // [V-6]

/** A bundle that may be relied on, or the reason why nothing can be checked with it. */
export type TrustedEvidence =
  | { ok: true; evidence: OpenedEvidence; warnings: Reason[] }
  | { ok: false; reason: Reason; fork: NotePair | null };

export interface TrustOptions {
  policy: Policy;
  /** Seconds. */
  now: number;
  /** Checkpoints that the evidence may not be older than: where the log is asked all that were seen of it, else those that `touchmark.lock` has held. */
  seen: SignedCheckpoint[];
  /** Others of this log, seen in other repositories: the evidence may be older than them, but may not contradict them. None if left out. */
  elsewhere?: SignedCheckpoint[];
  /** The log, if it may be asked; the bundle then counts as fetched just now. */
  log: LogEndpoint | null;
  /** False where nobody reads a warning, as in a CI job [V-6]. True if left out. */
  attended?: boolean;
}

/** Decides whether a bundle as a whole can be relied on [V-1] to [V-6], [V-21]. */
export async function trustEvidence(bundle: Evidence, options: TrustOptions): Promise<TrustedEvidence> {
  const { policy, now, seen, elsewhere = [], log, attended = true } = options;
  try {
    const evidence = openEvidence(bundle, policy.log.key);
    const distinct = new Map(seen.map((older) => [older.note, older]));
    for (const older of distinct.values()) await checkProgress(older, evidence.checkpoint, log);
    for (const other of elsewhere) checkSameSize(other, evidence.checkpoint);
    const quorum = checkQuorum(policy, evidence.checkpoint, now); // [V-21]
    if (quorum !== null && "code" in quorum) return { ok: false, reason: quorum, fork: null };
    const times = { epoch: evidence.epoch.time, quorum: quorum?.time ?? null };
    const age = checkAge(policy, times, now, { online: log !== null, attended });
    if (age?.fatal) return { ok: false, reason: age.reason, fork: null };
    return { ok: true, evidence, warnings: age ? [age.reason] : [] };
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return { ok: false, reason: reasonOf(error), fork: error.code === "FORK" ? (error.notes ?? null) : null };
  }
}

/** A reason out of whatever a log or a bundle did wrong. */
export function reasonOf(error: LogError): Reason {
  const [code, step] = CODES[error.code] ?? (["EVIDENCE_MALFORMED", "V-1"] as const);
  return { code, step, message: error.message, hint: error.hint };
}

// [V-5]
async function checkProgress(older: SignedCheckpoint, newer: SignedCheckpoint, log: LogEndpoint | null): Promise<void> {
  const notes = { older: older.note, newer: newer.note };
  if (newer.size < older.size) {
    throw new LogError(
      "ROLLBACK",
      `The evidence is of a log of ${newer.size} leaves; one of ${older.size} was seen before.`,
      {
        hint: log
          ? "An old state of the log is shown, by its operator or by somebody in between; try again from another network."
          : "Fetch the evidence again: touchmark npm install",
        notes,
      },
    );
  }
  checkSameSize(older, newer);
  if (log) await fetchConsistency(log, older, newer);
}

function checkSameSize(one: SignedCheckpoint, other: SignedCheckpoint): void {
  if (one.size !== other.size || Buffer.compare(one.root, other.root) === 0) return;
  throw new LogError("FORK", `The log signed two trees of ${one.size} leaves.`, {
    hint: "Keep both notes: they prove it to anybody.",
    notes: { older: one.note, newer: other.note },
  });
}

// [V-6]
function checkAge(
  policy: Policy,
  time: { epoch: number; quorum: number | null },
  now: number,
  { online, attended }: { online: boolean; attended: boolean },
): { fatal: boolean; reason: Reason } | null {
  const ahead = time.epoch - now;
  if (ahead > MAX_AHEAD) {
    const message = `The log's time is ${ahead} seconds ahead of this machine's clock.`;
    return { fatal: true, reason: { code: "STALE", step: "V-6", message, hint: "Set the clock." } };
  }
  const limit = online ? policy.freshness.online : policy.freshness.offline;
  const age = now - (time.quorum ?? time.epoch);
  if (age <= limit) return null;
  const nothing =
    time.quorum === null ? "The log shows nothing newer than" : "The witnesses have cosigned nothing newer than";
  const message = `${nothing} ${hours(age)}; the policy allows ${hours(limit)}.`;
  const hint = online
    ? "The log may be stuck, or somebody holds its news back."
    : "Fetch it again: touchmark npm install";
  // Whoever answers must not get further with old news than whoever is silent.
  const fatal = !online || !attended || age > Math.max(policy.freshness.online, policy.freshness.offline);
  return { fatal, reason: { code: "STALE", step: "V-6", message, hint } };
}

function hours(seconds: number): string {
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
}

const CODES: Partial<Record<LogError["code"], readonly [Reason["code"], string]>> = {
  BAD_NOTE: ["CHECKPOINT_BAD", "V-2"],
  BAD_CHECKPOINT: ["CHECKPOINT_BAD", "V-2"],
  UNSIGNED: ["CHECKPOINT_BAD", "V-2"],
  WRONG_ORIGIN: ["CHECKPOINT_BAD", "V-2"],
  BAD_PROOF: ["PROOF_BAD", "V-3"],
  BAD_ENTRY: ["PROOF_BAD", "V-3"],
  BAD_RECORD: ["PROOF_BAD", "V-4"],
  BAD_TILE: ["PROOF_BAD", "V-5"],
  ROLLBACK: ["ROLLBACK", "V-5"],
  FORK: ["FORK", "V-5"],
  NETWORK: ["LOG_UNREACHABLE", "V-5"],
  TIMEOUT: ["LOG_UNREACHABLE", "V-5"],
  REFUSED: ["LOG_UNREACHABLE", "V-5"],
  NOT_FOUND: ["LOG_UNREACHABLE", "V-5"],
  BAD_ANSWER: ["LOG_UNREACHABLE", "V-5"],
};
