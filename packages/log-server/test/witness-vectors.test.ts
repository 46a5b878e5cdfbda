import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseNote, parseSignatureLines, parseVerifierKey, verifyCosignatures } from "@touchmark/log";
import { describe, expect, test } from "vitest";
import { VECTORS } from "../../log/test/support/cosigning-vectors.ts";
import { makeWitnessVectors, type WitnessCase } from "../../log/test/support/witness-vectors.ts";
import { runWitness } from "./support/witness.ts";

// to as data for other implementations: test/vectors/cosigning/witness.json.

const text = readFileSync(join(VECTORS, "witness.json"), "utf8");
const keys = JSON.parse(readFileSync(join(VECTORS, "keys.json"), "utf8")) as Record<string, { vkey: string }>;

test("the vectors on the disk are those that their program makes", () => {
  expect(makeWitnessVectors()).toBe(text);
});

describe("[Q-18] a witness", () => {
  test.each(JSON.parse(text) as WitnessCase[])("$name", async ({ requests }) => {
    const witness = await runWitness("w.example", { logs: [parseVerifierKey(keys["log"]!.vkey)] });
    try {
      for (const { body, status, size } of requests) {
        const response = await witness.post(body);
        const answer = await response.text();
        expect([response.status, answer]).toEqual([status, size === undefined ? answer : `${size}\n`]);
        if (status !== 200) continue;
        const note = parseNote(Buffer.from(body.slice(body.indexOf("\n\n") + 2)));
        const signatures = parseSignatureLines(answer);
        const { cosignatures } = verifyCosignatures(
          { text: note.text, signatures },
          witness.keys.map(({ key }) => key),
        );
        expect(cosignatures).toHaveLength(2);
      }
    } finally {
      await witness.end();
    }
  });
});
