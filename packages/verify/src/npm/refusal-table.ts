import { cleanText, isVersion, type Verdict } from "@touchmark/core";
import type { Refusal } from "../gate/decision.ts";
import { compareVersions } from "./semver.ts";

const MAX_ROWS = 30;
const MAX_OF_ONE = 3;

/** Refusals as people read them, one row and perhaps a hint each; at most three of a package and thirty in all. Everything in them has been cleaned. */
export function refusalTable(title: string, refusals: readonly Refusal[]): string {
  const rows: string[] = [];
  let left = 0;
  // What was asked for in so many words comes before what was merely on offer.
  const asked = refusals.toSorted((a, b) => Number(a.what === "version") - Number(b.what === "version"));
  for (const ofOne of Map.groupBy(asked, ({ name }) => name).values()) {
    const shown = rows.length < MAX_ROWS ? ofOne.toSorted(newestFirst).slice(0, MAX_OF_ONE) : [];
    left += ofOne.length - shown.length;
    for (const { name, version, code, reason, hint } of shown) {
      rows.push(`  ${version === undefined ? name : `${name}@${version}`}: ${reason} (${code})`);
      if (hint !== "") rows.push(`    ${hint}`);
    }
  }
  if (left > 0) rows.push(`  and ${left} more`);
  return `${title}\n${rows.join("\n")}\n`;
}

/** The refusals in a lockfile's verdicts. */
export function refusalsOfVerdicts(verdicts: readonly Verdict[]): Refusal[] {
  return verdicts
    .filter(({ status, enforced }) => status !== "accepted" && enforced)
    .map(({ name, version, status, reasons: [reason] }) => ({
      what: "package",
      name: cleanText(name, 214),
      version: version === "" ? undefined : cleanText(version, 256),
      code: reason?.code ?? "CHECK_FAILED",
      reason: reason?.message ?? "It could not be checked.",
      hint: reason?.hint ?? "",
      unchecked: status === "unchecked",
    }));
}

function newestFirst({ version: a = "" }: Refusal, { version: b = "" }: Refusal): number {
  return isVersion(a) && isVersion(b) ? compareVersions(b, a) : 0;
}
