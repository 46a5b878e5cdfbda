import { encodeHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { readObject } from "../fields.ts";
import type { Json } from "../json.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeBySubject, encodeIdSubjects, readBySubject, readIdSubjects, readReference } from "./subjects.ts";

/** A veto of something that is pending, or a sign of life [S-33]. */
export interface Veto {
  kind: "veto";
  logs: string[];
  /** By subject id: reference [S-26] of the entry. */
  entries: Map<string, Uint8Array>;
}

export type VetoDraft = Omit<Veto, "kind">;

/** Reads what is particular to a veto [S-33]. Throws `MALFORMED`. */
export function parseVeto(crypto: Crypto, { subject, logs, predicate }: StatementParts): Veto {
  const names = readIdSubjects(crypto, subject);
  const fields = readObject(predicate, "S-33", "veto", ["logs", "entries"]);
  const entries = readBySubject(fields["entries"], "S-33", "list of entries", names, readEntry);
  return { kind: "veto", logs, entries };
}

/** The payload of a veto. The caller validates by parsing the result. */
export function encodeVeto(crypto: Crypto, { logs, entries }: VetoDraft): Uint8Array {
  const subject = encodeIdSubjects(crypto, entries.keys());
  return encodeStatement(subject, "veto", logs, { entries: encodeBySubject(entries, encodeHex) });
}

function readEntry(value: Json | undefined): Uint8Array {
  return readReference(value, "vetoed entry");
}
