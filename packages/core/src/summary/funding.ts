import type { Funding } from "../statements/funding.ts";
import { cleanText } from "../text.ts";
import { cutHex, days, followedRows, type Row, type SummaryWords, takesEffect } from "./phrases.ts";

export function summarizeFunding({ packages, channels, manifest, needs }: Funding): SummaryWords {
  const what = "funding statement";
  const rows = channels.map(({ type, address }): Row => [cleanText(type), cleanText(address)]);
  return {
    what,
    sections: [
      { title: what, rows: followedRows(packages) },
      { title: "money goes to", rows: rows.length === 0 ? [["nobody", "no address is named"]] : rows },
    ],
    facts: [
      ...(needs === null ? [] : [["needed", `${needs.monthly} ${needs.currency} a month`] as Row]),
      ...(manifest === null ? [] : [["funding.json", cutHex(manifest)] as Row]),
      takesEffect(`at once if the addresses are those in force, otherwise after ${days("funding")}`),
    ],
    remark:
      "Read the addresses: who gives money by this sends it there. Any one key of the package can veto new ones until then.",
  };
}
