import { resolve } from "node:path";
import { parseVerifierKey } from "@touchmark/log";
import { type Command, defineCommand, usageError } from "../command.ts";
import { readLogKey } from "../log/log-key.ts";
import { loadLogServer } from "../log/server-module.ts";

export const logFsck: Command = defineCommand({
  name: "log fsck",
  usage: "DIR [--storage postgres://…] [--tiles s3://…] [--key VKEY]",
  examples: [
    "touchmark log fsck /var/lib/touchmark",
    "touchmark log fsck /var/lib/touchmark --storage postgres://db.example/log --tiles s3://bucket/log",
  ],
  about: [
    "Checks a whole log at rest: every leaf, tile, head and envelope, by the rules of docs/spec, and says what is wrong by the rule that is broken. Nothing is changed.",
    "A log in one folder must not be served meanwhile. Exit code 1 if something is wrong.",
  ],
  flags: {
    storage: { value: "URL", help: "where entries and heads are, if not in DIR" },
    tiles: { value: "URL", help: "where tiles and envelopes are, if not in DIR" },
    key: { value: "VKEY", help: "the log's verifier key, where DIR holds no log.key" },
  },
  operands: [1, 1],
  run: async ({ storage, tiles, key }, [folder], { io, ui }) => {
    const dir = resolve(io.cwd, folder!);
    const known = key === undefined ? readLogKey(dir)?.key : parseVerifierKey(key);
    if (known === undefined) throw usageError("log fsck", "--key is missing, and there is no log.key in the folder.");
    const { checkStore, openStorage } = await loadLogServer();
    ui.progress("checking every leaf");
    const opened = await openStorage({ dir, ledger: storage, blobs: tiles }, false);
    const { size, problems } = await checkStore(opened, known);
    const good = problems.length === 0;
    const summary = good ? `All ${size} leaves of ${known.name} are as they should be.` : `${known.name} is damaged.`;
    ui.result({ ok: good, origin: known.name, size, problems: [...problems] }, [...problems, summary]);
    return good ? 0 : 1;
  },
});
