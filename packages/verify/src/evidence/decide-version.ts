import type { PackageRule } from "../policy/policy.ts";
import { rejectedBy } from "./broken-rule.ts";
import { type Finding, reason, rejected } from "./finding.ts";
import type { Releases } from "./releases.ts";

/** A version to be checked, and its bytes' digests as far as they are known (hex). */
export interface Candidate {
  packageId: string;
  version: string;
  sha512: string;
  /** Only where the tarball itself is at hand. */
  tarSha512?: string;
}

/** By the good releases of a version [V-14], [V-15], [V-17]; null when there is none. */
export function decideRelease(
  { version, sha512, tarSha512 }: Candidate,
  releases: Releases,
  { expedited }: PackageRule,
): Finding | null {
  const [first, ...others] = releases.good.get(version) ?? [];
  if (!first) return null;
  const contrary = others.find(
    ({ released }) => released.sha512 !== first.released.sha512 || released.tarSha512 !== first.released.tarSha512,
  );
  if (contrary) {
    return rejected(
      "EQUIVOCATION",
      "V-17",
      `This version was signed twice over different bytes: sha512 ${first.released.sha512} and ${contrary.released.sha512}.`,
      "Tell the package's holders, and use another version.",
    );
  }
  if (first.released.sha512 !== sha512) return wrongDigest("V-15", first.released.sha512, sha512);
  if (tarSha512 !== undefined && first.released.tarSha512 !== tarSha512)
    return wrongDigest("V-15", first.released.tarSha512, tarSha512);
  if (first.expedited === null) return { status: "accepted", basis: "release", signers: first.signers, reasons: [] };
  if (!expedited)
    return expeditedOnly(`with ${first.expedited} in the place of a holder, which the policy does not take`);
  const note = reason("EXPEDITED", "V-14", `Expedited: ${first.expedited} stood in for a holder.`, "");
  return { status: "accepted", basis: "release", signers: first.signers, reasons: [note] };
}

/** By the list of earlier versions that the claim commits to [V-16]; null when that doesn't have the version. */
export function decideEarlier(
  { version, sha512 }: Candidate,
  earlier: ReadonlyMap<string, string> | undefined,
): Finding | null {
  const listed = earlier?.get(version);
  if (listed === undefined) return null;
  return listed === sha512
    ? { status: "accepted", basis: "earlier", reasons: [] }
    : wrongDigest("V-16", listed, sha512);
}

/** What is neither released nor listed [V-18], and why a release that is there does not count. */
export function notSigned({ version }: Candidate, releases: Releases, divergedAt: number | null): Finding {
  const broken = [...(releases.broken.get(version) ?? []), ...(releases.broken.get("") ?? [])];
  if (broken[0]?.code === "NOT_RECOGNISED")
    return expeditedOnly("with a committee in the place of a holder that the policy does not recognise for that");
  const [error] = broken;
  if (error?.code === "WRONG_KEY" && divergedAt !== null) {
    // somebody else's new holder is nobody here.
    return rejected(
      "WRONG_KEY",
      `V-14 ${error.rule}`,
      error.message,
      `Entry ${divergedAt} counts for whoever recognises committees that touchmark.json does not name: touchmark explain shows what is in force here.`,
    );
  }
  if (error) return rejectedBy(error, "V-14");
  return rejected(
    "NOT_SIGNED",
    "V-18",
    "Not signed yet: the package is claimed, and no quorum of its holders has signed this version.",
    "Use a signed version, or ask the holders: touchmark explain shows who they are.",
  );
}

// [P-23]
function expeditedOnly(how: string): Finding {
  return rejected(
    "EXPEDITED",
    "V-14",
    `Signed only ${how}.`,
    'Wait for the other holders, or say "expedited": "allow" in the rule of touchmark.json.',
  );
}

function wrongDigest(step: string, signed: string, found: string): Finding {
  return rejected(
    "WRONG_DIGEST",
    step,
    `Other bytes than those signed: sha512 ${signed.slice(0, 16)}… was signed, ${found.slice(0, 16)}… is here.`,
    "Somebody replaced the tarball after it was signed; do not use it.",
  );
}
