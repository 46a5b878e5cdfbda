import type { Verdict } from "@touchmark/core";
import { type LockedPackage, packageChecker, parseLockfile, type Policy, registriesOf } from "@touchmark/verify";
import { type Command, defineCommand } from "../command.ts";
import { evidenceJson, evidenceLine } from "../evidence/describe-evidence.ts";
import { exitOf, reasonLines, verdictJson, verdictLines } from "../evidence/describe-verdict.ts";
import { explainPolicy, explainRelease, type Subject } from "../evidence/explain-release.ts";
import { type LoadedEvidence, loadEvidence } from "../evidence/load-evidence.ts";
import { EXIT } from "../failure.ts";
import { lockfilePath } from "../files/lockfile-path.ts";
import { loadCheckingPolicy } from "../files/policy-file.ts";
import { readIfThere } from "../files/read-file.ts";
import { chooseRegistry } from "../statements/choose-registry.ts";
import { readSubject } from "../statements/read-subject.ts";
import { table } from "../ui.ts";

const MAX_LOCKFILE = 64 * 1024 * 1024; // [C-15]

export const explain: Command = defineCommand({
  name: "explain",
  usage: "NAME[@VERSION] [--online]",
  examples: ["touchmark explain @acme/widget@1.0.0 --online"],
  about: [
    "Everything that is known of one release: the claim, its holders and keys, its proofs, what waits and until when, who took it over,",
    "what is held and reviewed, who signed, the entries, the checkpoint, what the policy says and why. Ends with the exit code of the verdict.",
  ],
  flags: {
    online: { help: "ask the log now instead of relying on touchmark.lock" },
    lockfile: {
      value: "FILE",
      help: "the lockfile, with touchmark.lock beside it; the one that npm goes by when left out",
    },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
  },
  operands: [1, 1],
  run: async (values, [typed = ""], context) => {
    const { io, ui } = context;
    const policy = await loadCheckingPolicy(context);
    const subject = readSubject(typed, "explain", () => chooseRegistry(policy, values.registry));
    const lockfile = lockfilePath(io, values.lockfile);
    const versions = subject.version === null ? [] : [subject.version];
    const loaded = await loadEvidence(
      { policy, lockfile, ask: values.online ? { [subject.packageId]: versions } : null },
      context,
    );
    const title = `${subject.packageId}${subject.version === null ? "" : `@${subject.version}`}`;
    const { evidence, pins, warnings } = loaded;
    for (const { message, code, hint } of warnings) ui.warn(`${message} [${code}]`, hint);
    if ("code" in evidence) {
      ui.result({ ok: false, subject: title, evidence: null, reason: { ...evidence } }, [
        title,
        ...reasonLines(evidence),
      ]);
      return EXIT.unchecked;
    }
    const locked = subject.version === null ? null : await findLocked(lockfile, subject, policy);
    const known = explainRelease(subject, policy, evidence);
    const asked = explainPolicy(subject, policy, locked, pins.get(subject.packageId) ?? null);
    const sha512 = locked?.integrity.ok ? locked.integrity.sha512 : known.sha512;
    const verdict = judge(subject, sha512, policy, { ...loaded, online: values.online });
    ui.result(
      {
        ok: verdict === null || verdict.status === "accepted",
        subject: title,
        ...known.document,
        ...asked.document,
        evidence: evidenceJson(evidence, policy, io.now()),
        verdict: verdict && verdictJson(verdict),
      },
      [
        ui.bold(title),
        ...table([...known.rows, ...asked.rows, ["evidence", evidenceLine(evidence, policy, io.now())]]),
        ...(verdict ? verdictLines(verdict, ui) : []),
      ],
    );
    return verdict === null ? EXIT.ok : exitOf(verdict.status);
  },
});

async function findLocked(file: string, { name, version }: Subject, policy: Policy): Promise<LockedPackage | null> {
  const bytes = readIfThere(file, MAX_LOCKFILE);
  if (bytes === null) return null;
  const { packages } = parseLockfile(bytes, registriesOf(policy));
  return (
    packages.find((locked) => locked.kind === "registry" && locked.name === name && locked.version === version) ?? null
  );
}

/** The verdict on the bytes that the lockfile names, else on those that were signed. */
function judge(
  { packageId, name, version }: Subject,
  sha512: string | null,
  policy: Policy,
  { evidence, pins, online }: LoadedEvidence & { online: boolean },
): Verdict | null {
  if ("code" in evidence || version === null) return null;
  const verdict = packageChecker(policy, pins, evidence).check({ packageId, version, sha512: sha512 ?? "" });
  const notSigned = verdict.reasons.some(({ code }) => code === "NOT_SIGNED");
  if (!notSigned || online || sha512 !== null) return verdict;
  // touchmark.lock was made for the lockfile's versions: of another one it can't say that nobody signed it.
  const message = `touchmark.lock was not made for ${name}@${version}.`;
  const hint = "Ask the log, with --online.";
  return { ...verdict, status: "unchecked", reasons: [{ code: "EVIDENCE_MISSING", step: "V-9", message, hint }] };
}
