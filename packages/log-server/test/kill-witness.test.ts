import { join } from "node:path";
import { fetchCheckpoint } from "@touchmark/log";
import { afterAll, expect, test } from "vitest";
import { openAuditor, openWitnessStore } from "../src/index.ts";
import { killAll, startKillable } from "./support/killable.ts";
import { runLog, signer, START, temporaryFolder } from "./support/log.ts";
import { claim, person, release } from "./support/statements.ts";
import { showTree } from "./support/witness.ts";
import { requestFor } from "./support/request-for.ts";

// [L7] kill -9 between the memory of a witness, or of an auditor, and its answer.

const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  killAll();
  for (const cleanup of cleanups) await cleanup();
});

const post = (port: number, body: string): Promise<Response | undefined> =>
  fetch(`http://127.0.0.1:${port}/add-checkpoint`, { method: "POST", body }).catch(() => undefined);

test("[Q-19] a witness that is killed before it keeps a checkpoint has cosigned nothing; after it, it remembers what nobody was told", async () => {
  const { dir, remove } = temporaryFolder();
  cleanups.push(remove);
  const [tree, fork] = [showTree(), showTree({ branch: "other", forkAt: 3 })];
  for (const [when, old, size, kept] of [
    ["before", 0, 5, 0],
    ["after", 0, 5, 5],
    ["before", 5, 9, 5],
    ["after", 5, 9, 9],
  ] as const) {
    const deadly = await startKillable("witness-child.ts", dir, "w.example", when);
    expect(await post(deadly.port, tree.request(old, size))).toBeUndefined();
    await deadly.kill();
    const store = openWitnessStore(dir);
    expect(store.last(signer.key.name)?.size ?? 0).toBe(kept);
    store.close();
  }
  const witness = await startKillable("witness-child.ts", dir, "w.example");
  // Whoever never got the answer asks again, is told the size, and has the same tree cosigned; another one is not.
  const again = await post(witness.port, tree.request(5, 9));
  expect([again?.status, await again?.text()]).toEqual([409, "9\n"]);
  expect((await post(witness.port, fork.request(9, 9)))?.status).toBe(422);
  expect((await post(witness.port, fork.request(9, 12)))?.status).toBe(422);
  expect((await post(witness.port, tree.request(9, 9)))?.status).toBe(200);
  await witness.kill();
});

test("[M-9] [M-11] an auditor that is killed while it replays, when it has replayed, and when it has cosigned goes on from what it kept", async () => {
  const { dir, remove } = temporaryFolder();
  cleanups.push(remove);
  const running = await runLog();
  cleanups.push(() => running.end());
  const alice = person("alice");
  const names = Array.from({ length: 6 }, (_, i) => `npm:npmjs/p${i}`);
  await running.submit(claim(Object.fromEntries(names.map((name) => [name, []])), [alice]));
  let cosigned = 0;
  for (const [step, replayed, kept] of [
    ["replaying", false, false],
    ["replayed", true, false],
    ["kept", true, true],
  ] as const) {
    for (const name of names) await running.submit(release([`${name}@1.0.0-${step}`], [alice]));
    const { size } = await fetchCheckpoint(running.log);
    const deadly = await startKillable("auditor-child.ts", dir, running.url, step);
    expect(await post(deadly.port, await requestFor(running.log, cosigned))).toBeUndefined();
    await deadly.kill();
    const auditor = openAuditor({ dir: join(dir, "audit"), key: signer.key, clock: () => START });
    expect([step, auditor.checkpoint()?.size === size, auditor.halt()]).toEqual([step, replayed, undefined]);
    await auditor.close();
    const store = openWitnessStore(join(dir, "witness"));
    expect([step, store.last(signer.key.name)?.size === size]).toEqual([step, kept]);
    store.close();
    const honest = await startKillable("auditor-child.ts", dir, running.url, "none");
    const answer = await post(honest.port, await requestFor(running.log, kept ? size : cosigned));
    expect([step, answer?.status]).toEqual([step, 200]);
    cosigned = size;
    await honest.kill();
  }
});
