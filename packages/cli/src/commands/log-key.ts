import { resolve } from "node:path";
import { encodeVerifierKey } from "@touchmark/log";
import { type Command, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { readLogKey } from "../log/log-key.ts";

export const logKey: Command = defineCommand({
  name: "log key",
  usage: "--dir DIR",
  examples: ["touchmark log key --dir /var/lib/touchmark"],
  about: ["Prints the log's verifier key, which policies name. It is not secret."],
  flags: { dir: { value: "DIR", help: "the log's folder" } },
  operands: [0, 0],
  run: async ({ dir }, _operands, { io, ui }) => {
    if (dir === undefined) throw usageError("log key", "--dir is missing.");
    const signer = readLogKey(resolve(io.cwd, dir));
    if (signer === null)
      throw new CliError("LOG_KEY_BAD", `There is no log in ${dir}.`, "touchmark log serve makes one.");
    const key = encodeVerifierKey(signer.key);
    ui.result({ ok: true, origin: signer.key.name, key }, [key]);
    return 0;
  },
});
