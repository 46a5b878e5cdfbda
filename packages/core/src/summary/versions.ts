import type { Release } from "../statements/release.ts";
import type { Review } from "../statements/review.ts";
import { cleanText } from "../text.ts";
import { cutHex, entryText, type Row, type SummaryWords, takesEffect } from "./phrases.ts";

export function summarizeRelease({ releases, source }: Release): SummaryWords {
  return {
    what: "release",
    sections: [...releases].map(([id, { sha512, base, stage }]) => ({
      title: cleanText(id, 600),
      rows: [
        ["sha512", cutHex(sha512)],
        ["base", base ?? "none"],
        ...(stage === null ? [] : [["stage", cleanText(stage)] as Row]),
      ],
    })),
    facts: source ? [["source", `${cleanText(source.repository)} at ${source.commit}`]] : [],
    remark: "",
  };
}

export function summarizeReview({ by, replaces, reviews }: Review): SummaryWords {
  return {
    what: "review",
    sections: [...reviews].map(([id, { sha512, base, verdict, tool }]) => ({
      title: cleanText(id, 600),
      rows: [
        ["verdict", verdict],
        ["sha512", cutHex(sha512)],
        ["base", base ?? "none: looked at as a whole"],
        [
          "with",
          tool === null ? "no tool" : `${cleanText(tool.name)} ${cleanText(tool.version)}, rules ${cutHex(tool.rules)}`,
        ],
      ],
    })),
    facts: [
      ["by", cleanText(by)],
      takesEffect("at once; it replaces this committee's earlier review of these versions"),
      ...(replaces === null ? [] : [["follows", entryText(replaces)] as Row]),
    ],
    remark: "Whoever follows this committee installs these very bytes, or refuses them, by its word.",
  };
}
