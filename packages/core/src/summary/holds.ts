import { isPackageId } from "../package-id.ts";
import type { Hold } from "../statements/hold.ts";
import type { Lift } from "../statements/lift.ts";
import { cleanText } from "../text.ts";
import { days, entryText, type Row, type SummaryWords, takesEffect } from "./phrases.ts";

export function summarizeHold({ by, releases, reason, osv, renews }: Hold): SummaryWords {
  const byPackage = isPackageId(by);
  const lasts = byPackage
    ? `until it is lifted, if as many holders sign as a release needs; otherwise ${days("maintainer-hold")}`
    : days("committee-hold");
  return {
    what: "hold",
    sections: [{ title: "hold", rows: releases.map((id): Row => ["not to install", cleanText(id, 600)]) }],
    facts: [
      ["by", cleanText(by)],
      ["because", cleanText(reason)],
      ["vulnerability", osv === null ? "none named" : cleanText(osv)],
      takesEffect(renews === null ? "at once" : `at the end of the hold of ${entryText(renews)}`),
      ["lasts", lasts],
    ],
    remark: byPackage
      ? "Whoever checks this package stops at these versions while it lasts."
      : `Whoever heeds this committee stops at these versions while it lasts. Without a named vulnerability it holds only what was released in the ${days("fresh")} before it.`,
  };
}

export function summarizeLift({ by, hold }: Lift): SummaryWords {
  const what = "lifting of a hold";
  return {
    what,
    sections: [{ title: what, rows: [[cleanText(by), `lifts ${entryText(hold)}`]] }],
    facts: [takesEffect("at once")],
    remark: "What it held can be installed again, unless something else holds it.",
  };
}
