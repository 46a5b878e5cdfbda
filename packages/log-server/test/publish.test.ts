import { packageIdHash, UNCLAIMED } from "@touchmark/core";
import { encodeNote, nodeCrypto, noteSigner, parseNote, verifyCheckpoint } from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AdmittedStatement, checkStore, createStore, openFolder, openStore, type Store } from "../src/index.ts";
import { admitStatement, type Candidate } from "../src/admission.ts";
import { readAdmittedEnvelope } from "../src/signatures/open-envelope.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { claim, ORIGIN, person } from "./support/statements.ts";

const alice = person("alice");
const witness = noteSigner("witness.example/w1", new Uint8Array(32).fill(7));
const failure = (code: string): unknown => expect.objectContaining({ code });
const hashOf = (name: string): Uint8Array => packageIdHash(nodeCrypto, `npm:npmjs/${name}`);
let folder: ReturnType<typeof temporaryFolder>;
let store: Store;

beforeEach(async () => {
  folder = temporaryFolder();
  store = await createStore(await openFolder(folder.dir, true), signer, START);
});
afterEach(async () => {
  await store.close();
  folder.remove();
});

/** The claim of a package, as admission leaves it. */
function claimed(name: string): AdmittedStatement {
  const envelope = claim({ [`npm:npmjs/${name}`]: [] }, [alice]);
  const signed = readAdmittedEnvelope(envelope);
  const candidate: Candidate = { signed, envelope, envelopeHash: nodeCrypto.sha256(envelope), earlier: new Map() };
  const view = {
    head: store.ahead.head,
    state: () => UNCLAIMED,
    releases: () => [],
    time: () => START,
    earlierSize: () => undefined,
  };
  return admitStatement(view, candidate, store.ahead.checkpoint().size, START, {
    origin: ORIGIN,
    chartered: () => false,
  }).statement;
}

/** The note with another line, as a cosignature puts one on it. */
function cosigned(note: string): string {
  const { text, signatures } = parseNote(Buffer.from(note));
  return encodeNote({ text, signatures: [...signatures, witness.sign(text)] });
}

async function reopen(): Promise<void> {
  await store.close();
  store = await openStore(await openFolder(folder.dir), signer);
}

