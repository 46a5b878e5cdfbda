import {
  COSIGNATURE_ED25519,
  type Cosigner,
  cosigner,
  digestFromBytes,
  encodeNote,
  encodeTlogProof,
  encodeVerifierKey,
  inclusionProof,
  leafHash,
  noteSigner,
  parseNote,
  rootOfLeaves,
  signCheckpoint,
  type TlogProof,
} from "@touchmark/log";
import { describe, expect, test } from "vitest";
import { checkTlogProof, type TlogProofVerdict } from "../src/evidence/check-tlog-proof.ts";
import type { Policy } from "../src/policy/policy.ts";
import { forgedLog } from "./support/forged-log.ts";
import { claimWidget, NOW, policyOf, WIDGET } from "./support/widget.ts";

// What a log shows of one leaf, under a policy that asks for two of three witnesses [M-17].

const log = forgedLog();
claimWidget(log);
const { checkpoint, entries, epoch } = log.evidence([WIDGET]);
const [index, leaf] = [...entries][0]!;
const leaves = Array.from({ length: 3 }, (_, i) => (i === index ? leaf : epoch));
const hashes = leaves.map(leafHash);
const [w1, w2, w3] = ["w1.example", "w2.example", "w3.example"].map((name) =>
  cosigner(name, Buffer.alloc(32, name), COSIGNATURE_ED25519),
) as [Cosigner, Cosigner, Cosigner];
const QUORUM = [
  ...[w1, w2, w3].map(({ key }, i) => `witness W${i + 1} ${encodeVerifierKey(key)}`),
  "group g 2 W1 W2 W3",
  "quorum g",
];

const policy = (quorum: string[] = QUORUM): Policy => {
  const key = encodeVerifierKey(log.signer.key);
  return policyOf(log, {}, { log: { url: "https://log.example/", origin: log.origin, key, quorum } });
};

/** A checkpoint over the three leaves, with these cosignatures. */
function noteBy(signer = log.signer, ...by: [Cosigner, number][]): string {
  const root = rootOfLeaves(hashes);
  const { text, signatures } = parseNote(
    Buffer.from(signCheckpoint({ origin: log.origin, size: leaves.length, root }, signer)),
  );
  return encodeNote({ text, signatures: [...signatures, ...by.map(([one, time]) => one.cosign(text, time))] });
}

const path = inclusionProof(index, leaves.length, ({ start, end }) =>
  digestFromBytes(end - start === 1 ? hashes[start]! : rootOfLeaves(hashes.slice(start, end))),
);
const good: TlogProof = { extra: leaf, index, hashes: path, checkpoint: noteBy(log.signer, [w1, NOW], [w3, NOW - 9]) };
const check = (proof: Partial<TlogProof>, under = policy()): TlogProofVerdict =>
  checkTlogProof(under, encodeTlogProof({ ...good, ...proof }), NOW);

describe("[M-17] a proof under a policy", () => {
  test("with the quorum it is accepted, and says which leaf, which tree, whose cosignatures, and as of when", () => {
    expect(check({})).toMatchObject({
      status: "accepted",
      index,
      leaf: { kind: "claim" },
      checkpoint: { origin: log.origin, size: 3 },
      quorum: { time: NOW - 9, cosigned: ["W1", "W3"] },
    });
  });

  test("years later too", () => {
    expect(checkTlogProof(policy(), encodeTlogProof(good), NOW + 10 * 365 * 86_400).status).toBe("accepted");
  });

  test("a policy without a quorum accepts it without: who reads the verdict sees null [V-22]", () => {
    expect(check({ checkpoint: noteBy() }, policy(["quorum none"]))).toMatchObject({
      status: "accepted",
      quorum: null,
    });
  });

  const stranger = cosigner("w2.example", Buffer.alloc(32, 9), COSIGNATURE_ED25519);
  test.each<[string, [Cosigner, number][]]>([
    ["nobody cosigned it", []],
    ["one witness did", [[w1, NOW]]],
    [
      "one did twice",
      [
        [w1, NOW],
        [w1, NOW - 1],
      ],
    ],
    [
      "the second is a stranger",
      [
        [w1, NOW],
        [stranger, NOW],
      ],
    ],
    [
      "the second is of the future",
      [
        [w1, NOW],
        [w2, NOW + 601],
      ],
    ],
    [
      "the second is of no time",
      [
        [w1, NOW],
        [w2, 0],
      ],
    ],
  ])("rejected where %s", (_, by) => {
    expect(check({ checkpoint: noteBy(log.signer, ...by) })).toMatchObject({
      status: "rejected",
      reason: { code: "QUORUM", step: "V-21" },
    });
  });

  test("rejected where a cosignature is false, although a quorum stands without it", () => {
    const { text, signatures } = parseNote(Buffer.from(good.checkpoint));
    const lifted = w2.cosign(text.replace("\n3\n", "\n4\n"), NOW);
    expect(check({ checkpoint: encodeNote({ text, signatures: [...signatures, lifted] }) })).toMatchObject({
      status: "rejected",
      reason: { code: "CHECKPOINT_BAD", step: "V-21" },
    });
  });

  test.each<[string, Partial<TlogProof>, string, string]>([
    [
      "the log did not sign it",
      { checkpoint: noteBy(noteSigner(log.origin, Buffer.alloc(32, 8)), [w1, NOW], [w2, NOW]) },
      "CHECKPOINT_BAD",
      "V-2",
    ],
    ["the leaf is another one", { extra: epoch }, "PROOF_BAD", "M-17"],
    ["the place is another one", { index: index - 1 }, "PROOF_BAD", "M-17"],
    ["a hash is missing", { hashes: path.slice(1) }, "PROOF_BAD", "M-17"],
    ["the extra data are no leaf", { extra: leaf.subarray(1) }, "PROOF_BAD", "M-17"],
    ["there are no extra data", { extra: undefined }, "PROOF_BAD", "M-17"],
  ])("rejected where %s", (_, change, code, step) => {
    expect(check(change)).toMatchObject({ status: "rejected", reason: { code, step } });
  });

  test("the log's own checkpoint, which nobody cosigned, is not enough either", () => {
    expect(check({ checkpoint })).toMatchObject({ status: "rejected" });
  });
});
