import { type JsonObject, type Reason, type Verdict, type VerdictStatus } from "@touchmark/core";
import { type Exit } from "../failure.ts";
import { type Ui } from "../ui.ts";
/** The exit code that a status stands for (docs/spec/06, "Exit codes"). */
export declare function exitOf(status: VerdictStatus): Exit;
/** One package: a line of status and what it rests on, then its reasons. */
export declare function verdictLines(verdict: Verdict, ui: Ui): string[];
/** A reason with its code, its step of the specification, and its hint. */
export declare function reasonLines({ code, step, message, hint }: Reason, indent?: string): string[];
export declare function verdictJson(verdict: Verdict): JsonObject;
export declare function reasonJson(reason: Reason): JsonObject;
/** How many of what, in one line: `3 packages: 2 signed, 1 rejected`. */
export declare function summary(verdicts: readonly Verdict[]): string;
/** What an accepted verdict rests on, in a few words. */
export declare function basisOf({ basis, signers }: Verdict): string;
