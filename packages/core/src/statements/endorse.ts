import { encodeHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { readArray, readObject, readString, requireSorted } from "../fields.ts";
import type { Json } from "../json.ts";
import { isCommitteeId, parsePackageId } from "../package-id.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeBySubject, encodeIdSubjects, readBySubject, readIdSubjects, readReference } from "./subjects.ts";

/** A claim that a committee stands up for. */
export interface EndorsedClaim {
  /** Reference [S-26] of the claim. */
  claim: Uint8Array;
  /** Letters of the proofs that the committee has looked into. */
  confirms: string[];
}

/** A committee's word that these claims are the holders' own [S-38]. */
export interface Endorse {
  kind: "endorse";
  logs: string[];
  /** A committee's id. */
  by: string;
  /** By package id. */
  claims: Map<string, EndorsedClaim>;
}

export type EndorseDraft = Omit<Endorse, "kind">;

/** Reads what is particular to an endorsement [S-38]. Throws `MALFORMED`, `TOO_LARGE`. */
export function parseEndorse(crypto: Crypto, { subject, logs, predicate }: StatementParts): Endorse {
  const names = readIdSubjects(crypto, subject, parsePackageId);
  const fields = readObject(predicate, "S-38", "endorsement", ["logs", "by", "claims"]);
  return {
    kind: "endorse",
    logs,
    by: readString(fields["by"], "C-17", "id of the committee that endorses", isCommitteeId),
    claims: readBySubject(fields["claims"], "S-38", "list of claims", names, readClaim),
  };
}

/** The payload of an endorsement. Lists are sorted here; the caller validates by parsing the result. */
export function encodeEndorse(crypto: Crypto, { logs, by, claims }: EndorseDraft): Uint8Array {
  return encodeStatement(encodeIdSubjects(crypto, claims.keys()), "endorse", logs, {
    by,
    claims: encodeBySubject(claims, ({ claim, confirms }) => ({
      claim: encodeHex(claim),
      confirms: confirms.toSorted(),
    })),
  });
}

function readClaim(value: Json | undefined): EndorsedClaim {
  const fields = readObject(value, "S-38", "endorsed claim", ["claim", "confirms"]);
  const confirms = readArray(fields["confirms"], "S-38", "list of confirmed proofs", 4).map((item) =>
    readString(item, "S-38", "letter of a confirmed proof", /^[a-d]$/),
  );
  requireSorted(confirms, "S-38", "confirmed proofs");
  return { claim: readReference(fields["claim"], "endorsed claim"), confirms };
}
