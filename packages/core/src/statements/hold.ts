import { encodeHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { require } from "../errors.ts";
import { readObject, readString } from "../fields.ts";
import { isPackageId, isSubjectId, parseReleaseId } from "../package-id.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeIdSubjects, readReference, readReleaseSubjects } from "./subjects.ts";

/** A hold: whoever heeds `by` does not take these releases [S-31]. */
export interface Hold {
  kind: "hold";
  logs: string[];
  /** Subject id of those who say so. */
  by: string;
  /** Release ids. */
  releases: string[];
  reason: string;
  /** Id of a vulnerability database. */
  osv: string | null;
  /** Reference [S-26] of the hold that this one goes on from. */
  renews: Uint8Array | null;
}

export type HoldDraft = Omit<Hold, "kind">;

/** Reads what is particular to a hold [S-31]. Throws `MALFORMED`. */
export function parseHold(crypto: Crypto, { subject, logs, predicate }: StatementParts): Hold {
  const releases = readReleaseSubjects(crypto, subject);
  const fields = readObject(predicate, "S-31", "hold", ["logs", "by", "reason", "osv", "renews"]);
  const { osv, renews } = fields;
  const by = readString(fields["by"], "C-17", "id of who holds", isSubjectId);
  const own = !isPackageId(by) || releases.every((id) => parseReleaseId(id).packageId === by);
  require(own, "S-31", "A package's holders hold releases of another package.", "They hold their own alone.");
  return {
    kind: "hold",
    logs,
    by,
    releases,
    reason: readString(fields["reason"], "S-31", "reason", /^[\x20-\x7e]{1,280}$/),
    osv: osv === null ? null : readString(osv, "S-31", "id of the vulnerability", /^[A-Za-z0-9._:-]{1,64}$/),
    renews: renews === null ? null : readReference(renews, "renewed hold"),
  };
}

/** The payload of a hold. Lists are sorted here; the caller validates by parsing the result. */
export function encodeHold(crypto: Crypto, { logs, by, releases, reason, osv, renews }: HoldDraft): Uint8Array {
  const members = { by, reason, osv, renews: renews && encodeHex(renews) };
  return encodeStatement(encodeIdSubjects(crypto, releases), "hold", logs, members);
}