describe("[L-30] appending and publishing are two steps", () => {
  test("what is appended is signed, and reads answer for the published checkpoint until it is shown", async () => {
    const before = store.checkpoint();
    const signed = await store.append([claimed("a")], START);
    expect(verifyCheckpoint(signed.note, signer.key)).toEqual(signed);
    expect(signed.size).toBe(3);
    expect(store.pending()).toEqual(signed);
    expect(store.checkpoint()).toEqual(before);
    expect(store.head(hashOf("a"))).toBeUndefined();
    expect(await store.tile({ level: 0, index: 0, width: 3 })).toHaveLength(96); // [L-32]
    expect(await store.tile({ level: 0, index: 0, width: 4 })).toBeUndefined();
    await expect(store.leaf(1)).rejects.toThrow(failure("STORE_DAMAGED"));

    await store.publish(signed.note);
    expect(store.pending()).toBeUndefined();
    expect(store.checkpoint()).toEqual(signed);
    expect(store.head(hashOf("a"))).toMatchObject({ last: 1, lastAuthority: 1 });
  });

  test("one more batch is stored while the first is being published, and a third waits", async () => {
    const before = store.checkpoint();
    const first = await store.append([claimed("a")], START);
    const second = await store.append([claimed("b")], START + 1);
    expect([second.size, store.pending(), store.checkpoint(), store.time()]).toEqual([5, second, before, START + 1]);
    expect([store.ahead.head(hashOf("a"))?.last, store.ahead.head(hashOf("b"))?.last]).toEqual([1, 3]);
    expect([...(await store.ahead.leavesAt([3])).keys()]).toEqual([3]);
    await expect(store.append([], START + 1)).rejects.toThrow(failure("STOPPED"));
    await expect(store.publish(before.note)).rejects.toThrow(failure("WRONG_CHECKPOINT"));

    await store.publish(first.note);
    expect([store.checkpoint(), store.pending()]).toEqual([first, second]);
    expect([store.head(hashOf("a"))?.last, store.head(hashOf("b"))]).toEqual([1, undefined]);
    const third = await store.append([claimed("c")], START + 1);
    await store.publish(second.note);
    expect([store.head(hashOf("b"))?.last, store.head(hashOf("c"))]).toEqual([3, undefined]);
    await store.publish(third.note);
    await reopen();
    expect([store.checkpoint(), store.pending(), store.head(hashOf("c"))?.last]).toEqual([third, undefined, 5]);
  });

  test("publishing the newer of two passes the older over; where it is appended while the first is shown, both come out", async () => {
    const first = await store.append([claimed("a")], START);
    const [second] = await Promise.all([store.append([claimed("b")], START), store.publish(first.note)]);
    expect([store.checkpoint(), store.pending()]).toEqual([first, second]);
    const third = await store.append([claimed("c")], START);
    await store.publish(third.note);
    expect([store.checkpoint(), store.pending()]).toEqual([third, undefined]);
    expect([store.head(hashOf("b"))?.last, store.head(hashOf("c"))?.last]).toEqual([3, 5]);
    await store.close();
    expect((await checkStore(await openFolder(folder.dir), signer.key)).problems).toEqual([]);
    store = await openStore(await openFolder(folder.dir), signer);
  });

  test("after a restart with two stored and not published, the newer is offered, and nothing is appended before it is shown", async () => {
    await store.append([claimed("a")], START);
    const second = await store.append([claimed("b")], START);
    await reopen();
    expect([store.checkpoint().size, store.pending()]).toEqual([1, second]);
    expect([store.head(hashOf("a")), store.ahead.head(hashOf("b"))?.last]).toEqual([undefined, 3]);
    await expect(store.append([], START)).rejects.toThrow(failure("STOPPED"));
    await store.publish(second.note);
    expect([store.head(hashOf("a"))?.last, store.head(hashOf("b"))?.last]).toEqual([1, 3]);
  });

  test("after a restart the durable checkpoint is offered again, and what was published is what is read", async () => {
    await store.publish((await store.append([claimed("a")], START)).note);
    const shown = store.checkpoint();
    const signed = await store.append([claimed("b")], START);
    await reopen();
    expect(store.checkpoint()).toEqual(shown);
    expect(store.pending()).toEqual(signed);
    expect(store.head(hashOf("a"))).toMatchObject({ last: 1 });
    expect(store.head(hashOf("b"))).toBeUndefined();
    await expect(store.append([], START)).rejects.toThrow(failure("STOPPED"));

    await store.publish(signed.note);
    expect(store.head(hashOf("b"))).toMatchObject({ last: 3 });
    await reopen();
    expect([store.checkpoint(), store.pending()]).toEqual([signed, undefined]);
  });

  test("a note with cosignatures is shown, and shown again after a restart", async () => {
    const { note } = await store.append([claimed("a")], START);
    await store.publish(cosigned(note));
    expect(store.checkpoint().note).toBe(cosigned(note));
    await reopen();
    expect(store.checkpoint().note).toBe(cosigned(note));
    await store.publish(note);
    expect(store.checkpoint().note).toBe(note);
  });

  test("no other note is shown", async () => {
    const old = store.checkpoint().note;
    const { note } = await store.append([claimed("a")], START);
    const { text } = parseNote(Buffer.from(note));
    await expect(store.publish(old)).rejects.toThrow(failure("WRONG_CHECKPOINT"));
    const foreign = encodeNote({ text, signatures: [witness.sign(text)] });
    await expect(store.publish(foreign)).rejects.toThrow(failure("UNSIGNED"));
    expect(store.checkpoint().note).toBe(old);
  });
});
