import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { parseNote, parseTlogPolicy, verifyCosignatures } from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type Auditor,
  auditJudge,
  type AuditVerdict,
  createCosigning,
  createStore,
  openAuditor,
  openFolder,
  startLogServer,
} from "../src/index.ts";
import { type CosignedLog, policyOf, runCosignedLog } from "./support/cosigned-log.ts";
import { signForged } from "./support/forged.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { claim, person, release } from "./support/statements.ts";
import { type RunningWitness, runWitness } from "./support/witness.ts";

// A log whose quorum is one auditor: nothing is published that wasn't replayed, and what is replayed isn't published yet.

const people = ["alice", "bob"].map((holder) => person(holder));
const claimed = claim({ "npm:npmjs/widget": [] }, people, { threshold: 2 });
const verdicts: AuditVerdict["kind"][] = [];
let folder: ReturnType<typeof temporaryFolder>;
let auditor: Auditor;
let witness: RunningWitness;
let address: PromiseWithResolvers<string>;

beforeEach(async () => {
  folder = temporaryFolder();
  verdicts.length = 0;
  address = Promise.withResolvers();
  auditor = openAuditor({ dir: join(folder.dir, "audit"), key: signer.key, clock: () => START });
  witness = await runWitness("audit.example", {
    logs: [signer.key],
    judge: async (candidate) => {
      const log = { url: await address.promise, key: signer.key, fetch };
      return auditJudge(auditor, log, ({ kind }) => verdicts.push(kind))(candidate);
    },
  });
  witness.clock.now = START;
});
afterEach(async () => {
  await witness.end();
  await auditor.close();
  folder.remove();
});

describe("[L-32] an auditor in the log's quorum", () => {
  test("replays each batch before it is published, and the submitter gets its cosignature", async () => {
    const port = await freePort(); // the auditor has to know it before the log begins, which has its first checkpoint cosigned
    address.resolve(`http://127.0.0.1:${port}/`);
    const running: CosignedLog = await runCosignedLog(policyOf(1, [witness]), {
      server: { port },
      cosigning: { patience: 20_000, timeout: 20_000 },
    });
    try {
      const { checkpoint } = await running.submit(claimed);
      await running.submit(release(["npm:npmjs/widget@1.0.0"], people));
      const { cosignatures } = verifyCosignatures(parseNote(Buffer.from(checkpoint.note)), [witness.keys[0].key]);
      expect([checkpoint.size, cosignatures.length]).toEqual([3, 1]);
      expect(auditor.checkpoint()?.size).toBe(5);
      expect(new Set(verdicts)).toEqual(new Set(["good"]));
    } finally {
      await running.end();
    }
  });

  test("[L4] keeps what the rules forbid from being published", async () => {
    const store = await createStore(await openFolder(join(folder.dir, "log"), true), signer, START);
    const server = await startLogServer({ store, clock: () => START });
    address.resolve(`http://127.0.0.1:${server.port}/`);
    const trouble: string[] = [];
    const cosigning = createCosigning({
      policy: parseTlogPolicy(Buffer.from(policyOf(1, [witness]))),
      published: store.checkpoint().size,
      clock: () => START,
      onTrouble: (message) => void trouble.push(message),
      patience: 2000,
    });
    await signForged(store, claim({ "npm:npmjs/widget": [] }, people, { signers: [people[0]!] }), START);
    await expect(cosigning.collect(store.newest())).rejects.toThrow(expect.objectContaining({ code: "NOT_WITNESSED" }));
    expect(trouble.join("\n")).toContain("[S-16]");
    expect(store.checkpoint().size).toBe(1);
    cosigning.stop();
    await server.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
