// K4 at random, with the same choices each time: whatever comes, the end is a result or a FidoError, and it comes in time.
// `node fuzz/main.ts` runs many more.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createRandom, mutate } from "../fuzz/random.ts";
import { FuzzFailure, parserTargets } from "../fuzz/parsers.ts";
import { makeTargets, runCases } from "../fuzz/run-cases.ts";
import { makeCorpus } from "../fuzz/corpus.ts";
import { toHex } from "./kit.ts";

const SEED = 20_261_123;

describe("changed messages and whole talks", () => {
  test("none of them breaks anything", async () => {
    await runCases(await makeTargets(), { seed: SEED, first: 0, count: 4_000 });
  });

  test("every kind of message and talk is among them", async () => {
    const corpus = await makeCorpus();
    const { parsers, talks } = await makeTargets();
    expect([parsers.length, talks.length]).toEqual([17, 4]);
    for (const list of [corpus.messages, corpus.u2fMessages, corpus.attestationObjects, corpus.certificates])
      expect(list.length).toBeGreaterThan(1);
  });
});

describe("the fuzzer itself", () => {
  test("the same numbers give the same case, others another", () => {
    const bytes = (seed: number, index: number): string =>
      toHex(mutate(createRandom(seed, index), new Uint8Array(100)));
    expect(bytes(1, 2)).toBe(bytes(1, 2));
    expect(new Set([bytes(1, 2), bytes(1, 3), bytes(2, 2), bytes(2, 3)]).size).toBe(4);
  });

  test("--help says what it does, and what is no number is not run as none", () => {
    const fuzz = (...args: string[]) =>
      spawnSync(process.execPath, [fileURLToPath(new URL("../fuzz/main.ts", import.meta.url)), ...args], {
        encoding: "utf8",
      });
    expect(fuzz("--help")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("Usage: node packages/fido/fuzz/main.ts [CASES"),
    });
    expect(fuzz("many")).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining("many") });
    expect(fuzz("0").status).toBe(2);
  });

  test("notices a reader that throws something else, and tells which case it was", async () => {
    const corpus = await makeCorpus();
    const broken = { name: "broken", run: () => JSON.parse("{") as never };
    const found = runCases({ parsers: [broken], talks: [broken] }, { seed: 3, first: 7, count: 1 });
    await expect(found).rejects.toThrow(FuzzFailure);
    await expect(found).rejects.toThrow(/case 7 of seed 3 \(broken\): .*JSON/);
    expect(parserTargets(corpus).map(({ name }) => name)).toContain("certificate");
  });
});
