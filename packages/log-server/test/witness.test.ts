import { createHash } from "node:crypto";
import { connect } from "node:net";
import { encodeBase64 } from "@touchmark/core";
import {
  encodeAddCheckpoint,
  encodeNote,
  fetchCosignature,
  noteSigner,
  parseNote,
  parseSignatureLines,
  verifyCosignatures,
  verifyNote,
} from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createWitness,
  createWitnessStore,
  type Objection,
  openWitnessStore,
  startWitnessServer,
} from "../src/index.ts";
import type { WitnessAnswer } from "../src/witness/witness.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { ORIGIN } from "./support/statements.ts";
import { type RunningWitness, runWitness, showTree, witnessKeys } from "./support/witness.ts";

const tree = showTree();
const fork = showTree({ branch: "other", forkAt: 3 });
const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");
const textOf = (size: number): string => parseNote(bytes(tree.note(size))).text;
const edit = (body: string, from: string | RegExp, to: string): string => {
  const edited = body.replace(from, to);
  expect(edited).not.toBe(body);
  return edited;
};
const hash = encodeBase64(new Uint8Array(32));

let witness: RunningWitness;
beforeEach(async () => {
  witness = await runWitness("w.example/one", { logs: [signer.key] });
});
afterEach(() => witness.end());

async function status(body: string): Promise<number> {
  return (await witness.post(body)).status;
}

