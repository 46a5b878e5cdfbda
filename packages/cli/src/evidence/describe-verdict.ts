import { cleanText, type JsonObject, type Reason, type Verdict, type VerdictStatus } from "@touchmark/core";
import { EXIT, type Exit } from "../failure.ts";
import { count, type Ui } from "../ui.ts";

/** The exit code that a status stands for (docs/spec/06, "Exit codes"). */
export function exitOf(status: VerdictStatus): Exit {
  switch (status) {
    case "accepted":
      return EXIT.ok;
    case "rejected":
      return EXIT.rejected;
    case "unchecked":
      return EXIT.unchecked;
  }
}

/** One package: a line of status and what it rests on, then its reasons. */
export function verdictLines(verdict: Verdict, ui: Ui): string[] {
  const { status, enforced, reasons } = verdict;
  const observed = enforced || status === "accepted" ? "" : " (only observed)";
  return [
    `${paintStatus(status, ui)}  ${cleanText(nameOf(verdict))}  ${basisOf(verdict)}${observed}`.trimEnd(),
    ...reasons.flatMap((reason) => reasonLines(reason, "  ")),
  ];
}

/** A reason with its code, its step of the specification, and its hint. */
export function reasonLines({ code, step, message, hint }: Reason, indent = ""): string[] {
  return [
    `${indent}${cleanText(message, 4000)} [${code} ${step}]`,
    ...(hint === "" ? [] : [`${indent}hint: ${cleanText(hint, 4000)}`]),
  ];
}

export function verdictJson(verdict: Verdict): JsonObject {
  return { ...verdict, reasons: verdict.reasons.map(reasonJson) };
}

export function reasonJson(reason: Reason): JsonObject {
  return { ...reason };
}

/** How many of what, in one line: `3 packages: 2 signed, 1 rejected`. */
export function summary(verdicts: readonly Verdict[]): string {
  const groups = new Map<string, number>();
  for (const verdict of verdicts) {
    const group = groupOf(verdict);
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  const parts = [...groups].map(([group, number]) => `${number} ${group}`);
  return parts.length === 0 ? "no packages" : `${count(verdicts.length, "package")}: ${parts.join(", ")}`;
}

/** What an accepted verdict rests on, in a few words. */
export function basisOf({ basis, signers, reasons }: Verdict): string {
  switch (basis) {
    case "release":
      return `signed by ${signers.join(", ")}`;
    case "earlier":
      return "published before the claim, which lists it";
    case "unclaimed":
      return reasons.length === 0 ? "never claimed, and that is proved" : "its claim does not count";
    case "exception":
      return "by an exception of the policy";
    case "local":
      return "part of this repository";
    case "bundled":
      return "inside another package's tarball";
    case "source":
      return "from a source that the policy allows";
    case null:
      return "";
  }
}

function groupOf({ status, basis }: Verdict): string {
  if (status !== "accepted") return status;
  switch (basis) {
    case "release":
      return "signed";
    case "earlier":
      return "published before the claim";
    case "unclaimed":
      return "unclaimed";
    case "exception":
      return "excepted";
    case "local":
      return "of this repository";
    case "bundled":
      return "bundled";
    case "source":
      return "from allowed sources";
    case null:
      return "accepted";
  }
}

function nameOf({ name, version }: Verdict): string {
  return version === "" ? name : `${name}@${version}`;
}

function paintStatus(status: VerdictStatus, ui: Ui): string {
  const paint = { accepted: ui.good, rejected: ui.bad, unchecked: ui.doubtful }[status];
  return paint(status.padEnd("unchecked".length));
}
