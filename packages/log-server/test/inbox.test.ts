import { describe, expect, it } from "vitest";
import {
  addSignature,
  encodeEnvelope,
  encodeHex,
  encodeVeto,
  packageIdHash,
  parseEnvelope,
  verifyEnvelope,
} from "@touchmark/core";
import { makeSoftKey } from "../../core/test/support/soft-key.ts";
import { nodeCrypto } from "@touchmark/log";
import { createInbox, INBOX_LIMITS } from "../src/inbox.ts";

const DAY = 86_400;

type Put = Parameters<ReturnType<typeof createInbox>["put"]>;

function statement(name: string, entry = 1): { envelope: Uint8Array; put: Put } {
  return statementAbout([name], entry);
}

function statementAbout(names: readonly string[], entry: number): { envelope: Uint8Array; put: Put } {
  const ids = names.map((name) => `npm:npmjs/${name}`).toSorted();
  const payload = encodeVeto(nodeCrypto, {
    logs: ["log.example/main"],
    entries: new Map(ids.map((id) => [id, new Uint8Array(32).fill(entry)])),
  });
  const envelope = encodeEnvelope({ payload, signatures: [] });
  const opened = verifyEnvelope(nodeCrypto, envelope);
  return { envelope, put: [opened.statement, opened.digest, envelope, 0] };
}

/** The same with one signature. */
function signed(name: string, entry: number, seed: string): Put {
  const { envelope, put } = statement(name, entry);
  const unsigned = parseEnvelope(envelope);
  const signature = makeSoftKey({ seed }).sign(nodeCrypto, unsigned.payload);
  return [put[0], put[1], encodeEnvelope(addSignature(unsigned, signature)), 0];
}

function hash(name: string): string {
  return encodeHex(packageIdHash(nodeCrypto, `npm:npmjs/${name}`));
}

describe("[L-50] the inbox", () => {
  it("keeps a statement, and lists it under its subject", () => {
    const inbox = createInbox();
    const { envelope, put } = statement("a");
    inbox.put(...put);
    inbox.put(...put);
    expect(inbox.get(put[1], 0)).toEqual(envelope);
    expect(inbox.about(hash("a"), 0)).toEqual([put[1]]);
    expect(inbox.about(hash("b"), 0)).toEqual([]);
  });

  it("[L-51] forgets after 30 days", () => {
    const inbox = createInbox();
    const { put } = statement("a");
    inbox.put(...put);
    expect(inbox.get(put[1], 30 * DAY - 1)).toBeDefined();
    expect(inbox.get(put[1], 30 * DAY)).toBeUndefined();
    expect(inbox.about(hash("a"), 30 * DAY)).toEqual([]);
  });

  it("[L-51] what nobody has signed does not crowd out what somebody has", () => {
    const inbox = createInbox({ ...INBOX_LIMITS, ofSubject: 2, statements: 3 });
    inbox.put(...statement("a", 1).put);
    inbox.put(...statement("a", 2).put);
    inbox.put(...signed("a", 3, "alice"));
    expect(inbox.about(hash("a"), 0)).toEqual([statement("a", 2).put[1], statement("a", 3).put[1]]);
    inbox.put(...signed("a", 2, "bob"));
    expect(() => inbox.put(...statement("a", 4).put)).toThrow("full");
    expect(() => inbox.put(...signed("a", 4, "alice"))).toThrow("full");
    inbox.put(...statement("b", 1).put);
    inbox.put(...signed("c", 1, "carol"));
    expect(inbox.about(hash("b"), 0)).toEqual([]);
  });

  it("[L-51] has no more signatures in one statement than an envelope may have", () => {
    const inbox = createInbox();
    for (let i = 0; i < 64; i++) inbox.put(...signed("a", 1, `key ${i}`));
    expect(() => inbox.put(...signed("a", 1, "key 64"))).toThrow("full");
    expect(parseEnvelope(inbox.get(statement("a", 1).put[1], 0)!).signatures).toHaveLength(64);
  });

  it("finds its way about however much waits", () => {
    const inbox = createInbox();
    const names = Array.from({ length: 200 }, (_, i) => `p${i}`);
    for (let entry = 0; entry < 64; entry++) inbox.put(...statementAbout(names, entry).put);
    expect(() => inbox.put(...statementAbout(names, 64).put)).toThrow("full");
    for (const name of names.slice(0, 9)) expect(inbox.about(hash(name), 0)).toHaveLength(64);
  });

  it("[L-51] has limits, of which one subject's are its own", () => {
    const inbox = createInbox({ ...INBOX_LIMITS, ofSubject: 2, statements: 3 });
    inbox.put(...statement("a", 1).put);
    inbox.put(...statement("a", 2).put);
    expect(() => inbox.put(...statement("a", 3).put)).toThrow("full");
    inbox.put(...statement("b", 1).put);
    expect(() => inbox.put(...statement("c", 1).put)).toThrow("full");
    inbox.put(...statement("a", 1).put);
    const small = createInbox({ ...INBOX_LIMITS, bytes: statement("a", 1).envelope.length });
    small.put(...statement("a", 1).put);
    expect(() => small.put(...statement("b", 1).put)).toThrow("full");
  });
});
