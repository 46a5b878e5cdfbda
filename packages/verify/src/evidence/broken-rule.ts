import type { CoreError } from "@touchmark/core";
import { type Finding, rejected } from "./finding.ts";
import { reasonCodeOf } from "./reason-code.ts";

/** The rejection for what the rules forbid, under the step that applied them. */
export function rejectedBy(error: CoreError, step: string): Finding {
  return rejected(
    reasonCodeOf(error),
    `${step} ${error.rule}`,
    error.message,
    error.hint === "" ? "The log should not have admitted this." : error.hint,
  );
}
