import { dirname, join } from "node:path";
import type { Reason } from "@touchmark/core";
import {
  type Evidence,
  fetchEvidence,
  LogError,
  MAX_EVIDENCE_BYTES,
  parseEvidence,
  type SignedCheckpoint,
} from "@touchmark/log";
import {
  type Companion,
  companionCheckpoint,
  keepFork,
  type OpenedEvidence,
  parseCompanion,
  type Pin,
  type Policy,
  readRemembered,
  reasonOf,
  remember,
  trustEvidence,
  type TrustedEvidence,
  type TrustOptions,
  VerifyError,
  withCommittees,
} from "@touchmark/verify";
import { isAttended } from "../attended.ts";
import type { Context } from "../command.ts";
import { touchmarkHome } from "../files/home.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { readIfThere } from "../files/read-file.ts";

/** What there is to check with: evidence that may be relied on, or the reason why there is none. */
export interface LoadedEvidence {
  evidence: OpenedEvidence | Reason;
  /** The bundle that was opened, null if there is none. */
  bundle: Evidence | null;
  /** Those of `touchmark.lock`, by package id. */
  pins: ReadonlyMap<string, Pin>;
  /** Stale and the like. */
  warnings: Reason[];
}

export interface EvidenceWish {
  policy: Policy;
  /** `touchmark.lock` lies beside it. */
  lockfile: string;
  /** Asks the log for these versions of these packages, and for the committees of the policy; null for what `touchmark.lock` has, without any network. */
  ask: Readonly<Record<string, readonly string[]>> | null;
}

/** Gathers evidence and decides whether it can be relied on [V-1] to [V-6]. Throws `MEMORY_UNUSABLE` and what the system throws. */
export async function loadEvidence({ policy, lockfile, ask }: EvidenceWish, context: Context): Promise<LoadedEvidence> {
  const home = touchmarkHome(context.io);
  const file = join(dirname(lockfile), "touchmark.lock");
  const companion = readCompanion(file);
  const pins = companion && "pins" in companion ? companion.pins : new Map<string, Pin>();
  const remembered = readRemembered(home, policy.log.key);
  const held = readRemembered(home, policy.log.key, file);
  const everywhere = remembered ? [remembered] : [];
  const here = held ? [held] : [];
  if (ask === null) {
    if (companion === null) return { evidence: missing(file), bundle: null, pins, warnings: [] };
    if ("code" in companion) return { evidence: companion, bundle: null, pins, warnings: [] };
    const trusted = await trust(companion.evidence, { policy, seen: here, elsewhere: everywhere, log: null }, context);
    if (trusted.ok) rememberOrWarn(trusted.evidence.checkpoint, policy, context, file);
    return settle(trusted, companion.evidence, pins, context, policy);
  }
  // A touchmark.lock that can't be read has no pins to say what was accepted before, and no checkpoint to say how far the log was.
  if (companion && "code" in companion) return { evidence: companion, bundle: null, pins, warnings: [] };
  const known = companion && orReason("V-5", () => companionCheckpoint(companion, policy.log.key));
  if (known && "code" in known) return { evidence: known, bundle: null, pins, warnings: [] };
  const seen = [...everywhere, ...here, ...(known ? [known] : [])];
  const log = logEndpoint(policy, context.io);
  try {
    const bundle = parseEvidence(await fetchEvidence(log, withCommittees(policy, ask)));
    return settle(await trust(bundle, { policy, seen, log }, context), bundle, pins, context, policy);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    const hint = "Check the network and log.url in touchmark.json, and try again.";
    return { evidence: withHint(reasonOf(error), hint), bundle: null, pins, warnings: [] };
  }
}

/** `touchmark.lock`: null if there is none; a malformed one is a reason [V-1]. */
function readCompanion(file: string): Companion | Reason | null {
  const bytes = readIfThere(file, MAX_EVIDENCE_BYTES);
  return bytes && orReason("V-1", () => parseCompanion(bytes));
}

function orReason<T>(step: string, read: () => T): T | Reason {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    return { code: "EVIDENCE_MALFORMED", step, message: error.message, hint: error.hint };
  }
}

/** Remembers a newer checkpoint, of the log or of the touchmark.lock at a path. That it can't be remembered takes nothing from what was checked. */
export function rememberOrWarn(
  checkpoint: SignedCheckpoint,
  policy: Policy,
  { io, ui }: Context,
  companion: string | null = null,
): void {
  try {
    remember(touchmarkHome(io), policy.log.key, checkpoint, companion);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    ui.warn(error.message, error.hint);
  }
}

function trust(
  bundle: Companion["evidence"],
  against: Omit<TrustOptions, "now" | "attended">,
  { io }: Context,
): Promise<TrustedEvidence> {
  return trustEvidence(bundle, { ...against, now: io.now(), attended: isAttended(io) });
}

function settle(
  trusted: TrustedEvidence,
  bundle: Evidence,
  pins: LoadedEvidence["pins"],
  context: Context,
  policy: Policy,
): LoadedEvidence {
  if (trusted.ok) {
    rememberOrWarn(trusted.evidence.checkpoint, policy, context);
    return { evidence: trusted.evidence, bundle, pins, warnings: trusted.warnings };
  }
  if (trusted.fork) {
    const kept = keepFork(touchmarkHome(context.io), policy.log.key, trusted.fork);
    context.ui.warn(`the log contradicts itself; both notes are kept in ${kept}`);
  }
  return {
    evidence: withHint(trusted.reason, "Restore touchmark.lock from git, or ask the log now with --online."),
    bundle: null,
    pins,
    warnings: [],
  };
}

function withHint(reason: Reason, hint: string): Reason {
  return reason.hint === "" ? { ...reason, hint } : reason;
}

function missing(file: string): Reason {
  return {
    code: "EVIDENCE_MISSING",
    step: "V-9",
    message: `There is no evidence to check with: ${file} does not exist.`,
    hint: "touchmark npm install writes it; or ask the log now, with --online.",
  };
}
