import { describe, expect, it } from "vitest";
import { encodeEnvelope, encodeHex, encodeVeto, packageIdHash, verifyEnvelope } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { createInbox, INBOX_LIMITS } from "../src/inbox.ts";

const DAY = 86_400;

function statement(
  name: string,
  entry = 1,
): { envelope: Uint8Array; put: Parameters<ReturnType<typeof createInbox>["put"]> } {
  const payload = encodeVeto(nodeCrypto, {
    logs: ["log.example/main"],
    entries: new Map([[`npm:npmjs/${name}`, new Uint8Array(32).fill(entry)]]),
  });
  const envelope = encodeEnvelope({ payload, signatures: [] });
  const signed = verifyEnvelope(nodeCrypto, envelope);
  return { envelope, put: [signed.statement, signed.digest, envelope, 0] };
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
