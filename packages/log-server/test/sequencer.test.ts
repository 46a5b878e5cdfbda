import { nodeCrypto } from "@touchmark/log";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  type Candidate,
  checkStore,
  type Cosigning,
  createSequencer,
  createStore,
  openFolder,
  packageStates,
  type Receipt,
  type Sequencer,
  type Store,
} from "../src/index.ts";
import { LogServerError } from "../src/error.ts";
import { readAdmittedEnvelope } from "../src/signatures/open-envelope.ts";
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
  sequencer = createSequencer({ store, states: packageStates(store.ahead, 10), clock: () => now, batch: 4, queue: 50 });
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

/** Witnesses that answer, or give up, when the test says so; one call a checkpoint. */
function heldWitnesses(): { cosigning: Cosigning; asked: number[]; answer: (fails?: boolean) => void } {
  const waiting: ((fails: boolean) => void)[] = [];
  const asked: number[] = [];
  const cosigning: Cosigning = {
    collect: ({ checkpoint: { size, note } }) =>
      new Promise((resolve, reject) => {
        asked.push(size);
        waiting.push((fails) =>
          fails ? reject(new LogServerError("NOT_WITNESSED", "Not cosigned yet.")) : resolve(note),
        );
      }),
    covers: () => true,
    quorumTime: () => null,
    refresh: () => undefined,
    improved: () => undefined,
    onQuorum: () => undefined,
    stop: () => undefined,
  };
  return { cosigning, asked, answer: (fails = false) => waiting.shift()!(fails) };
}

test("[L-16] [L-30] while a batch is cosigned the next one is stored, and not answered before its own checkpoint is shown", async () => {
  const { cosigning, asked, answer } = heldWitnesses();
  sequencer = createSequencer({ store, states: packageStates(store.ahead, 10), clock: () => now, cosigning });
  const answered: string[] = [];
  const sent = (name: string, envelope: Uint8Array): Promise<Receipt> =>
    submit(envelope).finally(() => answered.push(name));
  const first = sent("claim", claim({ "npm:npmjs/a": [] }, [alice]));
  await vi.waitUntil(() => asked.length === 1);
  // It is judged by what the first one did, which is not shown yet.
  const second = sent("release", release(["npm:npmjs/a@1.0.0"], [alice]));
  await vi.waitUntil(() => store.pending()?.size === 5);
  const again = sent("again", claim({ "npm:npmjs/a": [] }, [alice]));
  const rival = sent("rival", release(["npm:npmjs/a@1.0.0"], [alice], { bytes: "other" }));
  expect([store.checkpoint().size, asked, answered]).toEqual([1, [3], []]);

  answer();
  expect((await first).note).toBe(store.checkpoint().note);
  expect(store.checkpoint().size).toBe(3);
  await expect(rival).rejects.toMatchObject({ code: "EQUIVOCATION" });
  expect(asked).toEqual([3, 5]);
  answer();
  expect([...(await second).entries.values(), ...(await again).entries.values()]).toEqual([3, 1]);
  expect([store.checkpoint().size, store.pending()]).toEqual([5, undefined]);
  expect(answered.filter((name) => name !== "rival")).toEqual(["claim", "release", "again"]);
});

test("while a batch is cosigned the next one is stored once it is as large, or when that one is shown", async () => {
  const { cosigning, asked, answer } = heldWitnesses();
  sequencer = createSequencer({ store, states: packageStates(store.ahead, 10), clock: () => now, cosigning });
  const packages = ["a", "b", "c", "d", "e"].map((name) => claim({ [`npm:npmjs/${name}`]: [] }, [alice]));
  const submitted = packages.slice(0, 2).map(submit);
  await vi.waitUntil(() => asked.length === 1);
  submitted.push(submit(packages[2]!));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(store.pending()?.size).toBe(4); // two claims and an epoch leaf after the first one
  submitted.push(submit(packages[3]!));
  await vi.waitUntil(() => store.pending()?.size === 7);
  expect(store.checkpoint().size).toBe(1);
  answer();
  await vi.waitUntil(() => asked.length === 2);
  submitted.push(submit(packages[4]!));
  answer();
  await vi.waitUntil(() => asked.length === 3);
  answer();
  const receipts = await Promise.all(submitted);
  expect(receipts.flatMap(({ entries }) => [...entries.values()])).toEqual([1, 2, 4, 5, 7]);
  expect(asked).toEqual([4, 7, 9]);
});

test("[Q-27] when the witnesses fail, what was stored meanwhile is tried once more, then nothing is stored until they are back", async () => {
  const { cosigning, asked, answer } = heldWitnesses();
  sequencer = createSequencer({ store, states: packageStates(store.ahead, 10), clock: () => now, cosigning });
  const first = submit(claim({ "npm:npmjs/a": [] }, [alice]));
  await vi.waitUntil(() => asked.length === 1);
  const second = submit(claim({ "npm:npmjs/b": [] }, [alice]));
  await vi.waitUntil(() => store.pending()?.size === 5);
  answer(true);
  await expect(first).rejects.toMatchObject({ code: "NOT_WITNESSED" });
  await vi.waitUntil(() => asked.length === 2);
  const third = submit(claim({ "npm:npmjs/c": [] }, [alice]));
  answer(true);
  await expect(second).rejects.toMatchObject({ code: "NOT_WITNESSED" });
  await vi.waitUntil(() => asked.length === 3);
  expect([asked, store.pending()?.size, store.checkpoint().size]).toEqual([[3, 5, 5], 5, 1]);
  answer();
  await vi.waitUntil(() => asked.length === 4);
  answer();
  expect([...(await third).entries.values()]).toEqual([5]);
  expect([...(await submit(claim({ "npm:npmjs/a": [] }, [alice]))).entries.values()]).toEqual([1]);
  expect(asked).toEqual([3, 5, 5, 7]);
});
