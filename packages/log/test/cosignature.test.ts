import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  COSIGNATURE_ED25519,
  COSIGNATURE_ML_DSA_44,
  type CosignatureType,
  cosigner,
  cosignerKey,
  encodeCheckpoint,
  encodeVerifierKey,
  LogError,
  noteSigner,
  parseNote,
  parseSignatureLines,
  parseVerifierKey,
  verifyCosignatures,
} from "../src/index.ts";
import { mlDsa44Signer, nativeMlDsa44, nobleMlDsa44, verifyMlDsa44 } from "../src/ml-dsa.ts";
import { makeVectors, VECTORS } from "./support/cosigning-vectors.ts";
import { flipBit } from "./naive.ts";

type KeyVector = { name: string; type: number; seed: string; vkey: string };
type CosignatureVector = { name: string; note: string; keys: string[]; result: "refused" | [string, number][] };

const read = (file: string): unknown => JSON.parse(readFileSync(join(VECTORS, file), "utf8"));
const keys = read("keys.json") as Record<string, KeyVector>;
const failure = (code: string): unknown => expect.objectContaining({ code });
const text = encodeCheckpoint({ origin: "log.example/main", size: 5, root: new Uint8Array(32).fill(5) });
const seed = new Uint8Array(32).fill(3);

test("the vectors on the disk are those that their program makes", () => {
  for (const [file, content] of Object.entries(makeVectors())) {
    expect(readFileSync(join(VECTORS, file), "utf8")).toBe(content);
  }
});

describe("[Q-2] verifier keys", () => {
  test.each(Object.entries(keys))("%s", (_, { name, type, seed: hex, vkey }) => {
    const bytes = Buffer.from(hex, "hex");
    const made = type === 1 ? noteSigner(name, bytes) : cosigner(name, bytes, type as CosignatureType);
    expect(encodeVerifierKey(made.key)).toBe(vkey);
    expect(parseVerifierKey(vkey)).toEqual(made.key);
  });

  test("of a wrong length for their type are refused", () => {
    for (const [type, length] of [
      [1, 31],
      [4, 33],
      [6, 1311],
    ] as const) {
      const { key } = noteSigner("a", seed);
      const wrong = encodeVerifierKey({ ...key, type, publicKey: new Uint8Array(length) });
      expect(() => parseVerifierKey(wrong)).toThrow(failure("BAD_KEY"));
    }
  });

  test("[Q-9] a witness's bare key stands for its cosigning key; other types and names too long for one cannot cosign", () => {
    const bare = noteSigner("w", seed).key;
    expect(cosignerKey(bare)).toEqual(cosigner("w", seed, COSIGNATURE_ED25519).key);
    expect(() => cosignerKey({ ...bare, type: 2 })).toThrow(failure("BAD_KEY"));
    const long = { ...cosigner("w", seed, COSIGNATURE_ML_DSA_44).key, name: "w".repeat(256) };
    expect(() => cosignerKey(long)).toThrow(failure("BAD_KEY"));
    expect(() => cosigner("w".repeat(256), seed, COSIGNATURE_ML_DSA_44)).toThrow(failure("BAD_KEY"));
    expect(() => cosigner("w", seed.slice(1), COSIGNATURE_ML_DSA_44)).toThrow(failure("BAD_KEY"));
  });
});

describe("[Q-3] to [Q-6] cosignatures", () => {
  test.each(read("cosignatures.json") as CosignatureVector[])("$name", ({ note, keys: known, result }) => {
    const parsed = parseNote(Buffer.from(note, "utf8"));
    const verify = (): unknown => {
      const { cosignatures, unchecked } = verifyCosignatures(
        parsed,
        known.map((id) => parseVerifierKey(keys[id]!.vkey)),
      );
      expect(unchecked).toEqual([]);
      return cosignatures.map(({ key, time }) => [known.find((id) => keys[id]!.name === key.name), time]);
    };
    if (result === "refused") expect(verify).toThrow(LogError);
    else expect(verify()).toEqual(result);
  });

  test.each(read("observed.json") as { name: string; note: string; vkeys: string[]; times: number[] }[])(
    "made by somebody else: $name",
    ({ note, vkeys, times }) => {
      const parsed = parseNote(Buffer.from(note, "utf8"));
      const known = vkeys.map(parseVerifierKey);
      expect(vkeys).toEqual(known.map(encodeVerifierKey));
      expect(verifyCosignatures(parsed, known)).toEqual({
        cosignatures: known.map((key, i) => ({ key, time: times[i] })),
        unchecked: [],
      });
      const other = { ...parsed, text: parsed.text.replace("\n185550722\n", "\n185550723\n") };
      for (const key of known) expect(() => verifyCosignatures(other, [key])).toThrow(failure("BAD_NOTE"));
    },
  );

  test.each([COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44] as const)("of type %i verify as they were made", (type) => {
    const witness = cosigner("w.example", seed, type);
    const line = witness.cosign(text, 1_800_000_000);
    const note = { text, signatures: [line] };
    expect(verifyCosignatures(note, [witness.key]).cosignatures).toEqual([{ key: witness.key, time: 1_800_000_000 }]);
    fc.assert(
      fc.property(fc.nat(line.signature.length * 8 - 1), (bit) => {
        const forged = { ...line, signature: flipBit(line.signature, bit) };
        expect(() => verifyCosignatures({ text, signatures: [forged] }, [witness.key])).toThrow(failure("BAD_NOTE"));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test("a key that cannot cosign is an error, not a cosignature that is missing", () => {
    const { key, sign } = noteSigner("log.example/main", seed);
    expect(() => verifyCosignatures({ text, signatures: [sign(text)] }, [key])).toThrow(failure("BAD_KEY"));
  });

  test("signature lines are read apart from a note", () => {
    const note = (read("cosignatures.json") as CosignatureVector[])[2]!.note;
    expect(parseSignatureLines(note.split("\n\n")[1]!)).toEqual(parseNote(Buffer.from(note, "utf8")).signatures);
    for (const wrong of ["", "\n", "x\n", "\u2014 a AAAAAAA="])
      expect(() => parseSignatureLines(wrong)).toThrow(failure("BAD_NOTE"));
  });
});

describe("ML-DSA-44", () => {
  const native = nativeMlDsa44()!;
  const noble = nobleMlDsa44()!;
  const message = Buffer.from("a message");

  test("node:crypto and @noble/post-quantum make the same keys and accept each other's signatures, and no other ones", () => {
    const [here, there] = [native.signer(seed), noble.signer(seed)];
    expect(here.publicKey).toEqual(there.publicKey);
    for (const signature of [here.sign(message), there.sign(message)]) {
      for (const backend of [native, noble]) {
        expect(verifyMlDsa44(here.publicKey, message, signature, backend)).toBe(true);
        expect(verifyMlDsa44(here.publicKey, Buffer.from("another"), signature, backend)).toBe(false);
        expect(verifyMlDsa44(here.publicKey, message, flipBit(signature, 9999), backend)).toBe(false);
        expect(verifyMlDsa44(here.publicKey, message, signature.slice(1), backend)).toBe(false);
        expect(verifyMlDsa44(here.publicKey.slice(1), message, signature, backend)).toBe(false);
      }
    }
  });

  test("[Q-6] where there is neither, nothing is said of a signature, and none can be made", () => {
    const { publicKey, sign } = native.signer(seed);
    expect(verifyMlDsa44(publicKey, message, sign(message), null)).toBeUndefined();
    expect(() => mlDsa44Signer(seed, null)).toThrow(failure("UNSUPPORTED"));
  });
});
