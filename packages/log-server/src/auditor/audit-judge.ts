import { type LogEndpoint, verifyCheckpoint } from "@touchmark/log";
import type { Judge, Objection } from "../witness/witness.ts";
import { type Auditor, type AuditVerdict, CLOCK_TOLERANCE } from "./auditor.ts";

/**
 * [M-11] What makes a witness an auditor: each checkpoint is replayed before it is cosigned. `tell` is given every verdict. The log has to serve the tiles and
 * envelopes of a checkpoint that it asks about, published or not [L-32].
 */
export function auditJudge(auditor: Auditor, log: LogEndpoint, tell: (verdict: AuditVerdict) => void): Judge {
  return async ({ note }) => {
    const verdict = await auditor.audit(log, verifyCheckpoint(note, log.key));
    tell(verdict);
    return objectionOf(verdict);
  };
}

function objectionOf(verdict: AuditVerdict): Objection | null {
  switch (verdict.kind) {
    case "good": {
      const behind = verdict.seen - verdict.time;
      // [M-7]
      return behind <= CLOCK_TOLERANCE
        ? null
        : { final: false, message: `The last leaf was ${behind} seconds old when it was first seen. [M-7]` };
    }
    case "broken":
    case "fork": {
      const { message, rule } = verdict.halt.problem;
      return { final: true, message: `${message} [${rule}]` };
    }
    case "unchecked":
      return { final: false, message: verdict.error.message };
  }
}
