import type { JsonObject } from "@touchmark/core";
import type { OpenedEvidence } from "@touchmark/verify";
/** What was checked with, in one line. */
export declare function evidenceLine({ checkpoint, epoch }: OpenedEvidence, now: number): string;
export declare function evidenceJson({ checkpoint, epoch }: OpenedEvidence): JsonObject;
/** Log time for people: UTC, to the second. */
export declare function describeTime(time: number): string;
