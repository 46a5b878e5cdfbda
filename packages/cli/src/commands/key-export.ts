import { resolve } from "node:path";
import { type Command, defineCommand } from "../command.ts";
import { CliError } from "../error.ts";
import { touchmarkHome } from "../files/home.ts";
import { writeWhole } from "../files/write-file.ts";
import { encodeCard } from "../keys/key-card.ts";
import { readKeys } from "../keys/key-store.ts";
import { count } from "../ui.ts";

export const keyExport: Command = defineCommand({
  name: "key export",
  usage: "[--holder LABEL] [--out FILE]",
  examples: ["touchmark key export --holder alice --out alice.card"],
  about: ["Writes the key card: one JSON line for each key, with its holder, its key record and its attestation."],
  flags: {
    holder: { value: "LABEL", help: "only this holder's keys" },
    out: { value: "FILE", help: "where to; standard output when left out" },
  },
  operands: [0, 0],
  run: async ({ holder, out }, _operands, { io, ui }) => {
    const keys = readKeys(touchmarkHome(io)).filter((key) => holder === undefined || key.holder === holder);
    if (keys.length === 0) {
      throw new CliError(
        "NO_KEY",
        holder === undefined ? "No key is enrolled here." : `No key of ${holder} is enrolled here.`,
        "Enrol one with: touchmark key enroll --holder LABEL",
      );
    }
    const lines = encodeCard(keys);
    const cards = keys.map(({ holder: label, key, attestation }) => ({
      holder: label,
      key,
      ...(attestation && { attestation: { ...attestation } }),
    }));
    if (out === undefined) {
      ui.result({ ok: true, keys: cards }, lines);
      return 0;
    }
    await writeWhole(resolve(io.cwd, out), lines.map((line) => `${line}\n`).join(""));
    ui.result({ ok: true, file: out, keys: cards }, [`Wrote ${count(keys.length, "key")} to ${out}.`]);
    return 0;
  },
});
