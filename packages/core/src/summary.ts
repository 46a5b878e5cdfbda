import { type Authority, countHolders } from "./authority.ts";
import { CoreError } from "./errors.ts";
import type { Claim } from "./statements/claim.ts";
import type { Release } from "./statements/release.ts";
import type { Statement } from "./statement.ts";
import { cleanText } from "./text.ts";

/** What a statement says to the person who is about to sign it: the same words in the terminal and in the browser, safe to show. */
export interface StatementSummary {
  kind: Statement["kind"];
  sections: SummarySection[];
  /** Label and text. */
  facts: [label: string, text: string][];
  /** What follows from it; empty if nothing that isn't plain. */
  remark: string;
}

export interface SummarySection {
  title: string;
  rows: [label: string, text: string][];
}

export function summarizeStatement(statement: Statement): StatementSummary {
  if (statement.kind === "claim") return summarizeClaim(statement);
  if (statement.kind === "release") return summarizeRelease(statement);
  throw new CoreError("UNKNOWN_KIND", "S-10", `A statement of the kind ${statement.kind} cannot be shown yet.`);
}

/** `2 of 3 holders`. */
export function describeThreshold(threshold: number, holders: number): string {
  return `${threshold} of ${count(holders, "holder")}`;
}

/** What losing keys means, in one sentence. */
export function describeLoss(authority: Authority): string {
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
  return `If ${who}, nothing can be released any more, ${rescue}.`;
}

function summarizeClaim({ logs, packages, authority }: Claim): StatementSummary {
  const holders = countHolders(authority.keys);
  const { recovery } = authority;
  const facts: [string, string][] = [
    ["to release", describeThreshold(authority.releaseThreshold, holders)],
    ["to change this", describeThreshold(authority.changeThreshold, holders)],
  ];
  if (recovery) facts.push(["to recover", describeThreshold(recovery.threshold, countHolders(recovery.keys))]);
  facts.push(["adoption", authority.adoption]);
  if (authority.userVerification) facts.push(["each signature", "with PIN or fingerprint"]);
  if (authority.deviceBound) facts.push(["each key", "in hardware that does not copy it"]);
  facts.push(["authority", authority.digest], ["for the log", logs.join(", ")]);
  return {
    kind: "claim",
    sections: [
      {
        title: "claim",
        rows: [...packages].map(([name, { earlier }]) => [
          cleanText(name),
          earlier.size === 0 ? "no earlier versions" : count(earlier.size, "earlier version"),
        ]),
      },
      { title: "keys", rows: keyRows(authority.keys) },
      ...(recovery ? [{ title: "recovery keys", rows: keyRows(recovery.keys) }] : []),
    ],
    facts,
    remark: describeLoss(authority),
  };
}

function keyRows(keys: Authority["keys"]): [string, string][] {
  return keys.map(({ holder, fingerprint }) => [holder, fingerprint]);
}

function summarizeRelease({ logs, releases, source }: Release): StatementSummary {
  return {
    kind: "release",
    sections: [...releases].map(([id, { sha512, base, stage }]) => ({
      title: cleanText(id),
      rows: [
        ["sha512", `${sha512.slice(0, 32)}…`],
        ["base", base ?? "none"],
        ...(stage === null ? [] : [["stage", cleanText(stage)] as [string, string]]),
      ],
    })),
    facts: [
      ...(source ? [["source", `${cleanText(source.repository)} at ${source.commit}`] as [string, string]] : []),
      ["for the log", logs.join(", ")],
    ],
    remark: "",
  };
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
