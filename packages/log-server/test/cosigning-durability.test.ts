import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  decideQuorum,
  fetchCheckpoint,
  fetchConsistency,
  type LogEndpoint,
  LogError,
  parseNote,
  parseTlogPolicy,
  type SignedCheckpoint,
  submitEnvelope,
  verifyCosignatures,
} from "@touchmark/log";
import { afterAll, expect, test } from "vitest";
import { checkStore, openFolder, openWitnessStore } from "../src/index.ts";
import { policyOf } from "./support/cosigned-log.ts";
import { killAll, startKillable } from "./support/killable.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { claim, person, release } from "./support/statements.ts";
import { runWitness, showTree } from "./support/witness.ts";

const ROUNDS = 6;
const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  killAll();
  for (const cleanup of cleanups) await cleanup();
});

test(
  "[L7] [Q-19] kill -9 of a witness under load: what it cosigned it remembers, and it never cosigns two histories",
  { timeout: 200_000 },
  async () => {
    const { dir, remove } = temporaryFolder();
    cleanups.push(remove);
    const trees = [showTree(), showTree({ branch: "other" }), showTree({ branch: "third" })];
    const cosigned: { tree: number; size: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const witness = await startKillable("witness-child.ts", dir, "w.example");
      const post = (body: string): Promise<Response> =>
        fetch(`http://127.0.0.1:${witness.port}/add-checkpoint`, { method: "POST", body });
      const client = async (tree: number): Promise<void> => {
        for (let known = 0; ;) {
          const size = Math.min(300, known + 1 + ((known + round) % 3));
          const response = await post(trees[tree]!.request(known, size)).catch(() => undefined);
          const text = await response?.text().catch(() => undefined);
          if (text === undefined || response === undefined) return;
          if (response.status === 200) cosigned.push({ tree, size });
          if (response.status === 200) known = size;
          else if (response.status === 409) known = Number(text);
          else expect(response.status).toBe(422);
          if (response.status !== 200) await setTimeout(2);
        }
      };
      const clients = Promise.all(trees.map((_, tree) => client(tree)));
      await reaches(() => cosigned.length, 5 * (round + 1));
      await setTimeout(3 * round);
      await witness.kill();
      await clients;
      const store = openWitnessStore(dir);
      const last = store.last(signer.key.name)?.size ?? 0;
      store.close();
      for (const { size } of cosigned) expect(size).toBeLessThanOrEqual(last);
    }
    expect(new Set(cosigned.map(({ tree }) => tree)).size).toBe(1);
  },
);

test(
  "[L7] [Q-24] kill -9 of a log with witnesses: all that was answered was cosigned and is kept, and the witnesses saw one history",
  { timeout: 200_000 },
  async () => {
    const { dir, remove } = temporaryFolder();
    cleanups.push(remove);
    const witnesses = [
      await runWitness("w0.example", { logs: [signer.key] }, START),
      await runWitness("w1.example", { logs: [signer.key] }, START),
    ];
    for (const witness of witnesses) cleanups.push(() => witness.end());
    const text = policyOf(2, witnesses);
    const policy = parseTlogPolicy(Buffer.from(text));
    const file = join(dir, "witnesses.policy");
    writeFileSync(file, text);
    const holds = ({ note }: SignedCheckpoint): boolean => {
      const keys = policy.witnesses.map(({ key }) => key);
      return decideQuorum(policy, verifyCosignatures(parseNote(Buffer.from(note)), keys).cosignatures, START).held;
    };
    const alice = person("alice");
    const packages = Array.from({ length: 10 }, (_, i) => `npm:npmjs/p${i}`);
    const all: { envelope: Uint8Array; entries: ReadonlyMap<string, number>; checkpoint: SignedCheckpoint }[] = [];

    for (let round = 0; round < ROUNDS; round++) {
      const child = await startKillable("child.ts", dir, String(START), file);
      const log: LogEndpoint = { url: `http://127.0.0.1:${child.port}/`, key: signer.key, fetch };
      const now = await fetchCheckpoint(log);
      expect(holds(now)).toBe(true);
      for (const { checkpoint } of all.slice(-20)) await fetchConsistency(log, checkpoint, now);
      for (const { envelope, entries } of all.slice(-20))
        expect([...(await submitEnvelope(log, { envelope })).entries]).toEqual([...entries]);
      if (round === 0) {
        await submitEnvelope(log, { envelope: claim(Object.fromEntries(packages.map((name) => [name, []])), [alice]) });
      }
      const client = async (number: number): Promise<void> => {
        for (let i = 0; ; i++) {
          const envelope = release([`${packages[number]!}@${round}.${i}.0`], [alice]);
          try {
            all.push({ envelope, ...(await submitEnvelope(log, { envelope })) });
          } catch (error) {
            if (error instanceof LogError && error.code === "NETWORK") return;
            throw error;
          }
        }
      };
      const clients = Promise.all(packages.map((_, number) => client(number)));
      await reaches(() => all.length, 12 * (round + 1));
      await setTimeout(7 * round);
      await child.kill();
      await clients;
    }
    expect(all.every(({ checkpoint }) => holds(checkpoint))).toBe(true);
    expect(witnesses.flatMap(({ trouble }) => trouble)).toEqual([]); // nothing that the log signed contradicted anything
    expect((await checkStore(await openFolder(dir), signer.key)).problems).toEqual([]);
  },
);

async function reaches(count: () => number, wanted: number): Promise<void> {
  while (count() < wanted) await setTimeout(1);
}
