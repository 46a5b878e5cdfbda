import type { JsonObject } from "@touchmark/core";
import { checkQuorum, type OpenedEvidence, type Policy } from "@touchmark/verify";

/** What was checked with, in one line; its age is that of [V-6]. */
export function evidenceLine({ checkpoint, epoch }: OpenedEvidence, policy: Policy, now: number): string {
  const quorum = checkQuorum(policy, checkpoint, now);
  const held = quorum !== null && "time" in quorum ? quorum : null;
  const age = describeAge(now - (held?.time ?? epoch.time));
  const witnesses = held === null ? "no witnesses named" : `cosigned by ${held.cosigned.join(", ")}`; // [V-22]
  return `${checkpoint.origin}, ${checkpoint.size} leaves, ${age}, ${witnesses}`;
}

/** `quorum` is null where the policy names none [V-22]. */
export function evidenceJson({ checkpoint, epoch }: OpenedEvidence, policy: Policy, now: number): JsonObject {
  const quorum = checkQuorum(policy, checkpoint, now);
  const held = quorum !== null && "time" in quorum ? { time: quorum.time, cosigned: [...quorum.cosigned] } : null;
  return { origin: checkpoint.origin, size: checkpoint.size, time: epoch.time, quorum: held };
}

/** Log time for people: UTC, to the second. */
export function describeTime(time: number): string {
  return `${new Date(time * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function describeAge(seconds: number): string {
  if (seconds < 120) return "just now";
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes old`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} hours old`;
  return `${Math.round(seconds / 86_400)} days old`;
}
