import { nodeCrypto } from "@touchmark/log";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Candidate,
  checkStore,
  createSequencer,
  createStore,
  openFolder,
  packageStates,
  type Receipt,
  type Sequencer,
  type Store,
} from "../src/index.ts";
import { readAdmittedEnvelope } from "../src/signatures.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { claim, person, release } from "./support/statements.ts";

const alice = person("alice");
let folder: ReturnType<typeof temporaryFolder>;
let store: Store;
let sequencer: Sequencer;
let now = START;

beforeEach(async () => {
  folder = temporaryFolder();
  store = await createStore(await openFolder(folder.dir, true), signer, START);
  now = START;
  sequencer = createSequencer({ store, states: packageStates(store, 10), clock: () => now, batch: 4, queue: 50 });
});
afterEach(async () => {
  await sequencer.stop();
  await store.close();
  folder.remove();
});

function submit(envelope: Uint8Array): Promise<Receipt> {
  const signed = readAdmittedEnvelope(envelope);
  const candidate: Candidate = { signed, envelope, envelopeHash: nodeCrypto.sha256(envelope), earlier: new Map() };
  return sequencer.submit(candidate);
}

test("what is submitted the moment an answer comes is not left waiting", async () => {
  await submit(claim({ "npm:npmjs/a": [] }, [alice]));
  for (let i = 0; i < 20; i++) {
    const { entries } = await submit(release([`npm:npmjs/a@1.0.${i}`], [alice]));
    expect(entries.get("npm:npmjs/a")).toBe(3 + 2 * i);
  }
});

test("more than a batch holds goes into several, in order, each with an epoch leaf of its own", async () => {
  const packages = Array.from({ length: 10 }, (_, i) => `npm:npmjs/p${i}`);
  const receipts = await Promise.all(packages.map((name) => submit(claim({ [name]: [] }, [alice]))));
  expect(receipts.map(({ entries }) => [...entries.values()][0])).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 11, 12]);
  expect(store.checkpoint().size).toBe(14);
});

test("in one batch a later statement sees what an earlier one did", async () => {
  const [claimed, released, rival] = await Promise.allSettled([
    submit(claim({ "npm:npmjs/a": [] }, [alice])),
    submit(release(["npm:npmjs/a@1.0.0"], [alice])),
    submit(release(["npm:npmjs/a@1.0.0"], [alice], { bytes: "other" })),
  ]);
  expect([claimed?.status, released?.status]).toEqual(["fulfilled", "fulfilled"]);
  expect(rival).toMatchObject({ status: "rejected", reason: { code: "EQUIVOCATION" } });
  expect(store.checkpoint().size).toBe(4);
  await sequencer.stop();
  await store.close();
  expect((await checkStore(await openFolder(folder.dir), signer.key)).problems).toEqual([]);
});

test("a queue that is full says so, and what was taken in is answered", async () => {
  const packages = Array.from({ length: 60 }, (_, i) => `npm:npmjs/p${i}`);
  const outcomes = await Promise.allSettled(packages.map((name) => submit(claim({ [name]: [] }, [alice]))));
  const refusals = outcomes.filter(({ status }) => status === "rejected");
  expect(refusals).toHaveLength(10);
  expect(refusals[0]).toMatchObject({ reason: { code: "TOO_MANY" } });
});

test("after stop nothing is taken in, but what was is answered", async () => {
  const pending = submit(claim({ "npm:npmjs/a": [] }, [alice]));
  const stopped = sequencer.stop();
  await expect(submit(claim({ "npm:npmjs/b": [] }, [alice]))).rejects.toMatchObject({ code: "STOPPED" });
  await stopped;
  expect((await pending).entries.size).toBe(1);
});

test("[L-18] a heartbeat appends only when the last epoch leaf is old enough", async () => {
  await sequencer.heartbeat(60);
  expect(store.checkpoint().size).toBe(1);
  now += 60;
  await Promise.all([sequencer.heartbeat(60), sequencer.heartbeat(60)]);
  expect(store.checkpoint().size).toBe(2);
});