describe("[Q-17] to [Q-22] add-checkpoint", () => {
  test("[Q-18] 200: a line by each key, all of one time, and it is what the next one has to follow", async () => {
    const response = await witness.post(tree.request(0, 5));
    expect(response.status).toBe(200);
    const signatures = parseSignatureLines(await response.text());
    const keys = witness.keys.map(({ key }) => key);
    expect(verifyCosignatures({ text: textOf(5), signatures }, keys).cosignatures).toEqual(
      keys.map((key) => ({ key, time: witness.clock.now })),
    );
    expect(await status(tree.request(5, 9))).toBe(200);
    expect(await status(tree.request(9, 256))).toBe(200);
  });

  test.each([
    ["no body", ""],
    ["a line that is not old", tree.request(0, 5).replace("old", "new")],
    ["an old size with a leading zero", tree.request(0, 5).replace("old 0", "old 00")],
    ["an old size with a sign", tree.request(0, 5).replace("old 0", "old +0")],
    ["two spaces", tree.request(0, 5).replace("old 0", "old  0")],
    ["a carriage return", tree.request(0, 5).replace("old 0\n", "old 0\r\n")],
    ["a hash that is none", tree.request(3, 5).replace("\n", "\nAAAA\n")],
    ["64 hashes", tree.request(0, 5).replace("\n", `\n${`${hash}\n`.repeat(64)}`)],
    ["no empty line", tree.request(0, 5).replace("\n\n", "\n")],
    ["no signature", tree.request(0, 5).split("\u2014")[0]!],
    ["no checkpoint", encodeAddCheckpoint({ oldSize: 0, proof: [], note: signedText("one line\n") })],
    [
      "a size that is none",
      encodeAddCheckpoint({ oldSize: 0, proof: [], note: signedText(`${ORIGIN}\n05\n${hash}\n`) }),
    ],
    ["an old size above the checkpoint's", tree.request(6, 5)],
  ])("[Q-18] 400: %s", async (_, body) => {
    expect(await status(body)).toBe(400);
  });

  test("[Q-18] 404: a log that it does not know", async () => {
    const stranger = showTree({ signer: noteSigner("log.example/other", new Uint8Array(32).fill(1)) });
    expect(await status(stranger.request(0, 5))).toBe(404);
  });

  test("[Q-18] 403: not signed by a known key, or signed falsely by one", async () => {
    const stranger = showTree({ signer: noteSigner(ORIGIN, new Uint8Array(32).fill(9)) });
    expect(await status(stranger.request(0, 5))).toBe(403);
    const false5 = tree.note(5).split("\n\n")[1]!;
    const body = tree.request(0, 6);
    expect(await status(body + false5)).toBe(403);
    // What no key vouches for is not told how large the tree is.
    expect(await status(stranger.request(4, 5))).toBe(403);
    expect(await status(edit(stranger.request(0, 5), "old 0", "old 6"))).toBe(403);
  });

  test("[Q-18] 409: another size than the last one cosigned, which is named", async () => {
    const first = await witness.post(tree.request(3, 5));
    expect([first.status, await first.text()]).toEqual([409, "0\n"]);
    await witness.post(tree.request(0, 7));
    for (const [old, size] of [
      [0, 7],
      [5, 9],
      [0, 3],
      [3, 3],
    ] as const) {
      const response = await witness.post(tree.request(old, size));
      expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
        409,
        "text/x.tlog.size",
        "7\n",
      ]);
    }
  });

  test("[Q-18] 422: what does not follow from the last one", async () => {
    expect(await status(edit(tree.request(0, 5), "\n", `\n${hash}\n`))).toBe(422);
    const empty = signedText(`${ORIGIN}\n0\n${hash}\n`);
    expect(await status(encodeAddCheckpoint({ oldSize: 0, proof: [], note: empty }))).toBe(422);
    expect(await status(tree.request(0, 5))).toBe(200);
    expect(await status(fork.request(5, 9))).toBe(422);
    expect(await status(fork.request(5, 5))).toBe(422);
    expect(await status(edit(tree.request(5, 5), "\n", `\n${hash}\n`))).toBe(422);
    expect(await status(edit(tree.request(5, 9), /\n.*\n/, "\n"))).toBe(422);
    expect(await status(edit(tree.request(5, 9), "\n\n", `\n${hash}\n\n`))).toBe(422);
    expect(witness.trouble.at(-1)).toMatch(/does not follow from the one of 5/);
    expect(await status(tree.request(5, 9))).toBe(200);
  });

  test("[Q-20] the same size again is cosigned again with the new time; the empty tree too", async () => {
    expect(await status(tree.request(0, 0))).toBe(200);
    expect(await status(tree.request(0, 5))).toBe(200);
    witness.clock.now += 3600;
    const answer = await fetchCosignature(
      witness.endpoint(),
      { oldSize: 5, proof: [], note: tree.note(5) },
      textOf(5),
      witness.clock.now,
    );
    expect(answer).toMatchObject({ kind: "cosigned", time: witness.clock.now });
  });

  test("[Q-17] extension lines are allowed, and other signatures passed over", async () => {
    const note = signedText(`${textOf(5)}extension\n`);
    const strange = encodeNote({ text: "x\n", signatures: [witnessKeys("v.example")[0].cosign(textOf(5), 1)] });
    const line = strange.split("\n\n")[1]!;
    expect(await status(encodeAddCheckpoint({ oldSize: 0, proof: [], note: note + line }))).toBe(200);
  });

  test("bodies over 256 KiB, other methods and other paths are refused", async () => {
    expect(await status(`old 0\n\n${"x".repeat(300_000)}`)).toBe(413);
    expect((await fetch(`${witness.url}/add-checkpoint`)).status).toBe(405);
    expect((await fetch(`${witness.url}/add-checkpoint/`, { method: "POST", body: "" })).status).toBe(404);
    expect((await fetch(`${witness.url}/healthz`)).status).toBe(200);
  });

  test("[Q-29] sign-subtree is not offered", async () => {
    const body = `subtree 4 8\n${hash}\n\n${tree.note(9)}`;
    expect((await fetch(`${witness.url}/sign-subtree`, { method: "POST", body })).status).toBe(404);
  });

  test("[Q-22] the last checkpoint can be had, with the log's line and the witness's", async () => {
    const origin = createHash("sha256").update(ORIGIN).digest("hex");
    const path = `${witness.url}/${origin}/checkpoint`;
    expect((await fetch(path)).status).toBe(404);
    await witness.post(tree.request(0, 5));
    const note = parseNote(bytes(await (await fetch(path)).text()));
    expect(note.text).toBe(textOf(5));
    expect(verifyNote(note, [signer.key])).toHaveLength(1);
    const keys = witness.keys.map(({ key }) => key);
    expect(verifyCosignatures(note, keys).cosignatures).toHaveLength(2);
  });
});

