// Writes test/vectors/authority anew: `node packages/core/test/make-vectors/main-histories.ts`. What the tests read is what lies there.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { keyOf } from "../support/town.ts";
import { histories } from "./histories.ts";

const FOLDER = new URL("../../../../test/vectors/authority/", import.meta.url);
const told = histories();
const names = new Set(told.flatMap(({ steps }) => steps.flatMap(({ signers = [] }) => signers)));

mkdirSync(FOLDER, { recursive: true });
const keys = [...names].toSorted().map((name) => {
  const { holder, key, fingerprint } = keyOf(name);
  return ` ${JSON.stringify(name)}: ${JSON.stringify({ holder, key: key.record, fingerprint })}`;
});
write("keys.json", `{\n${keys.join(",\n")}\n}\n`);
for (const { steps, ...vector } of told) {
  const lines = steps.map((step) => `  ${JSON.stringify(step)}`).join(",\n");
  const head = JSON.stringify(vector).slice(1, -1);
  write(`${String(vector.case).padStart(2, "0")}-${vector.name}.json`, `{${head},\n "steps": [\n${lines}\n ]}\n`);
}

function write(name: string, text: string): void {
  const file = new URL(name, FOLDER);
  rmSync(file, { force: true });
  writeFileSync(file, text);
}
