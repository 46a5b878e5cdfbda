import { describe, expect, test } from "vitest";
import {
  CoreError,
  encodeBase64,
  encodeEnvelope,
  encodeSshSignature,
  encodeUtf8,
  parseBase64,
  parseCanonicalJson,
  parseEcdsaDer,
  parseEnvelope,
  parseHex,
  parseJson,
  parseKey,
  parseKeyBlob,
  parsePackageId,
  parseReleaseId,
  parseSshSignature,
  parseStatement,
  parseSubjectId,
  parseUtf8,
  verifyEnvelope,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import type { KindCase } from "./make-vectors/kind-case.ts";
import type { KeyCase } from "./make-vectors/keys.ts";
import type { PayloadCase } from "./make-vectors/payload-case.ts";
import type { SshsigCase } from "./make-vectors/sshsig.ts";
import type { StatementCase } from "./make-vectors/statements.ts";
import { fc, mutated } from "./support/property.ts";
import { readKindVectors, readVectors } from "./support/vectors.ts";

// Whatever comes in, a parser answers with a value or with a CoreError; and what it takes, it would write in the same bytes.

const good = <T extends { error: unknown }>(file: string): T[] =>
  readVectors<T>(file).filter(({ error }) => error === null);
const keys = good<KeyCase>("keys.json").map(({ record }) => encodeUtf8(record));
const blobs = good<SshsigCase>("sshsig.json").map(({ blob }) => parseBase64(blob));
const kinds = [...readKindVectors<KindCase>().values()].map((cases) => cases.filter(({ error }) => error === null));
const payloads = good<PayloadCase>("payloads.json").map(({ payload }) => encodeUtf8(payload));
const allKinds = kinds.flat().map(({ payload }) => encodeUtf8(payload));
const envelopes = good<StatementCase>("statements.json").map(({ envelope }) => encodeUtf8(envelope));
const LIMITS = { bytes: 1 << 20 };

/** A parser of bytes, valid input for it, and how a value is written. */
interface Parser {
  name: string;
  valid: Uint8Array[];
  parse: (bytes: Uint8Array) => unknown;
  encode?: (value: never) => Uint8Array;
}

const parsers: Parser[] = [
  { name: "parseEnvelope", valid: envelopes, parse: parseEnvelope, encode: encodeEnvelope },
  { name: "verifyEnvelope", valid: envelopes.slice(0, 2), parse: (bytes) => verifyEnvelope(nobleCrypto, bytes) },
  { name: "parseStatement", valid: [...payloads, ...allKinds], parse: (bytes) => parseStatement(nobleCrypto, bytes) },
  { name: "parseSshSignature", valid: blobs, parse: parseSshSignature, encode: encodeSshSignature },
  {
    name: "parseKeyBlob",
    valid: keys.map(blobOf),
    parse: parseKeyBlob,
    encode: ({ blob }: { blob: Uint8Array }) => blob,
  },
  { name: "parseCanonicalJson", valid: payloads, parse: (bytes) => parseCanonicalJson(bytes, LIMITS), encode: asJson },
  { name: "parseJson", valid: payloads, parse: (bytes) => parseJson(bytes, LIMITS) },
  { name: "parseEcdsaDer", valid: [fromSignature()], parse: parseEcdsaDer },
  ofText("parseKey", keys, parseKey, ({ record }: { record: string }) => record),
  ofText(
    "parseBase64",
    keys.map((key) => encodeUtf8(encodeBase64(key))),
    parseBase64,
    encodeBase64,
  ),
  ofText("parseHex", [encodeUtf8("00ff10")], (text) => parseHex(text)),
  ofText("parsePackageId", ["npm:npmjs/@acme/widget"].map(encodeUtf8), parsePackageId),
  ofText(
    "parseSubjectId",
    ["npm:npmjs/widget", "committee:security", "log:log.example"].map(encodeUtf8),
    parseSubjectId,
  ),
  ofText("parseReleaseId", ["npm:npmjs/@acme/widget@1.0.0-rc.1+x"].map(encodeUtf8), parseReleaseId),
];

describe.each(parsers)("$name throws nothing but CoreError", ({ valid, parse, encode }) => {
  const answers = (bytes: Uint8Array): void => {
    let value: unknown;
    try {
      value = parse(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(CoreError);
      return;
    }
    if (encode) expect(encode(value as never)).toEqual(bytes);
  };

  test("on valid input, where it throws nothing", () => {
    for (const bytes of valid) {
      const value = parse(bytes);
      if (encode) expect(encode(value as never)).toEqual(bytes);
    }
  });

  test("on arbitrary bytes and text", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), answers), { numRuns: 200 });
    fc.assert(fc.property(fc.string({ unit: "binary" }).map(encodeUtf8), answers), { numRuns: 100 });
    fc.assert(fc.property(fc.json().map(encodeUtf8), answers), { numRuns: 100 });
  });

  test("on valid input that was changed", () => {
    fc.assert(fc.property(fc.constantFrom(...valid).chain(mutated), answers), { numRuns: 400 });
  });

  test("on every beginning of valid input", () => {
    for (let length = 0; length < valid[0]!.length; length += 1 + (valid[0]!.length >> 9)) {
      answers(valid[0]!.subarray(0, length));
    }
  });
});

describe.each([
  ["claims and releases", payloads.slice(0, 30)],
  ["all kinds", allKinds],
])("parseStatement, on JSON whose parts were exchanged: %s", (_kinds, valid) => {
  test("throws nothing but CoreError", () => {
    const documents = valid.map((bytes) => JSON.parse(parseUtf8(bytes)) as object);
    const parts = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(...documents.map((one) => one as never)));
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.nat(), parts, (document, place, replacement) => {
        const part = structuredClone(replacement);
        let at = 0;
        const places = countValues(document);
        const text = JSON.stringify(document, (_, value: unknown) => (at++ === place % places ? part : value));
        try {
          parseStatement(nobleCrypto, encodeUtf8(text));
        } catch (error) {
          expect(error).toBeInstanceOf(CoreError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function ofText(
  name: string,
  valid: Uint8Array[],
  parse: (text: string) => unknown,
  encode?: (value: never) => string,
): Parser {
  // Text that is no UTF-8 cannot get to these parsers.
  const asText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const written = encode && ((value: never): Uint8Array => encodeUtf8(encode(value)));
  return { name, valid, parse: (bytes) => parse(asText(bytes)), ...(written ? { encode: written } : {}) };
}

function asJson(value: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}

function blobOf(record: Uint8Array): Uint8Array {
  return parseBase64(parseUtf8(record).split(" ")[1]!);
}

function fromSignature(): Uint8Array {
  return blobs.map((blob) => parseSshSignature(blob)).find(({ signature }) => signature[0] === 0x30)!.signature;
}

function countValues(document: object): number {
  let count = 0;
  JSON.stringify(document, (_, value: unknown) => {
    count++;
    return value;
  });
  return count;
}
