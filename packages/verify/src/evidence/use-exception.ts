import { cleanText, type Reason, type Verdict } from "@touchmark/core";
import type { Policy } from "../policy/policy.ts";
import { reason } from "./finding.ts";

/** A rejection that an exception of the policy turns into an acceptance [V-19]; other verdicts stay as they are. */
export function withException(policy: Policy, verdict: Verdict): Verdict {
  const wanting = verdict.status === "rejected" && verdict.reasons.every(({ code }) => EXCUSABLE.has(code));
  const exception = policy.exceptions.find(({ releaseId }) => releaseId === `${verdict.packageId}@${verdict.version}`);
  if (!wanting || !exception) return verdict;
  const used = reason(
    "EXCEPTION_USED",
    "V-19",
    `Let through until ${exception.until} by ${cleanText(exception.author)}: ${cleanText(exception.reason)}`,
    "",
  );
  return { ...verdict, status: "accepted", basis: "exception", reasons: [used, ...verdict.reasons] };
}

/** A want of signatures or reviews, and holds [P-8]; and what is only said beside them. */
const EXCUSABLE: ReadonlySet<Reason["code"]> = new Set<Reason["code"]>([
  "NOT_SIGNED",
  "NOT_CLAIMED",
  "CLAIM_PENDING",
  "FROZEN",
  "EXPEDITED",
  "HELD",
  "NOT_REVIEWED",
]);
