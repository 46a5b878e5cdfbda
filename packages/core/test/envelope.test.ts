import { describe, expect, test } from "vitest";
import {
  addSignature,
  CoreError,
  encodeBase64,
  encodeEnvelope,
  encodeUtf8,
  type Envelope,
  parseEnvelope,
  parseSignatures,
  parseUtf8,
  preAuthEncoding,
  SK_ECDSA,
  verifyEnvelope,
  verifyEnvelopes,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import { release } from "./make-vectors/payload-parts.ts";
import type { StatementCase } from "./make-vectors/statements.ts";
import { refusalOf } from "./support/refusal.ts";
import { makeSoftKey } from "./support/soft-key.ts";
import { readVectors } from "./support/vectors.ts";

const payload = encodeUtf8(JSON.stringify(release()));
const alice = makeSoftKey({ seed: "alice" });
const bob = makeSoftKey({ type: SK_ECDSA, seed: "bob" });

describe("envelopes", () => {
  test("[S-2] the pre-authentication encoding of DSSE counts bytes", () => {
    expect(parseUtf8(preAuthEncoding(encodeUtf8("hello")))).toBe("DSSEv1 28 application/vnd.in-toto+json 5 hello");
    expect(parseUtf8(preAuthEncoding(encodeUtf8("é")))).toBe("DSSEv1 28 application/vnd.in-toto+json 2 é");
    expect(parseUtf8(preAuthEncoding(new Uint8Array(0)))).toBe("DSSEv1 28 application/vnd.in-toto+json 0 ");
  });

  test("[S-1] every admitted envelope comes back as it was written, read as bytes or as text", () => {
    const good = readVectors<StatementCase>("statements.json").filter(({ error }) => error === null);
    for (const { envelope } of good) {
      const parsed = parseEnvelope(encodeUtf8(envelope));
      expect(parseUtf8(encodeEnvelope(parsed))).toBe(envelope);
      expect(parseEnvelope(envelope)).toEqual(parsed);
    }
    expect(good.length).toBeGreaterThan(8);
  });

  test("[S-3] signatures are added in their order; a key's second one takes the place of its first", () => {
    const unsigned: Envelope = { payload, signatures: [] };
    const [a, b] = [alice.sign(nobleCrypto, payload), bob.sign(nobleCrypto, payload)];
    const one = addSignature(addSignature(unsigned, a), b);
    const other = addSignature(addSignature(unsigned, b), a);
    expect(one).toEqual(other);
    expect(parseEnvelope(encodeEnvelope(one))).toEqual(one);
    expect(unsigned.signatures).toEqual([]);
    const again = alice.sign(nobleCrypto, payload, { counter: 9 });
    const replaced = addSignature(one, again);
    expect(replaced.signatures.length).toBe(2);
    expect(replaced.signatures).toContainEqual(again);
    expect(verifyEnvelope(nobleCrypto, encodeEnvelope(replaced)).signers).toHaveLength(2);
  });

  test("[S-4] many are opened together as each is opened alone, and the error of one is its own", () => {
    const good = encodeEnvelope({ payload, signatures: [bob.sign(nobleCrypto, payload)] });
    const forged = encodeEnvelope({ payload, signatures: [bob.sign(nobleCrypto, encodeUtf8("another"))] });
    const nonsense = encodeUtf8("{}");
    const unsaid = encodeUtf8("not a statement");
    const unread = encodeEnvelope({ payload: unsaid, signatures: [alice.sign(nobleCrypto, unsaid)] });
    const sources = [good, forged, parseUtf8(good), nonsense, unread];
    const opened = verifyEnvelopes(nobleCrypto, sources).map((one) => (one instanceof CoreError ? one.code : one));
    const alone = sources.map((source) => {
      try {
        return verifyEnvelope(nobleCrypto, source);
      } catch (error) {
        return (error as CoreError).code;
      }
    });
    expect(opened).toEqual(alone);
    expect(opened.filter((one) => typeof one === "string")).toEqual(["BAD_SIGNATURE", "MALFORMED", "MALFORMED"]);
  });

  test("[S-3] an envelope on its way may have no signatures", () => {
    const { signers } = verifyEnvelope(nobleCrypto, encodeEnvelope({ payload, signatures: [] }));
    expect(signers).toEqual([]);
  });

  test("[S-3] keyid is the fingerprint of the key in the blob", () => {
    const signature = { ...alice.sign(nobleCrypto, payload), keyid: bob.fingerprint };
    const act = (): unknown => parseSignatures(nobleCrypto, { payload, signatures: [signature] });
    expect(refusalOf(act)).toEqual({ code: "MALFORMED", rule: "S-3" });
  });

  test("[C-15] to the byte: 2,560 KiB of envelope, 1 MiB of statement, 64 signatures", () => {
    const padded = (bytes: number): string => `"${"a".repeat(bytes - 2)}"`;
    const large = (bytes: number): Uint8Array => encodeEnvelope({ payload: new Uint8Array(bytes), signatures: [] });
    expect(refusalOf(() => parseEnvelope(padded(2560 * 1024)))).toEqual({ code: "MALFORMED", rule: "S-1" });
    expect(refusalOf(() => parseEnvelope(padded(2560 * 1024 + 1)))).toEqual({ code: "TOO_LARGE", rule: "C-15" });
    expect(refusalOf(() => parseEnvelope(large(1024 * 1024)))).toBeNull();
    expect(refusalOf(() => parseEnvelope(large(1024 * 1024 + 1)))).toEqual({ code: "TOO_LARGE", rule: "C-15" });
    expect(refusalOf(() => parseEnvelope(encodeEnvelope(signedBy(64))))).toBeNull();
    expect(refusalOf(() => parseEnvelope(encodeEnvelope(signedBy(65))))).toEqual({ code: "TOO_LARGE", rule: "C-15" });
  });
});

function signedBy(count: number): Envelope {
  const signatures = Array.from({ length: count }, (_, i) => ({
    keyid: `SHA256:${encodeBase64(nobleCrypto.sha256(Uint8Array.of(i))).slice(0, 43)}`,
    sig: new Uint8Array(0),
  }));
  return { payload, signatures: signatures.toSorted((a, b) => (a.keyid < b.keyid ? -1 : 1)) };
}
