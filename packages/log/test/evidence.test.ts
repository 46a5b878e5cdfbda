import { isObject, type Json, type JsonObject } from "@touchmark/core";
import { describe, expect, test } from "vitest";
import { encodeEvidence, type Evidence, nodeCrypto, parseEvidence } from "../src/index.ts";

const failure = expect.objectContaining({ code: "BAD_EVIDENCE" });
const evidence: Evidence = {
  checkpoint: "log.example/main\n5\n…\n\n— log.example/main …\n",
  epoch: Uint8Array.of(1, 0),
  entries: new Map([
    [1, Uint8Array.of(1)],
    [3, Uint8Array.of(2)],
    [2 ** 40, Uint8Array.of(3)],
  ]),
  logProof: new Uint8Array(64),
  buckets: new Map([
    [0, new Uint8Array(0)],
    [722_109, new Uint8Array(48)],
  ]),
  mapProof: new Uint8Array(32),
  envelopes: new Map(
    ['{"a":1}', '{"b":2}', '{"c":3}']
      .map((text) => [Buffer.from(nodeCrypto.sha256(Buffer.from(text))).toString("hex"), text] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ),
  earlier: new Map([
    [
      "npm:npmjs/widget",
      new Map([
        ["0".repeat(64), { versions: new Map([[0, ["0.9.0", "ab"] as const]]), proof: new Uint8Array(32) }],
        ["1".repeat(64), { versions: new Map([[2, ["0.9.0", "cd"] as const]]), proof: new Uint8Array(64) }],
      ]),
    ],
  ]),
};
const text = encodeEvidence(evidence);
const parse = (source: string): Evidence => parseEvidence(Buffer.from(source));

describe("[E-1] [E-2] the bundle", () => {
  test("is read as it was written", () => {
    expect(parse(text)).toEqual(evidence);
    expect(encodeEvidence(parse(text))).toBe(text);
    expect(text.startsWith('{\n"format":"touchmark-evidence/v1",\n"checkpoint":"log.example/main\\n5\\n')).toBe(true);
    expect(text).toContain('\n"envelopes":[\n{');
    expect(text.endsWith("}\n")).toBe(true);
  });
  test("puts envelopes in the order of their hashes by itself", () => {
    expect(encodeEvidence({ ...evidence, envelopes: new Map([...evidence.envelopes].toReversed()) })).toBe(text);
  });
  test("[E-7] may be empty", () => {
    const empty = { ...evidence, entries: new Map(), buckets: new Map(), envelopes: new Map(), earlier: new Map() };
    expect(parse(encodeEvidence(empty))).toEqual(empty);
  });

  const json = JSON.parse(text) as JsonObject;
  const [first, ...others] = json["envelopes"] as Json[];
  const write = (changes: JsonObject): string => inLines({ ...json, ...changes });
  test.each([
    ["no line feed at the end", text.trimEnd()],
    ["other indentation", JSON.stringify(json)],
    ["another format", text.replace("/v1", "/v2")],
    ["a key more", write({ more: 1 })],
    ["a key less", text.replace(/,\n"earlier":.*\n}\n$/s, "\n}\n")],
    ["keys in another order", inLines({ earlier: {}, ...json })],
    ["a key twice", text.replace('{\n"format"', '{\n"format":"x",\n"format"')],
    ["envelopes in another order", write({ envelopes: [...others, first!] })],
    ["an envelope twice", write({ envelopes: [first!, first!, ...others] })],
    ["earlier versions of no package", text.replace("npm:npmjs/widget", "opm:npmjs/widget")],
    ["an index with a leading zero", write({ entries: { "01": "AQ==" } })],
    ["a negative index", write({ entries: { "-1": "AQ==" } })],
    ["an index of 2^53", write({ entries: { "9007199254740992": "AQ==" } })],
    ["great indices out of order", write({ entries: { "5000000001": "AQ==", "5000000000": "AQ==" } })],
    ["base64 without padding", write({ epoch: "AQ" })],
    ["base64 with unused bits", write({ epoch: "AR==" })],
    ["a list for an object", write({ buckets: [] })],
    ["an object for a list", write({ envelopes: {} })],
    ["null for a checkpoint", write({ checkpoint: null })],
    ["an earlier version of three parts", write({ earlier: { a: { versions: { 0: ["1", "2", "3"] }, proof: "" } } })],
    ["earlier versions without a proof", write({ earlier: { a: { versions: {} } } })],
  ])("with %s is refused", (_, source) => {
    expect(source).not.toBe(text);
    expect(() => parse(source)).toThrow(failure);
  });

  test("with a key __proto__ is refused", () => {
    expect(() => parse(text.replace('"npm:npmjs/widget"', '"__proto__"'))).toThrow(failure);
  });
});

/** [C-5] once more, the plain way. */
function inLines(document: JsonObject): string {
  const members = Object.entries(document).map(([key, value]) => {
    const list = Array.isArray(value);
    if (!list && !isObject(value)) return `"${key}":${JSON.stringify(value)}`;
    const items = list
      ? value.map((item) => JSON.stringify(item))
      : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${JSON.stringify(item)}`);
    const [open, close] = list ? "[]" : "{}";
    return `"${key}":${items.length === 0 ? `${open}${close}` : `${open}\n${items.join(",\n")}\n${close}`}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}
