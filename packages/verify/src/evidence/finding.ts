import type { Reason, ReasonCode, Verdict } from "@touchmark/core";

/** What the checks of a package come to, before the policy's level and exceptions are looked at. */
export type Finding = Pick<Verdict, "status" | "reasons"> & Partial<Pick<Verdict, "basis" | "signers">>;

export function rejected(code: ReasonCode, step: string, message: string, hint: string): Finding {
  return { status: "rejected", reasons: [reason(code, step, message, hint)] };
}

export function unchecked(code: ReasonCode, step: string, message: string, hint: string): Finding {
  return { status: "unchecked", reasons: [reason(code, step, message, hint)] };
}

export function reason(code: ReasonCode, step: string, message: string, hint: string): Reason {
  return { code, step, message, hint };
}

/** As much of an authority digest as a sentence can hold. */
export function short(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

/** The day of a log time, UTC. */
export function dayOf(time: number): string {
  return new Date(time * 1000).toISOString().slice(0, 10);
}
