import { type Authority, countHolders } from "../authority.ts";
import { isPackageId } from "../package-id.ts";
import type { Change } from "../statements/change.ts";
import type { Claim, ClaimedPackage } from "../statements/claim.ts";
import type { Details } from "../statements/details.ts";
import { cleanText } from "../text.ts";
import { count, days, followedRows, type Row, type SummarySection, type SummaryWords, takesEffect } from "./phrases.ts";

export function summarizeClaim({ packages, authority, details }: Claim): SummaryWords {
  const rows = [...packages].map(([id, claimed]): Row => [
    cleanText(id),
    isPackageId(id) ? describeClaimed(claimed) : claimed.previous === null ? "new" : "anew",
  ]);
  const when =
    details === null
      ? `${days("claim")} after the last claim or proof, if its proof is the strongest`
      : "at once, where it is recognised";
  return {
    what: "claim",
    sections: [{ title: "claim", rows }, ...authoritySections(authority, details)],
    facts: [...authorityFacts(authority, details), takesEffect(when)],
    remark: describeLoss(authority, details),
  };
}

export function summarizeChange({ packages, authority, details }: Change): SummaryWords {
  const what = "change of authority";
  return {
    what,
    sections: [{ title: what, rows: followedRows(packages) }, ...authoritySections(authority, details)],
    facts: [
      ...authorityFacts(authority, details),
      takesEffect(`at once, or after ${days("lowering")} if it weakens what was asked before`),
      [
        "by a single holder",
        `after ${days("solo")}, or ${days("lowering")} if it weakens; any one key can veto it until then`,
      ],
      ["by recovery keys", `after ${days("recovery")}; any one key can veto it until then`],
    ],
    remark: `This takes the place of all that the authority said before. Each key that it adds has to sign it too. ${describeLoss(authority, details)}`,
  };
}

/** `2 of 3 holders`. */
export function describeThreshold(threshold: number, holders: number): string {
  return `${threshold} of ${count(holders, "holder")}`;
}

/** What losing keys means, in one sentence. `details`: of a committee or a log. */
export function describeLoss(authority: Authority, details: Details = null): string {
  const holders = countHolders(authority.keys);
  const fatal = holders - authority.releaseThreshold + 1;
  const who =
    fatal === holders
      ? holders === 1
        ? "its holder loses every key"
        : "all holders lose their keys"
      : fatal === 1
        ? "any holder loses every key"
        : `${fatal} of the ${holders} holders lose their keys`;
  const rescue = authority.recovery ? "only the recovery keys can help" : "and there are no recovery keys";
  return `If ${who}, nothing can be ${details === null ? "released" : "decided"} any more, ${rescue}.`;
}

/** Whose keys they are, and what a committee or a log is there for. */
export function authoritySections(authority: Authority, details: Details): SummarySection[] {
  const { keys, recovery } = authority;
  return [
    { title: "keys", rows: keyRows(keys) },
    ...(recovery ? [{ title: "recovery keys", rows: keyRows(recovery.keys) }] : []),
    ...(authority.successors.length === 0
      ? []
      : [{ title: "successors", rows: authority.successors.map((fingerprint): Row => ["key", fingerprint]) }]),
    ...(details === null ? [] : [detailsSection(details)]),
  ];
}

export function authorityFacts(authority: Authority, details: Details): Row[] {
  const holders = countHolders(authority.keys);
  const { recovery, expedite } = authority;
  const facts: Row[] = [
    [details === null ? "to release" : "to decide", describeThreshold(authority.releaseThreshold, holders)],
    ["to change this", describeThreshold(authority.changeThreshold, holders)],
  ];
  if (recovery) facts.push(["to recover", describeThreshold(recovery.threshold, countHolders(recovery.keys))]);
  if (expedite !== null) facts.push(["in a hurry", `${cleanText(expedite)} can stand in for one holder of a release`]);
  facts.push(["adoption", authority.adoption]);
  if (authority.userVerification) facts.push(["each signature", "with PIN or fingerprint"]);
  if (authority.deviceBound) facts.push(["each key", "in hardware that does not copy it"]);
  facts.push(["authority", authority.digest]);
  return facts;
}

function describeClaimed({ previous, earlier, proof }: ClaimedPackage): string {
  const versions = earlier.size === 0 ? "no earlier versions" : count(earlier.size, "earlier version");
  const proved = proof === null ? "" : `, proved by version ${cleanText(proof.version)}`;
  return `${versions}${proved}${previous === null ? "" : ", claimed before"}`;
}

function keyRows(keys: Authority["keys"]): Row[] {
  return keys.map(({ holder, fingerprint }) => [holder, fingerprint]);
}

function detailsSection(details: NonNullable<Details>): SummarySection {
  if (details.kind === "charter") {
    const rows = details.committees.map((id): Row => ["listens to", cleanText(id)]);
    return { title: "charter", rows: rows.length === 0 ? [["listens to", "no committee"]] : rows };
  }
  return {
    title: "committee",
    rows: [
      ["may", details.powers.length === 0 ? "nothing" : details.powers.join(", ")],
      ["for", cleanText(details.scope.join(", "), 1000)],
      ["during", count(details.termDays, "day")],
    ],
  };
}
