import { describe, expect, test } from "vitest";
import { encodeHex, encodeUtf8, parseStatement, type Statement, statementChains } from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import type { KindCase } from "./make-vectors/kind-case.ts";
import { refusalOf } from "./support/refusal.ts";
import { readKindVectors } from "./support/vectors.ts";

const vectors = readKindVectors<KindCase>();

describe.each([...vectors])("a %s", (kind, cases) => {
  test.each(cases.filter(({ error }) => error === null))("[$rule] $name is taken", (one) => {
    const statement = parse(one.payload);
    expect(statement.kind).toBe(kind);
    expect(encodeHex(nobleCrypto.sha256(encodeUtf8(one.payload)))).toBe(one.digest);
    expect(statementChains(statement)).toEqual(one.chains);
    expect(JSON.parse(JSON.stringify(statement, asJson))).toEqual(one.parsed);
  });

  test.each(cases.filter(({ error }) => error !== null))("[$rule] $name is refused", ({ payload, error }) => {
    expect(refusalOf(() => parse(payload))).toEqual(error);
  });
});

describe("the vectors of all kinds", () => {
  test("[S-10] are there for every kind", () => {
    const kinds: Record<Statement["kind"], true> = {
      adopt: true,
      "adopt-final": true,
      change: true,
      claim: true,
      endorse: true,
      funding: true,
      hold: true,
      lift: true,
      proof: true,
      release: true,
      review: true,
      revoke: true,
      veto: true,
    };
    expect([...vectors.keys()].toSorted()).toEqual(Object.keys(kinds));
    for (const cases of vectors.values()) expect(cases.some(({ error }) => error === null)).toBe(true);
  });

  test("[S-25] to [S-39] are each what some refusal is about", () => {
    const about = new Set([...vectors.values()].flat().flatMap(({ error }) => error?.rule ?? []));
    const rules = Array.from({ length: 15 }, (_, i) => `S-${25 + i}`);
    expect([...about]).toEqual(expect.arrayContaining([...rules, "C-9", "C-15", "C-17"]));
  });
});

function parse(payload: string): Statement {
  return parseStatement(nobleCrypto, encodeUtf8(payload));
}

// What a statement says, as the vectors have it: bytes in hex, an authority by its digest.
function asJson(name: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (value instanceof Uint8Array) return encodeHex(value);
  if (name === "authority") return (value as { digest: string }).digest;
  return value;
}
