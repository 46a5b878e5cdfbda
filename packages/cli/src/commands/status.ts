import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { claimStatus, cleanText, encodePackageId, type JsonObject, type PackageState } from "@touchmark/core";
import type { Policy } from "@touchmark/verify";
import { describeHold, describeWaiting } from "../authority/describe-authority.ts";
import { statusOfFile } from "../authority/file-status.ts";
import { askLog } from "../authority/log-view.ts";
import { waitingIn, waitingJson } from "../authority/pending.ts";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { describeClock } from "../evidence/describe-clock.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { localPackages } from "../files/workspace.ts";
import { knownSubjects } from "../keys/known-subjects.ts";
import { readStatementFile } from "../statements/statement-file.ts";
import { readSubjectIds } from "../statements/subject-ids.ts";

export const status: Command = defineCommand({
  name: "status",
  usage: "[PACKAGE…|FILE.touchmark…] [--registry NAME]",
  examples: ["touchmark status", "touchmark status @acme/widget", "touchmark status widget.change.touchmark"],
  about: [
    "A package: pending and until when, what is still missing, contested, frozen, what waits, holds, an adoption that runs.",
    "A .touchmark file: how many have signed, and whom it waits for. Without anything: the packages of this repository, and those signed for here.",
  ],
  flags: { registry: { value: "NAME", help: "the registry, where the policy names several" } },
  operands: [0, 500],
  run: async (values, operands, context) => {
    const { io, ui } = context;
    const policy = loadPolicy(context);
    const files = operands.filter((typed) => typed.endsWith(".touchmark") && existsSync(resolve(io.cwd, typed)));
    const named = operands.filter((typed) => !files.includes(typed));
    const ids =
      operands.length > 0 ? readSubjectIds(named, policy, values.registry) : await subjectsHere(policy, context);
    if (ids.length === 0 && files.length === 0)
      throw usageError("status", "No package is known here.", "Name one: touchmark status PACKAGE");
    const statements = [];
    for (const file of files)
      statements.push(await statusOfFile(file, readStatementFile(resolve(io.cwd, file)), policy, context));
    const view = ids.length === 0 ? null : await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
    const packages = ids.map((id) => describePackage(id, view!.state(id), view!.time));
    ui.result(
      {
        ok: true,
        statements: statements.map(({ document }) => document),
        packages: packages.map(({ document }) => document),
      },
      [...statements.flatMap(({ lines }) => lines), ...packages.flatMap(({ lines }) => lines)],
    );
    return 0;
  },
});

/** The packages of this repository, and those that somebody here has signed for. */
async function subjectsHere(policy: Policy, context: Context): Promise<string[]> {
  const registries = [...policy.registries.keys()];
  const [only] = registries;
  const own =
    registries.length === 1 && only !== undefined
      ? localPackages(context.io.cwd).map(({ name }) => encodePackageId({ registry: only, name }))
      : [];
  return [...new Set([...own, ...(await knownSubjects(policy, context))])].toSorted();
}

function describePackage(id: string, state: PackageState, time: number): { document: JsonObject; lines: string[] } {
  const word = claimStatus(state, time);
  const missing = missingFor(state, word, time);
  const waiting = [
    ...waitingIn(state, null),
    ...state.lines.flatMap((line) => waitingIn({ ...state, adoption: null }, line)),
  ];
  const holds = state.lines.flatMap((line) => line.holds.filter(({ until }) => until === null || until > time));
  const settles = state.epoch === 0 && state.settlesAt !== null && state.settlesAt > time ? state.settlesAt : null;
  return {
    document: {
      subject: id,
      status: word,
      epoch: state.epoch,
      settlesAt: settles,
      claims: state.lines.length,
      missing,
      waiting: waiting.map(waitingJson),
      holds: holds.map(({ place, releases, reason, until }) => ({
        entry: place.index,
        releases: [...releases],
        reason,
        until,
      })),
    },
    lines: [
      `${cleanText(id)}  ${word}${settles === null ? "" : `, until ${describeClock(settles, time)}`}`,
      ...missing.map((line) => `  missing  ${line}`),
      ...waiting.map((one) => `  waiting  ${describeWaiting(one, time)}`),
      ...holds.map((hold) => `  hold     ${describeHold(hold, time)}`),
    ],
  };
}

function missingFor(state: PackageState, word: ReturnType<typeof claimStatus>, time: number): string[] {
  const proved = state.lines.some(({ proofs }) => proofs.some(({ letter }) => letter === "a"));
  switch (word) {
    case "unclaimed":
      return ["a claim: touchmark claim"];
    case "frozen":
      return [
        "live keys: too few holders are left to release anything; touchmark authority change, or touchmark recover",
      ];
    case "contested":
      return [
        `${state.lines.length} claims are equally strong (entries ${state.lines.map(({ claim }) => claim.index).join(", ")}): a committee's endorsement decides`,
      ];
    case "pending":
    case "unproven": {
      if (proved) return [];
      const [line] = state.lines;
      const late =
        word === "unproven" || (state.settlesAt ?? 0) <= time ? "; its window is over, a proof opens another" : "";
      return [
        `proof (a): a version whose package.json has {"touchmark":{"authority":"${line!.authority.digest}"}}, then touchmark claim prove${late}`,
      ];
    }
    case "in force":
      return [];
  }
}
