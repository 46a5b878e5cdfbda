import { encodeHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { readObject } from "../fields.ts";
import { parsePackageId } from "../package-id.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeIdSubjects, readOneSubject, readReference } from "./subjects.ts";

/** The end of an adoption that nobody vetoed [S-35]. */
export interface AdoptFinal {
  kind: "adopt-final";
  logs: string[];
  packageId: string;
  /** Reference [S-26] of the adopt entry. */
  adoption: Uint8Array;
}

export type AdoptFinalDraft = Omit<AdoptFinal, "kind">;

/** Reads what is particular to the end of an adoption [S-35]. Throws `MALFORMED`. */
export function parseAdoptFinal(crypto: Crypto, { subject, logs, predicate }: StatementParts): AdoptFinal {
  const packageId = readOneSubject(crypto, subject, "S-35", parsePackageId);
  const fields = readObject(predicate, "S-35", "end of an adoption", ["logs", "adoptions"]);
  const adoptions = readObject(fields["adoptions"], "S-35", "list of adoptions", [packageId]);
  return { kind: "adopt-final", logs, packageId, adoption: readReference(adoptions[packageId], "adoption") };
}

/** The payload of the end of an adoption. The caller validates by parsing the result. */
export function encodeAdoptFinal(crypto: Crypto, { logs, packageId, adoption }: AdoptFinalDraft): Uint8Array {
  const adoptions = { [packageId]: encodeHex(adoption) };
  return encodeStatement(encodeIdSubjects(crypto, [packageId]), "adopt-final", logs, { adoptions });
}
