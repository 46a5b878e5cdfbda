import { encodeHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { readObject } from "../fields.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeIdSubjects, readOneSubject, readReference } from "./subjects.ts";

/** The end of a hold [S-32]. */
export interface Lift {
  kind: "lift";
  logs: string[];
  /** Subject id of those who held. */
  by: string;
  /** Reference [S-26] of the hold. */
  hold: Uint8Array;
}

export type LiftDraft = Omit<Lift, "kind">;

/** Reads what is particular to a lift [S-32]. Throws `MALFORMED`. */
export function parseLift(crypto: Crypto, { subject, logs, predicate }: StatementParts): Lift {
  const by = readOneSubject(crypto, subject, "S-32");
  const fields = readObject(predicate, "S-32", "lift", ["logs", "holds"]);
  const holds = readObject(fields["holds"], "S-32", "list of lifted holds", [by]);
  return { kind: "lift", logs, by, hold: readReference(holds[by], "lifted hold") };
}

/** The payload of a lift. The caller validates by parsing the result. */
export function encodeLift(crypto: Crypto, { logs, by, hold }: LiftDraft): Uint8Array {
  return encodeStatement(encodeIdSubjects(crypto, [by]), "lift", logs, { holds: { [by]: encodeHex(hold) } });
}
