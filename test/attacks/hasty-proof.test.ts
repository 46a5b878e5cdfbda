import { addSignature, encodeEnvelope, encodeProof, packageIdHash } from "@touchmark/core";
import { encodeEntry, leafHash, nodeCrypto, submitEnvelope } from "@touchmark/log";
import { expect, test } from "vitest";
import { runLog, START } from "../../packages/log-server/test/support/log.ts";
import { claim, ORIGIN, person, sha512Hex } from "../../packages/log-server/test/support/statements.ts";

// A proof (a) says that its claim is by who can publish, and the log looks that up in the registry. A stranger claims a popular package and sends, in the
// same moment, a proof of that claim, whose entry he can foretell to the second: where the log looked nothing up for a claim that it has not published
// yet, and found both in one batch, the package was his in seven days.

test("[L-40] a proof of a claim that is not published yet is not admitted unseen", async () => {
  const asked: string[] = [];
  const proofs = async ({ version }: { version: string }): Promise<{ kind: "wrong"; message: string }> => {
    asked.push(version);
    return { kind: "wrong", message: "There is no such version." };
  };
  const running = await runLog({ proofs });
  const mallory = person("mallory");
  const popular = "npm:npmjs/popular";
  const envelope = claim({ [popular]: [] }, [mallory]);
  const entry = encodeEntry({
    kind: "claim",
    time: START,
    packageHash: packageIdHash(nodeCrypto, popular),
    envelopeHash: nodeCrypto.sha256(envelope),
    previous: null,
    previousAuthority: null,
  });
  const proof = { claim: leafHash(entry), letter: "a", version: "9.9.9", sha512: sha512Hex("no such thing") } as const;
  const payload = encodeProof(nodeCrypto, { logs: [ORIGIN], proofs: new Map([[popular, proof]]) });
  const signature = mallory.key.sign(nodeCrypto, payload);
  const hasty = encodeEnvelope(addSignature({ payload, signatures: [] }, signature));
  const outcomes = await Promise.allSettled(
    [envelope, hasty].map((one) => submitEnvelope(running.log, { envelope: one })),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  await expect(submitEnvelope(running.log, { envelope: hasty })).rejects.toMatchObject({
    refusal: { code: "PROOF_WRONG" },
  });
  expect(asked.length).toBeGreaterThan(0);
  await running.end();
});
