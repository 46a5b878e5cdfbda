import type { Reason } from "@touchmark/core";
import { type SignedCheckpoint } from "@touchmark/log";
import { type Companion, type OpenedEvidence, type Policy } from "@touchmark/verify";
import type { Context } from "../command.ts";
/** What there is to check with: evidence that may be relied on, or the reason why there is none. */
export interface LoadedEvidence {
    evidence: OpenedEvidence | Reason;
    /** Package id → authority digest, of `touchmark.lock`. */
    pins: ReadonlyMap<string, string>;
    /** Stale and the like. */
    warnings: Reason[];
}
export interface EvidenceWish {
    policy: Policy;
    /** `touchmark.lock` lies beside it. */
    lockfile: string;
    /** Asks the log for these versions of these packages; null for what `touchmark.lock` has, without any network. */
    ask: Readonly<Record<string, readonly string[]>> | null;
}
/** Gathers evidence and decides whether it can be relied on [V-1] to [V-6]. Throws `MEMORY_UNUSABLE` and what the system throws. */
export declare function loadEvidence({ policy, lockfile, ask }: EvidenceWish, context: Context): Promise<LoadedEvidence>;
/** `touchmark.lock`: null if there is none; a malformed one is a reason [V-1]. */
export declare function readCompanion(file: string): Companion | Reason | null;
/** Remembers a newer checkpoint. That it can't be remembered takes nothing from what was checked. */
export declare function rememberOrWarn(checkpoint: SignedCheckpoint, policy: Policy, { io, ui }: Context): void;
