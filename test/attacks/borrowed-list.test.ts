import { join } from "node:path";
import { fetchCheckpoint, submitEnvelope } from "@touchmark/log";
import { openAuditor } from "@touchmark/log-server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runLog, type RunningLog, signer, temporaryFolder } from "../../packages/log-server/test/support/log.ts";
import { claim, type Earlier, person, sha512Hex } from "../../packages/log-server/test/support/statements.ts";

// What a log lets in and its auditors refuse stops them for good, and with them the log: whoever finds one such statement needs nothing else. Here a claim
// by a stranger borrows the list of earlier versions that another claim brought, and says another number of them.

const list: Earlier = [
  ["1.0.0", sha512Hex("1.0.0")],
  ["1.0.1", sha512Hex("1.0.1")],
];
const mallory = person("mallory");
const refused = {
  code: "REFUSED",
  refusal: expect.objectContaining({ status: 422, code: "EARLIER_WRONG" }) as unknown,
};

let running: RunningLog;
beforeEach(async () => {
  running = await runLog();
});
afterEach(() => running.end());

async function audited(): Promise<string> {
  const { dir, remove } = temporaryFolder();
  const auditor = openAuditor({ dir: join(dir, "audit"), key: signer.key, clock: () => running.clock.now });
  const { kind } = await auditor.audit(running.log, await fetchCheckpoint(running.log));
  await auditor.close();
  remove();
  return kind;
}

test("[S-15] a list that the log has already, of another number of versions than the claim says", async () => {
  await running.submit(claim({ "npm:npmjs/own": list }, [mallory]), { "npm:npmjs/own": list });
  for (const earlierSize of [1, 7, 20_000])
    await expect(
      running.submit(claim({ "npm:npmjs/popular": list }, [mallory], { earlierSize })),
    ).rejects.toMatchObject(refused);
  expect(await audited()).toBe("good");
  expect((await running.submit(claim({ "npm:npmjs/popular": list }, [mallory]))).entries.size).toBe(1);
  expect(await audited()).toBe("good");
});

test("[S-15] the same within one batch, before the list is stored", async () => {
  const bring = { envelope: claim({ "npm:npmjs/own": list }, [mallory]), earlier: { "npm:npmjs/own": list } };
  const borrow = { envelope: claim({ "npm:npmjs/popular": list }, [mallory], { earlierSize: 9 }) };
  const outcomes = await Promise.allSettled([bring, borrow].map((one) => submitEnvelope(running.log, one)));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(await audited()).toBe("good");
});
