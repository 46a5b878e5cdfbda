import type { Revoke } from "../statements/revoke.ts";
import type { Veto } from "../statements/veto.ts";
import { cleanText } from "../text.ts";
import { entryText, type Row, type SummaryWords, takesEffect } from "./phrases.ts";

export function summarizeRevoke({ subjects, keys }: Revoke): SummaryWords {
  const what = "revocation";
  return {
    what,
    sections: [
      { title: what, rows: subjects.map((id): Row => ["for", cleanText(id)]) },
      { title: "keys that are void from now on", rows: keys.map((fingerprint): Row => ["key", fingerprint]) },
    ],
    facts: [takesEffect("at once, for all that is entered later")],
    remark:
      "It cannot be undone, and no change can name these keys again. What they signed before stays good. If too few holders are left, nothing can be released until a change.",
  };
}

export function summarizeVeto({ entries }: Veto): SummaryWords {
  return {
    what: "veto",
    sections: [
      {
        title: "veto",
        rows: [...entries].map(([id, entry]): Row => [cleanText(id), `against ${entryText(entry)}`]),
      },
    ],
    facts: [takesEffect("at once")],
    remark:
      "If that entry is a change, an adoption or payout addresses still waiting, it is void. If it is the last entry and can't be vetoed, this is a sign of life and nothing else. A sign of life ends an adoption.",
  };
}
