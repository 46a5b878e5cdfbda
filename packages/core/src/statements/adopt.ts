import { type Authority, type AuthorityDraft, encodeAuthority, parseAuthority } from "../authority.ts";
import { encodeHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { readObject } from "../fields.ts";
import { parsePackageId } from "../package-id.ts";
import { readCommittees } from "./details.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeIdSubjects, readFollowed, readOneSubject } from "./subjects.ts";

const MAX_SUPPORTERS = 4;

/** The proposal that a package whose holders are silent goes to another authority [S-34]. */
export interface Adopt {
  kind: "adopt";
  logs: string[];
  packageId: string;
  /** Reference [S-26] of the package's last authority entry. */
  previous: Uint8Array;
  /** The candidate's. */
  authority: Authority;
  /** Ids of the committees that support it. */
  committees: string[];
}

export type AdoptDraft = Omit<Adopt, "kind" | "authority"> & { authority: AuthorityDraft };

/** Reads what is particular to an adoption [S-34]. Throws `MALFORMED`, `BAD_KEY`, `TOO_LARGE`. */
export function parseAdopt(crypto: Crypto, { subject, logs, predicate }: StatementParts): Adopt {
  const packageId = readOneSubject(crypto, subject, "S-34", parsePackageId);
  const fields = readObject(predicate, "S-34", "adoption", ["logs", "packages", "authority", "committees"]);
  return {
    kind: "adopt",
    logs,
    packageId,
    previous: readFollowed(fields["packages"], "S-34", [packageId]).get(packageId)!.previous,
    authority: parseAuthority(crypto, fields["authority"]),
    committees: readCommittees(fields["committees"], "S-34", MAX_SUPPORTERS),
  };
}

/** The payload of an adoption. Lists are sorted here; the caller validates by parsing the result. */
export function encodeAdopt(crypto: Crypto, draft: AdoptDraft): Uint8Array {
  const { packageId, previous, authority, committees } = draft;
  return encodeStatement(encodeIdSubjects(crypto, [packageId]), "adopt", draft.logs, {
    packages: { [packageId]: { previous: encodeHex(previous) } },
    authority: encodeAuthority(authority),
    committees: committees.toSorted(),
  });
}
