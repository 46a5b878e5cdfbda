import { join } from "node:path";
import { fetchCheckpoint, type LogEndpoint } from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createStore,
  type LogServer,
  openAuditor,
  openFolder,
  type ProofVerdict,
  type PublishedProof,
  startLogServer,
} from "../src/index.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { authorityDigest, claim, person, sha512Hex } from "./support/statements.ts";

const widget = "npm:npmjs/widget";
const alice = person("alice");
const proof = { version: "1.0.1", sha512: sha512Hex("1.0.1") };
const proved = claim({ [widget]: [] }, [alice], { proof });
const asked: PublishedProof[] = [];
let verdict: ProofVerdict;
let folder: ReturnType<typeof temporaryFolder>;
let server: LogServer;
let log: LogEndpoint;
const now = START;

const look = async (one: PublishedProof): Promise<ProofVerdict> => {
  asked.push(one);
  return verdict;
};

beforeEach(() => {
  folder = temporaryFolder();
  asked.length = 0;
  verdict = { kind: "good" };
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

async function start(proofs?: typeof look): Promise<void> {
  const store = await createStore(await openFolder(join(folder.dir, "log"), true), signer, START);
  server = await startLogServer({ store, clock: () => now, ...(proofs && { proofs }) });
  log = { url: `http://127.0.0.1:${server.port}/`, key: signer.key, fetch };
}

const submit = async (): Promise<number> => {
  const envelope = Buffer.from(proved).toString("utf8");
  const response = await fetch(`${log.url}submit`, { method: "POST", body: JSON.stringify({ envelope }) });
  await response.body?.cancel();
  return response.status;
};

describe("[L-40] a log admits a proof (a) only after a look at the registry", () => {
  test("one that holds; what is looked up is the claim's authority and the version that it names", async () => {
    await start(look);
    expect(await submit()).toBe(200);
    expect(asked).toEqual([{ packageId: widget, authority: authorityDigest(proved), ...proof, claimed: now + 600 }]);
  });

  test("with a version that is too old by the time of the entry, however long the look took: auditors go by that", async () => {
    let clock = now;
    const published = now - 7 * 86_400; // may be claimed by in this second, and in none after it
    const registry = async ({ claimed }: PublishedProof): Promise<ProofVerdict> => {
      clock += 5; // the registry's answer takes its time
      return published + 7 * 86_400 >= claimed ? { kind: "good" } : { kind: "wrong", message: "Too old." };
    };
    const store = await createStore(await openFolder(join(folder.dir, "log"), true), signer, START);
    server = await startLogServer({ store, clock: () => clock, proofs: registry });
    log = { url: `http://127.0.0.1:${server.port}/`, key: signer.key, fetch };
    expect(await submit()).toBe(422);
    clock = now - 601;
    expect(await submit()).toBe(200);
    const auditor = openAuditor({
      dir: join(folder.dir, "audit"),
      key: signer.key,
      clock: () => clock,
      proofs: registry,
    });
    expect(await auditor.audit(log, await fetchCheckpoint(log))).toMatchObject({ kind: "good" });
    await auditor.close();
  });

  test("that takes longer than that is none", async () => {
    let clock = now;
    const store = await createStore(await openFolder(join(folder.dir, "log"), true), signer, START);
    const slow = async (): Promise<ProofVerdict> => ((clock += 301), { kind: "good" });
    server = await startLogServer({ store, clock: () => clock, proofs: slow });
    log = { url: `http://127.0.0.1:${server.port}/`, key: signer.key, fetch };
    expect(await submit()).toBe(503);
  });

  test("few at one time, whoever sends many: a document of a registry may be tens of megabytes", async () => {
    let [running, most] = [0, 0];
    await start(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      return { kind: "unknown", message: "No answer." };
    });
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const envelope = Buffer.from(claim({ [`npm:npmjs/p${i}`]: [] }, [alice], { proof })).toString("utf8");
        return (await fetch(`${log.url}submit`, { method: "POST", body: JSON.stringify({ envelope }) })).status;
      }),
    );
    expect([new Set(statuses), most]).toEqual([new Set([503]), 4]);
  });

  test("one that doesn't hold, one that can't be looked up, and a log that looks at nothing", async () => {
    await start(look);
    verdict = { kind: "wrong", message: "Other bytes." };
    expect(await submit()).toBe(422);
    verdict = { kind: "unknown", message: "No answer." };
    expect(await submit()).toBe(503);
    verdict = { kind: "gone", message: "Unpublished." };
    expect(await submit()).toBe(503);
    await server.close();
    folder.remove();
    folder = temporaryFolder();
    await start();
    expect(await submit()).toBe(503);
    expect((await fetchCheckpoint(log)).size).toBe(1);
  });
});

describe("[M-16] an auditor looks for itself", () => {
  const audit = async (clock: number): Promise<unknown> => {
    const auditor = openAuditor({
      dir: join(folder.dir, `audit ${clock}`),
      key: signer.key,
      clock: () => clock,
      proofs: look,
    });
    try {
      return await auditor.audit(log, await fetchCheckpoint(log));
    } finally {
      await auditor.close();
    }
  };

  test("a proof that does not hold stops it; one that can't be looked up leaves the checkpoint unchecked while it is fresh", async () => {
    await start(look);
    expect(await submit()).toBe(200);
    expect(await audit(now)).toMatchObject({ kind: "good" });
    verdict = { kind: "wrong", message: "Other bytes." };
    expect(await audit(now + 1)).toMatchObject({ kind: "broken", halt: { problem: { index: 1, rule: "A-5" } } });
    verdict = { kind: "unknown", message: "No answer." };
    expect(await audit(now + 2)).toMatchObject({ kind: "unchecked" });
    expect(await audit(now + 8 * 86_400)).toMatchObject({ kind: "good" });
    verdict = { kind: "unasked", message: "Another registry." };
    expect(await audit(now + 3)).toMatchObject({ kind: "good" });
    // Whoever claimed by a version and unpublished it doesn't keep a log from its cosignatures for a week.
    verdict = { kind: "gone", message: "Unpublished." };
    expect(await audit(now + 4)).toMatchObject({ kind: "good" });
  });
});
