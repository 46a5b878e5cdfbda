import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { encodeFork, LogError, parseFork, verifyFork } from "../src/index.ts";
import { type ForkCase, makeProofVectors, PROOF_VECTORS } from "./support/proof-vectors.ts";

// [M-12] as data for other implementations: test/vectors/auditing/forks.json.

test("the vectors on the disk are those that their program makes", () => {
  for (const [file, content] of Object.entries(makeProofVectors())) {
    expect(readFileSync(new URL(file, PROOF_VECTORS), "utf8")).toBe(content);
  }
});

describe("[M-12] a file about two histories", () => {
  const cases = JSON.parse(readFileSync(new URL("forks.json", PROOF_VECTORS), "utf8")) as ForkCase[];
  test.each(cases)("$name", ({ file, proves }) => {
    if (proves === null) {
      expect(() => verifyFork(parseFork(file))).toThrow(LogError);
      return;
    }
    const { older, newer } = verifyFork(parseFork(file));
    expect([older.size, newer.size]).toEqual(proves);
    expect(encodeFork(parseFork(file))).toBe(file);
  });
});
