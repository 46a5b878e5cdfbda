import type { Verdict } from "@touchmark/core";
import type { InstallSession, VersionQuestion } from "../install-session.ts";
import type { Decide, Decision } from "./decision.ts";

/** The gate's judge, made of an install's session. */
export function decideBySession(session: InstallSession): Decide {
  return {
    decideVersions: async (name, registry, versions) => {
      const decisions = new Map<string, Decision>();
      const questions: VersionQuestion[] = [];
      for (const { version, integrity } of versions) {
        if (integrity.ok) questions.push({ registry, name, version, sha512: integrity.sha512 });
        else decisions.set(version, weak(integrity.code, integrity.reason));
      }
      const verdicts = await session.checkVersions(questions);
      for (const verdict of verdicts) decisions.set(verdict.version, decisionOf(verdict));
      return decisions;
    },
    decideTarball: async (name, registry, version, { sha512, tarSha512 }) => {
      const [verdict] = await session.checkVersions([{ registry, name, version, sha512, tarSha512 }]);
      return decisionOf(verdict!);
    },
  };
}

/** What a verdict means for the gate: under `observe` everything passes, and is reported. */
export function decisionOf(verdict: Verdict): Decision {
  const [reason] = verdict.reasons;
  if (verdict.status === "accepted") return { allow: true, line: lineOf(verdict) };
  if (!verdict.enforced) return { allow: true, line: `observed: ${reason?.message ?? verdict.status}` };
  return {
    allow: false,
    code: reason?.code ?? "EVIDENCE_MISSING",
    reason: reason?.message ?? "It could not be checked.",
    hint: reason?.hint ?? "",
    unchecked: verdict.status === "unchecked",
  };
}

/** What an accepted verdict rests on, in a few words. */
export function lineOf(verdict: Verdict): string {
  switch (verdict.basis) {
    case "release":
      return `signed by ${verdict.signers.join(", ")}`;
    case "earlier":
      return "listed by the claim of its package";
    case "unclaimed":
      return "never claimed, proved by the log";
    case "exception":
      return verdict.reasons[0]?.message ?? "let through by an exception";
    case "local":
      return "part of this repository";
    case "bundled":
      return "part of another package's tarball";
    case "source":
      return "from a source that the policy allows";
    case null:
      return verdict.status;
  }
}

function weak(code: string, reason: string): Decision {
  return {
    allow: false,
    code,
    reason: `The registry does not say which bytes are meant: ${reason}.`,
    hint: "Use a version with a sha512 integrity.",
  };
}
