import type { JsonObject } from "@touchmark/core";
import type { OpenedEvidence } from "@touchmark/verify";

/** What was checked with, in one line. */
export function evidenceLine({ checkpoint, epoch }: OpenedEvidence, now: number): string {
  return `${checkpoint.origin}, ${checkpoint.size} leaves, ${describeAge(now - epoch.time)}`;
}

export function evidenceJson({ checkpoint, epoch }: OpenedEvidence): JsonObject {
  return { origin: checkpoint.origin, size: checkpoint.size, time: epoch.time };
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
