import { type Authority, type AuthorityDraft, encodeAuthority, parseAuthority } from "../authority.ts";
import type { Crypto } from "../crypto.ts";
import { readObject } from "../fields.ts";
import { type Details, detailsMember, encodeDetails, readDetails } from "./details.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeFollowed, encodeIdSubjects, type Followed, readAuthoritySubjects, readFollowed } from "./subjects.ts";

/** A change: from now on, or after a window, these packages are held by this authority [S-29]. */
export interface Change {
  kind: "change";
  logs: string[];
  /** By subject id. */
  packages: Map<string, Followed>;
  authority: Authority;
  details: Details;
}

export interface ChangeDraft {
  logs: string[];
  packages: ReadonlyMap<string, Followed>;
  authority: AuthorityDraft;
  /** Of a committee or a log. */
  details?: Details;
}

/** Reads what is particular to a change [S-29]. Throws `MALFORMED`, `BAD_KEY`, `TOO_LARGE`. */
export function parseChange(crypto: Crypto, { subject, logs, predicate }: StatementParts): Change {
  const names = readAuthoritySubjects(crypto, subject, "S-29");
  const member = detailsMember(names[0]!);
  const members = ["logs", "packages", "authority", ...(member === null ? [] : [member])];
  const fields = readObject(predicate, "S-29", "change", members);
  return {
    kind: "change",
    logs,
    packages: readFollowed(fields["packages"], "S-29", names),
    authority: parseAuthority(crypto, fields["authority"]),
    details: readDetails(member, fields),
  };
}

/** The payload of a change. Lists are sorted here; the caller validates by parsing the result. */
export function encodeChange(crypto: Crypto, { logs, packages, authority, details }: ChangeDraft): Uint8Array {
  return encodeStatement(encodeIdSubjects(crypto, packages.keys()), "change", logs, {
    packages: encodeFollowed(packages),
    authority: encodeAuthority(authority),
    ...encodeDetails(details ?? null),
  });
}
