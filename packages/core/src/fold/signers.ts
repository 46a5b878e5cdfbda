import type { HeldKey } from "../authority.ts";
import { CoreError } from "../errors.ts";
import { type SignatureDemands, verifyFlags } from "../sshsig.ts";
import type { Signer } from "../statement.ts";
import { type Line, type PackageState, recoveryKeys } from "./state.ts";

// Who has signed: of which line they are, by which keys, and how many holders that makes.

/**
 * The line that a statement is judged by: the one that all signers belong to; `others` are keys that may sign beside the line's own.
 * Throws `NOT_CLAIMED`, `WRONG_KEY`.
 */
export function lineOf(
  state: PackageState,
  subjectId: string,
  signers: readonly Signer[],
  others: readonly HeldKey[] = [],
): Line {
  const [first, ...rivals] = state.lines;
  if (!first)
    throw new CoreError("NOT_CLAIMED", "S-22", `${subjectId} is not claimed.`, "Claim it first: touchmark claim");
  if (rivals.length === 0) return first;
  const beside = new Set(others.map(({ fingerprint }) => fingerprint));
  const fitting = state.lines.filter((line) =>
    signers.every((signer) => beside.has(signer.fingerprint) || isOf(line, signer)),
  );
  // Of a change every signer may be a new key to some line: it is the line's own that tell whose it is.
  const [line] = fitting.toReversed().toSorted((a, b) => ownSigners(b, signers) - ownSigners(a, signers));
  if (line) return line;
  throw new CoreError(
    "WRONG_KEY",
    "A-1",
    `The signers are not of one claim of ${subjectId}.`,
    "Each claim's holders sign for themselves.",
  );
}

/** Whether all of these keys are a line's, recovery keys among them. */
export function areOf(line: Line, signers: readonly Signer[]): boolean {
  return ownSigners(line, signers) === signers.length;
}

/**
 * The keys behind signatures, all of which must be among these [S-4] and not revoked.
 * Throws `WRONG_KEY`, `REVOKED_KEY`, and what the demands ask.
 */
export function signingKeys(
  signers: readonly Signer[],
  keys: readonly HeldKey[],
  revoked: ReadonlySet<string>,
  demands: SignatureDemands,
): HeldKey[] {
  return signers.map((signer) => {
    const key = keys.find(({ fingerprint }) => fingerprint === signer.fingerprint);
    if (!key) {
      throw new CoreError(
        "WRONG_KEY",
        "S-4",
        `Signed by the wrong key: ${signer.fingerprint} is not of this package's authority.`,
        "Remove the signature, or sign with an enrolled key.",
      );
    }
    if (revoked.has(signer.fingerprint)) {
      throw new CoreError(
        "REVOKED_KEY",
        "A-12",
        `The key ${signer.fingerprint} of ${key.holder} is revoked.`,
        "Sign with another key of the same holder, or ask another holder.",
      );
    }
    verifyFlags(signer.flags, demands);
    return key;
  });
}

/** Throws `THRESHOLD` under the rule, with the hint. */
export function requireHolders(
  keys: readonly { holder: string }[],
  needed: number,
  rule: string,
  hint = "Ask another holder to sign.",
): void {
  const votes = new Set(keys.map(({ holder }) => holder)).size; // [S-5]
  if (votes >= needed) return;
  const twice = keys.length > votes ? " Several keys of one holder are one vote." : "";
  throw new CoreError("THRESHOLD", rule, `Signed by ${votes} of ${needed} holders (${namesOf(keys)}).${twice}`, hint);
}

/** Throws `MISSING_POSSESSION` unless each of these keys has signed, to prove that it exists [S-16], [A-8]. */
export function requirePossession(
  keys: readonly HeldKey[],
  signers: readonly Signer[],
  rule: string,
  what: string,
): void {
  const signed = new Set(signers.map(({ fingerprint }) => fingerprint));
  const missing = keys.filter(({ fingerprint }) => !signed.has(fingerprint));
  if (missing.length === 0) return;
  throw new CoreError(
    "MISSING_POSSESSION",
    rule,
    `${what}: ${missing.map(({ holder, fingerprint }) => `${holder} (${fingerprint})`).join(", ")}.`,
    "Each of them signs, to prove that it exists.",
  );
}

function ownSigners(line: Line, signers: readonly Signer[]): number {
  return signers.filter((signer) => isOf(line, signer)).length;
}

function isOf({ authority }: Line, signer: Signer): boolean {
  return [...authority.keys, ...recoveryKeys(authority)].some(({ fingerprint }) => fingerprint === signer.fingerprint);
}

/** The distinct holders of keys, for a sentence. */
export function namesOf(keys: readonly { holder: string }[]): string {
  return keys.length === 0 ? "nobody" : [...new Set(keys.map(({ holder }) => holder))].join(", ");
}
