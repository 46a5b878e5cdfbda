import { readFileSync } from "node:fs";
import { encodeUtf8, parseUtf8, type ProofLetter, type Reason, type Verdict } from "@touchmark/core";
import { LogError, parseEvidence, quorumOverlap, verifyCheckpoint } from "@touchmark/log";
import { describe, expect, test } from "vitest";
import { encodeCompanion, parseCompanion } from "../src/evidence/companion.ts";
import { packageChecker } from "../src/evidence/check-package.ts";
import { reasonOf, trustEvidence } from "../src/evidence/trust-evidence.ts";
import { parsePolicy, registriesOf, ruleFor } from "../src/policy/policy.ts";
import type { LockCase } from "./make-vectors/lock-cases.ts";
import type { PolicyCase } from "./make-vectors/policy-cases.ts";
import type { VerificationCase } from "./make-vectors/verification-cases.ts";

// Chapters 05 to 07 as data for other implementations.

const read = <T>(path: string): T[] =>
  JSON.parse(readFileSync(new URL(`../../../test/vectors/${path}`, import.meta.url), "utf8")) as T[];

describe("[P-1] to [P-23] policies", () => {
  test.each(read<PolicyCase>("policy/policies.json"))("$name", (one) => {
    const parse = (): ReturnType<typeof parsePolicy> => parsePolicy(encodeUtf8(one.document), one.now);
    if ("refused" in one) {
      const code = one.refused === "P-8" ? "EXCEPTION_BAD" : "POLICY_MALFORMED";
      expect(parse).toThrow(expect.objectContaining({ code }));
      return;
    }
    const policy = parse();
    const { rules = {}, registries = {}, sources = policy.sources, freshness = policy.freshness, overlap } = one.says;
    for (const [name, rule] of Object.entries(rules)) expect(ruleFor(policy, name)).toMatchObject(rule);
    const registryOf = registriesOf(policy);
    for (const [address, name] of Object.entries(registries)) expect(registryOf(new URL(address)) ?? null).toBe(name);
    expect([policy.sources, policy.freshness]).toEqual([sources, freshness]);
    const { quorum } = policy.log;
    if (overlap !== undefined) expect(quorum && quorumOverlap(quorum)).toBe(overlap);
  });
});

describe("[E-1] to [E-7], [V-1] to [V-21] what a consumer says of a version", () => {
  test.each(read<VerificationCase>("verification/packages.json"))("$name", async (one) => {
    const { status, basis, signers, reasons } = await judge(one);
    expect({ status, basis, signers, reasons: reasons.map(({ code, step }) => [code, step]) }).toEqual(one.verdict);
  });
});

describe("[E-8] touchmark.lock", () => {
  test.each(read<LockCase>("verification/locks.json"))("$name", ({ file, pins }) => {
    const parse = (): ReturnType<typeof parseCompanion> => parseCompanion(encodeUtf8(file));
    if (pins === null) {
      expect(parse).toThrow(expect.objectContaining({ code: "COMPANION_MALFORMED" }));
      return;
    }
    expect(Object.fromEntries(parse().pins)).toEqual(pins);
    expect(parseUtf8(encodeCompanion(parse()))).toBe(file);
  });
});

type Said = Pick<Verdict, "status" | "basis" | "signers" | "reasons">;

async function judge(one: VerificationCase): Promise<Said> {
  const { now, candidate } = one;
  const policy = parsePolicy(encodeUtf8(JSON.stringify(one.policy)), now);
  const unchecked = (reason: Reason): Said => ({ status: "unchecked", basis: null, signers: [], reasons: [reason] });
  try {
    const bundle = parseEvidence(encodeUtf8(one.bundle));
    const seen = one.seen.map((note) => verifyCheckpoint(note, policy.log.key));
    const trusted = await trustEvidence(bundle, { policy, now, seen, log: null });
    if (!trusted.ok) return unchecked(trusted.reason);
    const pins = new Map(
      Object.entries(one.pins).map(([id, pin]) => [id, { ...pin, proof: pin.proof as ProofLetter[] }]),
    );
    return packageChecker(policy, pins, trusted.evidence).check(candidate);
  } catch (error) {
    if (error instanceof LogError) return unchecked(reasonOf(error));
    throw error;
  }
}
