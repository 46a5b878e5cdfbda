import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeCheckpoint,
  encodeNote,
  encodeVerifierKey,
  leafHash,
  noteSigner,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  signCheckpoint,
  verifyCheckpoint,
  verifyNote,
} from "../src/index.ts";
import { flipBit } from "./naive.ts";

// The example of the signed-note specification.
const exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const exampleNote =
  "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");
const failure = (code: string): unknown => expect.objectContaining({ code });
const signer = noteSigner("log.example/main", new Uint8Array(32).fill(1));
const other = noteSigner("log.example/main", new Uint8Array(32).fill(2));
const text = "log.example/main\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n";

describe("signed-note", () => {
  test("the specification's example verifies, and is written as it was read", () => {
    const key = parseVerifierKey(exampleKey);
    const note = parseNote(bytes(exampleNote));
    expect(verifyNote(note, [key])).toEqual([key]);
    expect(encodeNote(note)).toBe(exampleNote);
    expect(encodeVerifierKey(key)).toBe(exampleKey);
  });

  test("the last blank line separates text and signatures", () => {
    const withBlank = "one\n\ntwo\n";
    const note = encodeNote({ text: withBlank, signatures: [signer.sign(withBlank)] });
    expect(parseNote(bytes(note)).text).toBe(withBlank);
    expect(verifyNote(parseNote(bytes(note)), [signer.key])).toEqual([signer.key]);
  });

  test.each([
    ["no blank line", "text\n— a AAAAAAA=\n"],
    ["no signature", "text\n\n"],
    ["no line feed at the end", exampleNote.trimEnd()],
    ["a carriage return", exampleNote.replace("\n", "\r\n")],
    ["a tab", exampleNote.replace("an ", "an\t")],
    ["a hyphen instead of the dash", exampleNote.replace("—", "-")],
    ["two spaces", exampleNote.replace("foo ", "foo  ")],
    ["no name", exampleNote.replace("example.com/foo", "")],
    ["a plus in the name", exampleNote.replace("example.com/foo", "example.com+foo")],
    ["a wide space in the name", exampleNote.replace("example.com/foo", "example.com\u3000foo")],
    ["base64 without padding", exampleNote.replace("=\n", "\n")],
    ["base64 with unused bits", exampleNote.replace("aQM=", "aQN=")],
    ["base64url", exampleNote.replace("+B1Y", "-B1Y").replace("Uw2Q", "Uw-Q")],
    ["a signature of four bytes", "text\n\n— a AAAAAA==\n"],
    ["a word after the signature", exampleNote.replace("=\n", "= x\n")],
  ])("with %s is refused", (_, note) => {
    expect(() => parseNote(bytes(note))).toThrow(failure("BAD_NOTE"));
  });

  test("ill-formed UTF-8 and too many bytes are refused", () => {
    expect(() => parseNote(Buffer.concat([Buffer.of(0xff), bytes(exampleNote)]))).toThrow(failure("BAD_NOTE"));
    expect(() => parseNote(bytes(`${"x".repeat(600_000)}${exampleNote}`))).toThrow(failure("BAD_NOTE"));
  });

  test("64 signatures are read, 65 are not", () => {
    const strangers = (count: number): string =>
      encodeNote({
        text,
        signatures: Array.from({ length: count }, (_, i) => ({ ...other.sign(text), name: `w${i}` })),
      });
    const sixtyThree = `${strangers(63)}${encodeNote({ text, signatures: [signer.sign(text)] }).split("\n\n")[1]}`;
    expect(verifyNote(parseNote(bytes(sixtyThree)), [signer.key])).toEqual([signer.key]);
    expect(() => parseNote(bytes(strangers(65)))).toThrow(failure("BAD_NOTE"));
  });

  test("unknown keys are ignored, even one that shares name or id with a known one", () => {
    const mine = signer.sign(text);
    const sameName = other.sign(text);
    const sameId = { ...mine, name: "elsewhere.example", signature: flipBit(mine.signature, 9) };
    const note = { text, signatures: [sameName, sameId, mine] };
    expect(verifyNote(note, [signer.key])).toEqual([signer.key]);
    expect(() => verifyNote({ text, signatures: [sameName, sameId] }, [signer.key])).toThrow(failure("UNSIGNED"));
  });

  test("a known key's false signature refuses the note, a good one beside it notwithstanding", () => {
    const mine = signer.sign(text);
    const forged = { ...mine, signature: flipBit(mine.signature, 77) };
    for (const signatures of [[mine, forged], [forged, mine], [forged]]) {
      expect(() => verifyNote({ text, signatures }, [signer.key])).toThrow(failure("BAD_NOTE"));
    }
    const short = { ...mine, signature: mine.signature.slice(1) };
    expect(() => verifyNote({ text, signatures: [short] }, [signer.key])).toThrow(failure("BAD_NOTE"));
  });

  test("a key that signed twice is one signer", () => {
    expect(verifyNote({ text, signatures: [signer.sign(text), signer.sign(text)] }, [signer.key])).toHaveLength(1);
  });

  test.each([
    ["another key id", exampleKey.replace("530d903a", "530d903b")],
    ["an upper-case key id", exampleKey.replace("530d903a", "530D903A")],
    ["a short key", "example.com/foo+530d903a+AekyeRrm"],
    ["no key", "example.com/foo+530d903a+"],
    ["no name", exampleKey.replace("example.com/foo", "")],
    ["a space in the name", exampleKey.replace(".", " ")],
    ["a part more", `${exampleKey}+AA==`],
  ])("a verifier key with %s is refused", (_, key) => {
    expect(() => parseVerifierKey(key)).toThrow(failure("BAD_KEY"));
  });

  test("a key of another type cannot verify notes", () => {
    expect(() => verifyNote(parseNote(bytes(exampleNote)), [{ ...signer.key, type: 4 }])).toThrow(failure("BAD_KEY"));
  });

  test("a signer needs a name and 32 bytes", () => {
    expect(() => noteSigner("a b", new Uint8Array(32))).toThrow(failure("BAD_KEY"));
    expect(() => noteSigner("a", new Uint8Array(31))).toThrow(failure("BAD_KEY"));
  });
});