describe("[Q-19] one memory, one answer", () => {
  test("of many requests at once for one step, one history is cosigned, whichever it is", async () => {
    await witness.post(tree.request(0, 4));
    const bodies = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? tree : showTree({ branch: `${i}`, forkAt: 4 })));
    const answers = await Promise.all(bodies.map((shown, i) => status(shown.request(4, 5 + (i % 3)))));
    expect(answers.filter((one) => one === 200)).toHaveLength(1);
    expect(new Set(answers)).toEqual(new Set([200, 409]));
  });

  test("what was cosigned is remembered after a restart, and by one process only", async () => {
    await witness.post(tree.request(0, 5));
    expect(() => openWitnessStore(witness.dir)).toThrow(expect.objectContaining({ code: "STORE_LOCKED" }));
    witness = await witness.restart();
    expect(await status(fork.request(0, 6))).toBe(409);
    expect(await status(fork.request(5, 6))).toBe(422);
    expect(await status(tree.request(5, 6))).toBe(200);
  });

  test("what can't be kept is not cosigned: a disk that is full, and then has room", async () => {
    const { dir, remove } = temporaryFolder();
    const store = createWitnessStore(dir);
    const disk = { full: true };
    const keep: typeof store.keep = (origin, checkpoint) => {
      if (disk.full) throw new Error("database or disk is full");
      store.keep(origin, checkpoint);
    };
    const [key] = witnessKeys("w");
    const server = await startWitnessServer({
      witness: createWitness({ store: { ...store, keep }, cosigners: [key], logs: [signer.key], clock: () => 1 }),
    });
    const post = async (body: string): Promise<[number, string]> => {
      const response = await fetch(`http://127.0.0.1:${server.port}/add-checkpoint`, { method: "POST", body });
      return [response.status, await response.text()];
    };
    expect(await post(tree.request(0, 5))).toEqual([500, "Something went wrong inside the witness.\n"]);
    expect(store.last(ORIGIN)).toBeUndefined();
    disk.full = false;
    expect((await post(fork.request(0, 9)))[0]).toBe(200); // it has promised nobody anything
    await server.close();
    store.close();
    remove();
  });

  test("[Q-23] a memory that is missing is not an empty one, and none is made over another", async () => {
    const { dir, remove } = temporaryFolder();
    expect(() => openWitnessStore(dir)).toThrow(expect.objectContaining({ code: "STORE_MISSING" }));
    createWitnessStore(dir).close();
    expect(() => createWitnessStore(dir)).toThrow(expect.objectContaining({ code: "STORE_EXISTS" }));
    remove();
  });
});

