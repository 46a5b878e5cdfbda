import { packageIdHash, UNCLAIMED } from "@touchmark/core";
import { encodeNote, nodeCrypto, noteSigner, parseNote, verifyCheckpoint } from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AdmittedStatement, createStore, openFolder, openStore, type Store } from "../src/index.ts";
import { admitStatement, type Candidate } from "../src/admission.ts";
import { readAdmittedEnvelope } from "../src/signatures.ts";
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
    head: store.head,
    state: () => UNCLAIMED,
    releases: () => [],
    time: () => START,
    hasEarlier: () => false,
  };
  return admitStatement(view, candidate, store.checkpoint().size, START, { origin: ORIGIN, chartered: () => false })
    .statement;
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

  test("a second batch waits for the first to be published", async () => {
    const signed = await store.append([claimed("a")], START);
    await expect(store.append([], START)).rejects.toThrow(failure("STOPPED"));
    await store.publish(signed.note);
    expect((await store.append([], START)).size).toBe(4);
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
