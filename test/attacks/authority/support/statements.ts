import {
  type AuthorityDraft,
  encodeAdopt,
  encodeAdoptFinal,
  encodeChange,
  encodeClaim,
  encodeFunding,
  encodeHold,
  encodeLift,
  encodeProof,
  encodeRevoke,
  encodeVeto,
  NO_EARLIER,
} from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import type { Outcome } from "../../../support/touchmark.ts";
import type { Packed } from "../../../support/packed.ts";
import { expect } from "vitest";
import { CARE, hexOf, idOf, JS, ORIGIN, type Submitted, type Town } from "./town.ts";

// Statements as somebody writes them who doesn't ask the honest command line for its opinion.

const logs = [ORIGIN];

export async function changeOf(town: Town, subject: string, authority: AuthorityDraft): Promise<Uint8Array> {
  const packages = new Map([[subject, { previous: await town.last(subject) }]]);
  return encodeChange(nodeCrypto, { logs, packages, authority });
}

export async function rivalOf(
  town: Town,
  name: string,
  authority: AuthorityDraft,
  proof: Packed | null,
): Promise<Uint8Array> {
  const published = proof && { version: proof.version, sha512: hexOf(proof.integrity) };
  const claimed = { previous: await town.last(idOf(name)), earlier: NO_EARLIER, proof: published };
  return encodeClaim(nodeCrypto, { logs, packages: new Map([[idOf(name), claimed]]), authority });
}

export async function revokeOf(town: Town, subject: string, names: string): Promise<Uint8Array> {
  const keys = await Promise.all(names.split(" ").map((name) => town.fingerprint(name)));
  return encodeRevoke(nodeCrypto, { logs, subjects: [subject], keys });
}

export function vetoOf(subject: string, entry: Uint8Array): Uint8Array {
  return encodeVeto(nodeCrypto, { logs, entries: new Map([[subject, entry]]) });
}

export function proofOf(name: string, claim: Uint8Array, packed: Packed): Uint8Array {
  const { version, integrity } = packed;
  const proof = { claim, letter: "a" as const, version, sha512: hexOf(integrity) };
  return encodeProof(nodeCrypto, { logs, proofs: new Map([[idOf(name), proof]]) });
}

export async function adoptOf(
  town: Town,
  name: string,
  authority: AuthorityDraft,
  committees: string[] = [CARE, JS],
): Promise<Uint8Array> {
  const packageId = idOf(name);
  return encodeAdopt(nodeCrypto, { logs, packageId, previous: await town.last(packageId), authority, committees });
}

export function finishOf(name: string, adoption: Uint8Array): Uint8Array {
  return encodeAdoptFinal(nodeCrypto, { logs, packageId: idOf(name), adoption });
}

export function holdOf(
  by: string,
  releases: string[],
  { osv = null, renews = null }: { osv?: string | null; renews?: Uint8Array | null } = {},
): Uint8Array {
  return encodeHold(nodeCrypto, { logs, by, releases, reason: "reads what is none of its business", osv, renews });
}

export function liftOf(by: string, hold: Uint8Array): Uint8Array {
  return encodeLift(nodeCrypto, { logs, by, hold });
}

export async function fundingOf(town: Town, name: string, address: string): Promise<Uint8Array> {
  const packages = new Map([[idOf(name), { previous: await town.last(idOf(name)) }]]);
  const channels = [{ type: "open-collective", address }];
  return encodeFunding(nodeCrypto, { logs, packages, channels, manifest: null, needs: null });
}

/** What a person sees whom the log refuses: one sentence with a code, and by which rule. `refusal` is `CODE RULE`. */
export function expectRefused({ exit, stderr, rule }: Submitted, refusal: string, sentence: RegExp): void {
  const [first = ""] = stderr.split("\n");
  const code = /^error: .* \[([A-Z_]+)\]$/.exec(first)?.[1] ?? first;
  expect([exit, `${code} ${rule}`]).toEqual([1, refusal]);
  expect(first).toMatch(sentence);
}

/** Everything that the log took in, its auditor would have taken in too. */
export function expectAudited({ exit, text }: Outcome): void {
  expect(exit, text).toBe(0);
}
