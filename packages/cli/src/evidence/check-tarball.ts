import { checkLog, CoreError, type Reason, type SignedStatement, type Verdict, verifyEnvelope } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import {
  countSignatures,
  type OpenedEvidence,
  type PackageChecker,
  packageChecker,
  type Pin,
  type Policy,
  reasonCodeOf,
  ruleFor,
  type SignatureCount,
  type VerifyError,
} from "@touchmark/verify";
import type { HeldTarball } from "../statements/draft-release.ts";

export interface TarballQuestion {
  tarball: HeldTarball;
  packageId: string;
  /** The signature file beside it, if there is one. */
  envelope: Uint8Array | null;
  policy: Policy;
  evidence: OpenedEvidence | Reason;
  /** Those of `touchmark.lock`. */
  pins: ReadonlyMap<string, Pin>;
}

/**
 * Whether a tarball's holders have signed it: in the log, or in the signature file beside it as long as it isn't logged. A signature file
 * that is there must be good either way. That nobody claimed the package is no yes here, whatever the policy's level is.
 * `entry` is the index of the release's entry, null if the evidence knows of none.
 */
export function checkTarball(question: TarballQuestion): { verdict: Verdict; entry: number | null } {
  const { tarball, packageId, envelope, policy, evidence, pins } = question;
  const base = verdictOn(tarball.name, tarball.version, packageId);
  if ("code" in evidence) return { verdict: { ...base, status: "unchecked", reasons: [evidence] }, entry: null };
  const checker = packageChecker(withStrictRule(policy, tarball.name), pins, evidence);
  const logged = checker.releasesOf(packageId, tarball.version);
  const entry = logged.find(({ released }) => released.sha512 === tarball.sha512)?.index ?? null;
  try {
    const beside = envelope && openSignatureFile(envelope, tarball, policy.log.origin);
    if (beside && "code" in beside) return { verdict: { ...base, reasons: [beside] }, entry };
    const verdict = checker.check({ ...tarball, packageId });
    const notLogged = verdict.status === "rejected" && verdict.reasons.some(({ code }) => code === "NOT_SIGNED");
    if (!notLogged || beside === null) return { verdict, entry };
    const counted = countBeside(checker, beside, question);
    return {
      verdict: counted.ok
        ? { ...base, status: "accepted", basis: "release", signers: counted.holders, reasons: [] }
        : { ...base, status: counted.status, reasons: counted.reasons },
      entry,
    };
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    return { verdict: { ...base, reasons: [reasonOfRule(error)] }, entry };
  }
}

/** The verdict on a tarball that could not be read as one. */
export function rejectedTarball(name: string, { message, hint }: VerifyError): Verdict {
  return { ...verdictOn(name, "", null), reasons: [{ code: "TARBALL_BAD", step: "V-15", message, hint }] };
}

function verdictOn(name: string, version: string, packageId: string | null): Verdict {
  return { packageId, name, version, status: "rejected", basis: null, signers: [], enforced: true, reasons: [] };
}

function withStrictRule(policy: Policy, name: string): Policy {
  return { ...policy, rules: new Map([...policy.rules, [name, { ...ruleFor(policy, name), level: "strict" }]]) };
}

/** What is in the signature file, or why it isn't about this tarball. Throws `CoreError` for a bad one. */
function openSignatureFile(
  envelope: Uint8Array,
  { releaseId, sha512, tarSha512 }: HeldTarball,
  origin: string,
): SignedStatement | Reason {
  const signed = verifyEnvelope(nodeCrypto, envelope);
  checkLog(signed.statement, origin);
  const releases = signed.statement.kind === "release" ? signed.statement.releases : null;
  const released = releases?.get(releaseId);
  if (!released) {
    const about = releases ? [...releases.keys()].join(", ") : "a claim";
    const message = `The signature file is about ${about}, not about ${releaseId}.`;
    return { code: "RULE_BROKEN", step: "V-14", message, hint: "Sign this tarball: touchmark sign" };
  }
  if (released.sha512 === sha512 && released.tarSha512 === tarSha512) return signed;
  const message = `The signature file is about other bytes: sha512 ${released.sha512.slice(0, 16)}… was signed, ${sha512.slice(0, 16)}… is here.`;
  return { code: "WRONG_DIGEST", step: "V-15", message, hint: "Find out which tarball is the right one." };
}

/** Whose signatures in the file count, by the authority and then by what the policy asks of keys [V-30]. Throws `CoreError`. */
function countBeside(
  checker: PackageChecker,
  { signers }: SignedStatement,
  { policy, tarball, packageId }: TarballQuestion,
): SignatureCount {
  const { countable, signers: holders } = checker.judge(packageId, signers);
  const demands = ruleFor(policy, tarball.name).keys;
  return demands === null ? { ok: true, holders } : countSignatures(countable, demands, policy.judgeAttestation);
}

function reasonOfRule(error: CoreError): Reason {
  const { rule, message, hint } = error;
  return { code: reasonCodeOf(error), step: rule, message, hint };
}
