import { join } from "node:path";
import {
  addSignature,
  type AuthorityDraft,
  type Details,
  encodeChange,
  encodeClaim,
  encodeEndorse,
  encodeEnvelope,
  type Envelope,
  NO_EARLIER,
} from "@touchmark/core";
import { fetchCheckpoint, fetchProvedLeaf, leafHash, nodeCrypto } from "@touchmark/log";
import { openAuditor } from "@touchmark/log-server";
import { expect, test } from "vitest";
import { runLog, signer, temporaryFolder } from "../../packages/log-server/test/support/log.ts";
import {
  authorityDigest,
  claim,
  ORIGIN,
  person,
  type Person,
  sha512Hex,
} from "../../packages/log-server/test/support/statements.ts";

// Another way to have a log let in what its auditors refuse: in the batch in which its charter comes to name a committee, a claim of a package whose first
// claim that committee endorsed long before. From then on that package has an authority in force, and nobody may claim it any more.

const [olaf, olga, member, alice, mallory] = ["olaf", "olga", "member", "alice", "mallory"].map((name) =>
  person(name),
) as [Person, Person, Person, Person, Person];
const CHARTER = `log:${ORIGIN}`;
const COMMITTEE = "committee:watch";
const POPULAR = "npm:npmjs/popular";
const held = (...people: Person[]): AuthorityDraft => ({
  keys: people.map(({ holder, key }) => ({ holder, record: key.record })),
  releaseThreshold: 1,
});

function signed(payload: Uint8Array, ...people: Person[]): Uint8Array {
  const unsigned: Envelope = { payload, signatures: [] };
  return encodeEnvelope(people.reduce((all, { key }) => addSignature(all, key.sign(nodeCrypto, payload)), unsigned));
}

function founded(id: string, details: Details, ...people: Person[]): Uint8Array {
  const packages = new Map([[id, { previous: null, earlier: NO_EARLIER }]]);
  return signed(encodeClaim(nodeCrypto, { logs: [ORIGIN], packages, authority: held(...people), details }), ...people);
}

test("[A-16] a claim behind the charter that makes it one too many is refused, and the auditors go on", async () => {
  const charter = founded(CHARTER, { kind: "charter", committees: [] }, olaf, olga);
  const running = await runLog({ charter: authorityDigest(charter), proofs: async () => ({ kind: "good" }) });
  const enter = async (envelope: Uint8Array): Promise<Uint8Array> => {
    const { entries, checkpoint } = await running.submit(envelope);
    return leafHash((await fetchProvedLeaf(running.log, [...entries.values()][0]!, checkpoint)).leaf);
  };
  const chartered = await enter(charter);
  const watch: Details = { kind: "committee", scope: ["*"], powers: ["endorse"], termDays: 100 };
  await enter(founded(COMMITTEE, watch, member));
  const claimed = await enter(claim({ [POPULAR]: [] }, [alice]));
  const claims = new Map([[POPULAR, { claim: claimed, confirms: [] }]]);
  await enter(signed(encodeEndorse(nodeCrypto, { logs: [ORIGIN], by: COMMITTEE, claims }), member));
  running.clock.now += 30 * 86_400;

  const change = encodeChange(nodeCrypto, {
    logs: [ORIGIN],
    packages: new Map([[CHARTER, { previous: chartered }]]),
    authority: held(olaf, olga),
    details: { kind: "charter", committees: [COMMITTEE] },
  });
  const rival = encodeClaim(nodeCrypto, {
    logs: [ORIGIN],
    packages: new Map([
      [POPULAR, { previous: claimed, earlier: NO_EARLIER, proof: { version: "9.9.9", sha512: sha512Hex("9") } }],
    ]),
    authority: held(mallory),
  });
  const outcomes = await Promise.allSettled(
    [signed(change, olaf, olga), signed(rival, mallory)].map((one) => running.submit(one)),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(outcomes[1]).toMatchObject({ reason: { refusal: { code: "ALREADY_CLAIMED" } } });

  const { dir, remove } = temporaryFolder();
  const auditor = openAuditor({ dir: join(dir, "audit"), key: signer.key, clock: () => running.clock.now });
  expect((await auditor.audit(running.log, await fetchCheckpoint(running.log))).kind).toBe("good");
  await auditor.close();
  remove();
  await running.end();
});
