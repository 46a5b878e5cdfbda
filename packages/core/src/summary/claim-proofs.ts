import type { Endorse } from "../statements/endorse.ts";
import type { ClaimProof, Proof } from "../statements/proof.ts";
import { cleanText } from "../text.ts";
import { cutHex, days, entryText, type Row, type SummaryWords, takesEffect } from "./phrases.ts";

export function summarizeProof({ proofs }: Proof): SummaryWords {
  const what = "proof of a claim";
  const stronger = [...proofs.values()].some(({ letter }) => letter === "a");
  const weaker = [...proofs.values()].some(({ letter }) => letter !== "a");
  return {
    what,
    sections: [{ title: what, rows: [...proofs].flatMap(proofRows) }],
    facts: [
      takesEffect(
        stronger
          ? `${days("claim")} later a claim with proof (a) comes into force, if no other is as strong`
          : "at once, as something to look at",
      ),
    ],
    remark: [
      ...(stronger ? ["Whoever can reach the registry checks that version's package.json."] : []),
      ...(weaker
        ? ["Proofs (b), (c) and (d) bring no claim into force: they count where a committee confirms them."]
        : []),
    ].join(" "),
  };
}

export function summarizeEndorse({ by, claims }: Endorse): SummaryWords {
  const what = "endorsement";
  return {
    what,
    sections: [
      {
        title: what,
        rows: [...claims].flatMap(([id, { claim, confirms }]): Row[] => [
          [cleanText(id), `the claim of ${entryText(claim)}`],
          ["has looked into", confirms.length === 0 ? "none of its proofs" : `proof ${confirms.join(", ")}`],
        ]),
      },
    ],
    facts: [
      ["by", cleanText(by)],
      takesEffect(`${days("claim")} later the claim comes into force, if no other is as strong`),
    ],
    remark: "Where this committee is recognised, an endorsed claim is stronger than any that is not.",
  };
}

function proofRows([id, proof]: [string, ClaimProof]): Row[] {
  return [
    [cleanText(id), `the claim of ${entryText(proof.claim)}`],
    [
      `proof (${proof.letter})`,
      proof.letter === "a"
        ? `version ${cleanText(proof.version)}, sha512 ${cutHex(proof.sha512)}`
        : cleanText(proof.evidence),
    ],
  ];
}
