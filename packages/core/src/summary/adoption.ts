import type { Adopt } from "../statements/adopt.ts";
import type { AdoptFinal } from "../statements/adopt-final.ts";
import { cleanText } from "../text.ts";
import { authorityFacts, authoritySections, describeLoss } from "./authority.ts";
import { days, entryText, type SummaryWords, takesEffect } from "./phrases.ts";

export function summarizeAdopt({ packageId, previous, authority, committees }: Adopt): SummaryWords {
  const what = "adoption";
  const supported = committees.length > 0;
  const wait = days(supported ? "adoption" : "succession");
  return {
    what,
    sections: [
      { title: what, rows: [[cleanText(packageId), `after ${entryText(previous)}`]] },
      ...authoritySections(authority, null),
    ],
    facts: [
      ...authorityFacts(authority, null),
      ["supported by", supported ? committees.map((id) => cleanText(id)).join(", ") : "no committee"],
      takesEffect(`when it is finished: after ${wait}, within ${days("finish")} from then`),
    ],
    remark: `These keys ask to take over the package from its holders. Until then any one key of the holders can veto it, and any sign of life ends it. ${describeLoss(authority)}`,
  };
}

export function summarizeAdoptFinal({ packageId, adoption }: AdoptFinal): SummaryWords {
  const what = "completion of an adoption";
  return {
    what,
    sections: [{ title: what, rows: [[cleanText(packageId), `by the adoption of ${entryText(adoption)}`]] }],
    facts: [takesEffect("at once")],
    remark:
      "The proposed authority takes over: the holders before it lose the package, with their recovery keys and payout addresses. Whoever relied on them is stopped until they accept the new ones.",
  };
}
