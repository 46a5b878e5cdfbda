import { resolve } from "node:path";
import { encodeVerifierKey } from "@touchmark/log";
import { type Command, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { readCosigners } from "../log/cosigner-key.ts";

export const logWitnessKey: Command = defineCommand({
  name: "log witness key",
  usage: "--dir DIR",
  examples: ["touchmark log witness key --dir /var/lib/witness"],
  about: [
    "Prints the witness's verifier keys, Ed25519 and ML-DSA-44, of which a policy names one. They are not secret.",
  ],
  flags: { dir: { value: "DIR", help: "the witness's folder" } },
  operands: [0, 0],
  run: async ({ dir }, _operands, { io, ui }) => {
    if (dir === undefined) throw usageError("log witness key", "--dir is missing.");
    const cosigners = readCosigners(resolve(io.cwd, dir));
    if (cosigners === null)
      throw new CliError("LOG_KEY_BAD", `There is no witness in ${dir}.`, "touchmark log witness serve makes one.");
    const keys = cosigners.map(({ key }) => encodeVerifierKey(key));
    ui.result({ ok: true, name: cosigners[0]!.key.name, keys }, keys);
    return 0;
  },
});
