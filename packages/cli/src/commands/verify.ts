import { dirname } from "node:path";
import type { Verdict } from "@touchmark/core";
import type { LockfileVerdict, Policy } from "@touchmark/verify";
import {
  checkLockfile,
  neededEvidence,
  packageChecker,
  parseLockfile,
  registriesOf,
  settleLocalFolders,
} from "@touchmark/verify";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { evidenceJson, evidenceLine } from "../evidence/describe-evidence.ts";
import { exitOf, reasonJson, reasonLines, summary, verdictJson, verdictLines } from "../evidence/describe-verdict.ts";
import { type LoadedEvidence, loadEvidence } from "../evidence/load-evidence.ts";
import { lockfilePath } from "../files/lockfile-path.ts";
import { loadCheckingPolicy } from "../files/policy-file.ts";
import { readWhole } from "../files/read-file.ts";

const MAX_LOCKFILE = 64 * 1024 * 1024; // [C-15]

export const LOCKFILE_FLAGS = {
  online: { help: "ask the log now instead of relying on touchmark.lock" },
  lockfile: {
    value: "FILE",
    help: "the lockfile, with touchmark.lock beside it; the one that npm goes by when left out",
  },
} as const;

export const verify: Command = defineCommand({
  name: "verify",
  usage: "[FILE.tgz] [--online] [--lockfile FILE] [--all]",
  examples: ["touchmark verify", "touchmark verify widget-1.0.0.tgz --online"],
  about: [
    "Checks the lockfile against touchmark.lock, without any network; --online fetches the evidence just now.",
    "FILE.tgz: checks a tarball against the log, or against the signature file beside it as long as it is not logged.",
  ],
  flags: {
    ...LOCKFILE_FLAGS,
    all: { help: "list the accepted packages too" },
    registry: { value: "NAME", help: "the registry that FILE.tgz is for, where the policy names several" },
  },
  operands: [0, 1],
  run: async (values, [tarball], context) => {
    if (tarball !== undefined) {
      if (values.all || (values.lockfile !== undefined && values.online))
        throw usageError("verify", "--all and --lockfile are for lockfiles, not for a tarball.");
      return (await import("../evidence/verify-tarball.ts")).verifyTarball(tarball, values, context);
    }
    return verifyLockfile(values, context);
  },
});

async function verifyLockfile(
  values: { online: boolean; lockfile: string | undefined; all: boolean },
  context: Context,
): Promise<number> {
  const { io, ui } = context;
  const policy = await loadCheckingPolicy(context);
  const path = lockfilePath(io, values.lockfile);
  const written = parseLockfile(readWhole(path, MAX_LOCKFILE), registriesOf(policy));
  const lockfile = settleLocalFolders(written, dirname(path));
  const ask = values.online ? neededEvidence(lockfile, policy) : null;
  const loaded = await loadEvidence({ policy, lockfile: path, ask }, context);
  const { evidence, pins, warnings } = loaded;
  const checker = "code" in evidence ? evidence : packageChecker(policy, pins, evidence);
  const verdict = checkLockfile(lockfile, policy, checker);
  print(verdict, loaded, { policy, all: values.all }, context);
  for (const note of [...warnings, ...verdict.notes]) ui.warn(`${note.message} [${note.code}]`, note.hint);
  return exitOf(verdict.status);
}

function print(
  verdict: LockfileVerdict,
  { evidence, warnings }: LoadedEvidence,
  { policy, all }: { policy: Policy; all: boolean },
  context: Context,
): void {
  const { io, ui } = context;
  const { status, verdicts, notes } = verdict;
  const shown = verdicts.filter((one) => all || one.status !== "accepted" || one.basis === "exception" || isNoted(one));
  const noEvidence = "code" in evidence;
  // Where all fail for one reason, it is said once.
  const lines = noEvidence
    ? shown.flatMap((one) => verdictLines(one.reasons[0] === evidence ? { ...one, reasons: [] } : one, ui))
    : shown.flatMap((one) => verdictLines(one, ui));
  ui.result(
    {
      ok: status === "accepted",
      status,
      evidence: noEvidence ? null : evidenceJson(evidence, policy, io.now()),
      packages: verdicts.map(verdictJson),
      notes: [...(noEvidence ? [evidence] : []), ...warnings, ...notes].map(reasonJson),
    },
    [
      ...lines,
      ...(noEvidence ? reasonLines(evidence) : []),
      `${summary(verdicts)}${noEvidence ? "" : ` (evidence: ${evidenceLine(evidence, policy, io.now())})`}`,
    ],
  );
}

// [V-12], [V-14]: what is accepted and still has to be said.
function isNoted({ reasons }: Verdict): boolean {
  return reasons.some(({ code }) => code === "EXPEDITED" || code === "FROZEN");
}
