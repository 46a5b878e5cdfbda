import type { Statement } from "../statement.ts";
import { summarizeAdopt, summarizeAdoptFinal } from "./adoption.ts";
import { summarizeChange, summarizeClaim } from "./authority.ts";
import { summarizeEndorse, summarizeProof } from "./claim-proofs.ts";
import { summarizeFunding } from "./funding.ts";
import { summarizeHold, summarizeLift } from "./holds.ts";
import { summarizeRevoke, summarizeVeto } from "./objections.ts";
import { logFact, type Row, type SummarySection, type SummaryWords } from "./phrases.ts";
import { summarizeRelease, summarizeReview } from "./versions.ts";

/** What a statement says to the person who is about to sign it: the same words in the terminal and in the browser, safe to show. */
export interface StatementSummary {
  kind: Statement["kind"];
  /** The kind in words, such as `change of authority`. */
  what: string;
  /** The first one bears the kind for its title, save where each has a release id. */
  sections: SummarySection[];
  /** Label and text: among them, save for a release, when it takes effect. */
  facts: Row[];
  /** What follows from it; empty if nothing that isn't plain. */
  remark: string;
}

export function summarizeStatement(statement: Statement): StatementSummary {
  const { facts, ...words } = describe(statement);
  return { kind: statement.kind, ...words, facts: [...facts, logFact(statement.logs)] };
}

function describe(statement: Statement): SummaryWords {
  switch (statement.kind) {
    case "claim":
      return summarizeClaim(statement);
    case "change":
      return summarizeChange(statement);
    case "revoke":
      return summarizeRevoke(statement);
    case "release":
      return summarizeRelease(statement);
    case "review":
      return summarizeReview(statement);
    case "hold":
      return summarizeHold(statement);
    case "lift":
      return summarizeLift(statement);
    case "adopt":
      return summarizeAdopt(statement);
    case "adopt-final":
      return summarizeAdoptFinal(statement);
    case "veto":
      return summarizeVeto(statement);
    case "funding":
      return summarizeFunding(statement);
    case "proof":
      return summarizeProof(statement);
    case "endorse":
      return summarizeEndorse(statement);
  }
}
