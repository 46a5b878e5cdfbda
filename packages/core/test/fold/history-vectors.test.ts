import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type HistoryVector, playHistory } from "../support/history-vectors.ts";
import { keyOf } from "../support/town.ts";

const FOLDER = new URL("../../../../test/vectors/authority/", import.meta.url);
const files = readdirSync(FOLDER).filter((name) => /^\d\d-.*\.json$/.test(name));

test("there is a history for each of the 34 cases", () => {
  expect(files.map((name) => Number(name.slice(0, 2)))).toEqual(Array.from({ length: 34 }, (_, i) => i + 1));
});

test("the keys are those of keys.json", () => {
  const keys = JSON.parse(read("keys.json")) as Record<string, { holder: string; key: string; fingerprint: string }>;
  for (const [name, { holder, key, fingerprint }] of Object.entries(keys)) {
    const made = keyOf(name);
    expect({ holder, key, fingerprint }).toEqual({
      holder: made.holder,
      key: made.key.record,
      fingerprint: made.fingerprint,
    });
  }
});

test.each(files)("%s", (file) => {
  const vector = JSON.parse(read(file)) as HistoryVector;
  expect(vector.steps.length).toBeGreaterThan(0);
  const player = playHistory(vector.recognised);
  for (const step of vector.steps) {
    const { time, statement, signers } = step;
    const asked = statement ? { time, statement, signers: signers! } : { time };
    expect(player.play({ ...asked, look: Object.keys(step.states) })).toEqual(step);
  }
  for (const reader of vector.readers)
    expect(player.reader(reader.recognised, Object.keys(reader.states), vector.steps.at(-1)!.time)).toEqual(reader);
});

function read(name: string): string {
  return readFileSync(new URL(name, FOLDER), "utf8");
}
