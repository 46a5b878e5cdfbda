import type { Crypto } from "../crypto.ts";
import { require } from "../errors.ts";
import { readArray, readObject, readString, requireSorted } from "../fields.ts";
import { isFingerprint } from "../key.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeIdSubjects, readIdSubjects } from "./subjects.ts";

const MAX_REVOKED = 32;

/** A revocation: these keys are void for all entries after this one [S-30]. */
export interface Revoke {
  kind: "revoke";
  logs: string[];
  /** Subject ids. */
  subjects: string[];
  /** Fingerprints. */
  keys: string[];
}

export type RevokeDraft = Omit<Revoke, "kind">;

/** Reads what is particular to a revocation [S-30]. Throws `MALFORMED`, `TOO_LARGE`. */
export function parseRevoke(crypto: Crypto, { subject, logs, predicate }: StatementParts): Revoke {
  const subjects = readIdSubjects(crypto, subject);
  const fields = readObject(predicate, "S-30", "revocation", ["logs", "keys"]);
  const keys = readArray(fields["keys"], "S-30", "list of revoked keys", MAX_REVOKED).map((item) =>
    readString(item, "S-30", "fingerprint of a revoked key", isFingerprint),
  );
  require(keys.length > 0, "S-30", "The revocation names no key.");
  requireSorted(keys, "S-30", "revoked keys");
  return { kind: "revoke", logs, subjects, keys };
}

/** The payload of a revocation. Lists are sorted here; the caller validates by parsing the result. */
export function encodeRevoke(crypto: Crypto, { logs, subjects, keys }: RevokeDraft): Uint8Array {
  return encodeStatement(encodeIdSubjects(crypto, subjects), "revoke", logs, { keys: keys.toSorted() });
}
