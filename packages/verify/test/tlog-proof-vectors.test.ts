import { readFileSync } from "node:fs";
import { encodeUtf8 } from "@touchmark/core";
import { describe, expect, test } from "vitest";
import { PROOF_VECTORS, type TlogProofCase } from "../../log/test/support/proof-vectors.ts";
import { checkTlogProof } from "../src/evidence/check-tlog-proof.ts";
import { parsePolicy } from "../src/policy/policy.ts";

// [M-13] and [M-17] as data for other implementations: test/vectors/auditing/proofs.json.

describe("[M-17] a tlog-proof under a policy", () => {
  const cases = JSON.parse(readFileSync(new URL("proofs.json", PROOF_VECTORS), "utf8")) as TlogProofCase[];
  test.each(cases)("$name", (one) => {
    const { key, quorum, now, proof } = one;
    const log = { url: "https://log.example/", origin: "log.example/main", key, quorum };
    const document = { version: 1, registries: { npmjs: ["https://registry.example/"] }, log };
    const verdict = checkTlogProof(parsePolicy(encodeUtf8(JSON.stringify(document)), now), proof, now);
    if ("rejected" in one) {
      expect(verdict).toMatchObject({ status: "rejected", reason: { step: one.rejected } });
      return;
    }
    const { index, size, quorumTime, cosigned } = one;
    expect(verdict).toMatchObject({ status: "accepted", index, checkpoint: { size } });
    expect(verdict).toHaveProperty("quorum", quorumTime === null ? null : { time: quorumTime, cosigned });
  });
});