describe("[Q-21] a witness that judges", () => {
  let asked: [number, number][];
  let verdict: () => Promise<Objection | null>;
  let judging: RunningWitness;
  beforeEach(async () => {
    asked = [];
    verdict = async () => null;
    judging = await runWitness("auditor.example", {
      logs: [signer.key],
      judge: ({ checkpoint, oldSize }) => {
        asked.push([oldSize, checkpoint.size]);
        return verdict();
      },
    });
  });
  afterEach(() => judging.end());
  const ask = async (body: string): Promise<[number, string]> => {
    const response = await judging.post(body);
    return [response.status, await response.text()];
  };

  test("is asked about each larger checkpoint that is consistent, and about no other", async () => {
    expect((await ask(tree.request(0, 5)))[0]).toBe(200);
    expect((await ask(tree.request(5, 5)))[0]).toBe(200);
    expect((await ask(fork.request(5, 9)))[0]).toBe(422);
    expect((await ask(tree.request(3, 9)))[0]).toBe(409);
    expect((await ask(tree.request(5, 9)))[0]).toBe(200);
    expect(asked).toEqual([
      [0, 5],
      [5, 9],
    ]);
  });

  test("what it refuses is not cosigned and not remembered; its words are the answer", async () => {
    verdict = async () => ({ final: true, message: "Entry 3 breaks [L-14]." });
    expect(await ask(tree.request(0, 5))).toEqual([422, "Entry 3 breaks [L-14].\n"]);
    verdict = async () => ({ final: false, message: "The log cannot be reached." });
    expect(await ask(tree.request(0, 5))).toEqual([503, "The log cannot be reached.\n"]);
    verdict = () => Promise.reject(new Error("secret"));
    expect(await ask(tree.request(0, 5))).toEqual([503, "The checkpoint could not be judged.\n"]);
    expect(judging.trouble).toHaveLength(3);
    verdict = async () => null;
    expect((await ask(tree.request(0, 5)))[0]).toBe(200);
  });

  test("while it thinks no other checkpoint of the log gets past it", async () => {
    const { promise, resolve } = Promise.withResolvers<null>();
    verdict = () => promise;
    const first = ask(tree.request(0, 5));
    const second = ask(fork.request(0, 6));
    await new Promise((done) => setTimeout(done, 30));
    resolve(null);
    expect((await first)[0]).toBe(200);
    expect(await second).toEqual([409, "5\n"]);
  });

  test("whoever holds connections open keeps no log from its witness", async () => {
    const { dir, remove } = temporaryFolder();
    const store = createWitnessStore(dir);
    const cosigning = createWitness({ store, cosigners: witnessKeys("w"), logs: [signer.key], clock: () => START });
    const server = await startWitnessServer({ witness: cosigning, connections: 4 });
    const idle = Array.from({ length: 8 }, () => connect(server.port, "127.0.0.1").on("error", () => undefined));
    await Promise.all(
      idle.map((socket) => new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))),
    );
    const url = `http://127.0.0.1:${server.port}/add-checkpoint`;
    expect((await fetch(url, { method: "POST", body: tree.request(0, 5) })).status).toBe(200);
    for (const socket of idle) socket.destroy();
    await server.close();
    store.close();
    remove();
  });

  test("what is cosigned again within a second is written once", async () => {
    const { dir, remove } = temporaryFolder();
    const store = createWitnessStore(dir);
    let writes = 0;
    const counting = { ...store, keep: (...kept: Parameters<typeof store.keep>) => (writes++, store.keep(...kept)) };
    const clock = { now: START };
    const options = { cosigners: witnessKeys("w"), logs: [signer.key], clock: () => clock.now };
    const cosigning = createWitness({ store: counting, ...options });
    const first = await cosigning.addCheckpoint(bytes(tree.request(0, 5)));
    for (let i = 0; i < 20; i++) expect(await cosigning.addCheckpoint(bytes(tree.request(5, 5)))).toEqual(first);
    expect(writes).toBe(1);
    clock.now++;
    expect((await cosigning.addCheckpoint(bytes(tree.request(5, 5)))).body).not.toBe(first.body);
    expect(writes).toBe(2);
    store.close();
    remove();
  });

  test("too many that wait are sent away", async () => {
    const { promise, resolve } = Promise.withResolvers<null>();
    const { dir, remove } = temporaryFolder();
    const store = createWitnessStore(dir);
    const slow = createWitness({
      store,
      cosigners: witnessKeys("w"),
      logs: [signer.key],
      clock: () => 1,
      judge: () => promise,
    });
    // Whoever sends one checkpoint again and again, or what does not follow, keeps no other from its turn.
    const repeated = Array.from({ length: 70 }, () => slow.addCheckpoint(bytes(tree.request(0, 5))));
    const foreign = Array.from({ length: 70 }, (_, i) => slow.addCheckpoint(bytes(tree.request(1 + (i % 4), 5))));
    const others = Array.from({ length: 70 }, (_, i) => slow.addCheckpoint(bytes(tree.request(0, 6 + i))));
    expect(new Set((await Promise.all(foreign)).map((one) => one.status))).toEqual(new Set([409]));
    setTimeout(() => resolve(null), 30);
    const count = async (answers: Promise<WitnessAnswer>[], wanted: number): Promise<number> =>
      (await Promise.all(answers)).filter(({ status: one }) => one === wanted).length;
    expect([await count(repeated, 503), await count(repeated, 200)]).toEqual([62, 1]);
    expect(await count(others, 503)).toBe(7);
    store.close();
    remove();
  });
});

function signedText(text: string): string {
  return encodeNote({ text, signatures: [signer.sign(text)] });
}