describe("tlog-checkpoint", () => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (size, root) => {
          const checkpoint = { origin: "log.example/main", size, root };
          expect(parseCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
        },
      ),
    );
  });

  test.each([
    ["a leading zero", text.replace("\n1\n", "\n01\n")],
    ["a sign", text.replace("\n1\n", "\n+1\n")],
    ["no size", text.replace("\n1\n", "\n\n")],
    ["a size of 2^53", text.replace("\n1\n", "\n9007199254740992\n")],
    ["an extension line", `${text}extension\n`],
    ["no origin", text.replace("log.example/main", "")],
    ["a space in the origin", text.replace(".", " ")],
    ["a short root", text.replace("bjQL", "")],
    ["no line feed at the end", text.trimEnd()],
    ["an empty tree whose root is not the empty root", text.replace("\n1\n", "\n0\n")],
  ])("with %s is refused", (_, body) => {
    expect(() => parseCheckpoint(body)).toThrow(failure("BAD_CHECKPOINT"));
  });

  test("verifies under the log's key and its name only", () => {
    const checkpoint = { origin: "log.example/main", size: 1, root: leafHash(new Uint8Array(0)) };
    const note = signCheckpoint(checkpoint, signer);
    expect(verifyCheckpoint(note, signer.key)).toEqual({ ...checkpoint, note });
    expect(() => verifyCheckpoint(note, other.key)).toThrow(failure("UNSIGNED"));
    const elsewhere = signCheckpoint({ ...checkpoint, origin: "log.example/other" }, signer);
    expect(() => verifyCheckpoint(elsewhere, signer.key)).toThrow(failure("WRONG_ORIGIN"));
    for (let at = 0; at < note.length; at++) {
      const changed = `${note.slice(0, at)}${note[at] === "x" ? "y" : "x"}${note.slice(at + 1)}`;
      expect(() => verifyCheckpoint(changed, signer.key)).toThrow();
    }
  });
});
