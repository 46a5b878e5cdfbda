import { encodeHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { readObject, readString } from "../fields.ts";
import { isObject, type Json } from "../json.ts";
import { parsePackageId } from "../package-id.ts";
import { readPublished } from "./claim.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeBySubject, encodeIdSubjects, readBySubject, readIdSubjects, readReference } from "./subjects.ts";

/** That a claim is the holders' own [A-5]: (a) a published version says so, or something that a person can look at. */
export type ClaimProof =
  | { claim: Uint8Array; letter: "a"; version: string; sha512: string }
  | { claim: Uint8Array; letter: "b" | "c" | "d"; evidence: string };

/** Proofs of claims [S-37]. */
export interface Proof {
  kind: "proof";
  logs: string[];
  /** By package id. */
  proofs: Map<string, ClaimProof>;
}

export type ProofDraft = Omit<Proof, "kind">;

/** Reads what is particular to a proof [S-37]. Throws `MALFORMED`. */
export function parseProof(crypto: Crypto, { subject, logs, predicate }: StatementParts): Proof {
  const names = readIdSubjects(crypto, subject, parsePackageId);
  const fields = readObject(predicate, "S-37", "proof", ["logs", "proofs"]);
  return { kind: "proof", logs, proofs: readBySubject(fields["proofs"], "S-37", "list of proofs", names, readProof) };
}

/** The payload of a proof. The caller validates by parsing the result. */
export function encodeProof(crypto: Crypto, { logs, proofs }: ProofDraft): Uint8Array {
  const members = { proofs: encodeBySubject(proofs, encodeClaimProof) };
  return encodeStatement(encodeIdSubjects(crypto, proofs.keys()), "proof", logs, members);
}

function readProof(value: Json | undefined): ClaimProof {
  const ofRegistry = isObject(value) && value["letter"] === "a";
  const named = ofRegistry ? ["version", "sha512"] : ["evidence"];
  const fields = readObject(value, "S-37", "proof of a claim", ["claim", "letter", ...named]);
  const claim = readReference(fields["claim"], "claim that is proved");
  if (ofRegistry) return { claim, letter: "a", ...readPublished(fields, "S-37") };
  return {
    claim,
    letter: readString(fields["letter"], "S-37", "letter of the proof", /^[bcd]$/) as "b" | "c" | "d",
    evidence: readString(fields["evidence"], "S-37", "evidence", /^[\x21-\x7e]{1,256}$/),
  };
}

function encodeClaimProof(proof: ClaimProof): Json {
  const claim = encodeHex(proof.claim);
  return proof.letter === "a"
    ? { claim, letter: proof.letter, version: proof.version, sha512: proof.sha512 }
    : { claim, letter: proof.letter, evidence: proof.evidence };
}
