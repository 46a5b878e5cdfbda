/** Proofs (a) of first claims: what the log admits, and what an auditor passes, only after a look at the package's registry. */
import { CoreError, encodeHex, type Line, type PackageState, type Statement } from "@touchmark/core";
import { LogServerError } from "./error.ts";

/** A published version that is said to name an authority in its `package.json`. Digests are as [S-14] and hex; `claimed` is the log time of the claim, seconds. */
export type PublishedProof = {
  readonly packageId: string;
  readonly authority: string;
  readonly version: string;
  readonly sha512: string;
  readonly claimed: number;
};

/** Whether a proof holds; `unknown` where that can't be told now, `unasked` where the registry is none of those that are asked, `gone` where the version was published in time and has been unpublished since. The message is one sentence, safe to show. */
export type ProofVerdict =
  | { readonly kind: "good" }
  | { readonly kind: "wrong"; readonly message: string }
  | { readonly kind: "unknown" | "unasked" | "gone"; readonly message: string };

/** Looks a proof up in the package's registry. Never throws for what a registry says or doesn't. */
export type ProofChecker = (proof: PublishedProof) => Promise<ProofVerdict>;

/** The proofs (a) that a statement brings, at log time `now`. `stateOf` gives the states before it; a proof of no known claim is left to the rules. */
export function publishedProofs(
  statement: Statement,
  stateOf: (packageId: string) => PackageState | undefined,
  now: number,
): PublishedProof[] {
  if (statement.kind === "claim") {
    const authority = statement.authority.digest;
    return [...statement.packages].flatMap(([packageId, { proof }]) =>
      proof === null ? [] : [{ packageId, authority, ...proof, claimed: now }],
    );
  }
  if (statement.kind !== "proof") return [];
  return [...statement.proofs].flatMap(([packageId, proof]) => {
    const line = proof.letter === "a" ? claimedLine(stateOf(packageId), proof.claim) : undefined;
    if (proof.letter !== "a" || !line) return [];
    const { version, sha512 } = proof;
    return [{ packageId, authority: line.steps[0]!.digest, version, sha512, claimed: line.claim.time }];
  });
}

/**
 * [L-40] What can't be looked up for want of the claim is not admitted: in the time that an admission takes the claim may come into the log, and then
 * nobody would have looked. Throws `NOT_PENDING`.
 */
export function requireKnownClaims(statement: Statement, proofs: readonly PublishedProof[]): void {
  if (statement.kind !== "proof") return;
  for (const [packageId, { letter }] of statement.proofs) {
    if (letter !== "a" || proofs.some((proof) => proof.packageId === packageId)) continue;
    throw new CoreError(
      "NOT_PENDING",
      "A-6",
      `No such claim of ${packageId} waits for a proof.`,
      "Send the proof once the claim is logged.",
    );
  }
}

/** [L-40] Throws `PROOF_WRONG` as a refusal by, or `PROOF_UNCHECKED` where nobody could look. */
export async function requireProofs(proofs: readonly PublishedProof[], check: ProofChecker | undefined): Promise<void> {
  for (const proof of proofs) {
    const verdict: ProofVerdict = check
      ? await check(proof)
      : { kind: "unasked", message: "This log looks at no registry." };
    if (verdict.kind === "wrong")
      throw new CoreError(
        "PROOF_WRONG",
        "A-5",
        verdict.message,
        "Publish a version with that line in its package.json.",
      );
    if (verdict.kind !== "good") {
      throw new LogServerError(
        "PROOF_UNCHECKED",
        `The proof for ${proof.packageId} could not be checked: ${verdict.message}`,
        check ? "Send it again later." : "Its operator names registries with: touchmark log serve --registry",
      );
    }
  }
}

function claimedLine(state: PackageState | undefined, claim: Uint8Array): Line | undefined {
  const reference = encodeHex(claim);
  return state?.lines.find((line) => encodeHex(line.claim.leafHash) === reference);
}
