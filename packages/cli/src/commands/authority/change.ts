import { encodeChange } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../../authority/deliver.ts";
import { DETAILS_FLAGS, EDIT_FLAGS, editAuthority, editDetails } from "../../authority/edit-authority.ts";
import { askLog } from "../../authority/log-view.ts";
import { fileNameFor, requireOneAuthority } from "../../authority/subjects.ts";
import { type Command, defineCommand } from "../../command.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { readSubjectIds } from "../../statements/subject-ids.ts";

const { uv: _uv, ...SIGN } = STATEMENT_FLAGS;

export const authorityChange: Command = defineCommand({
  name: "authority change",
  usage: "PACKAGE… [--add-key CARD…] [--remove-key FINGERPRINT…] [--threshold M] [--out FILE.touchmark]",
  examples: [
    "touchmark authority change @acme/widget --add-key dave.card --remove-holder carol",
    "touchmark authority change @acme/widget --threshold 2 --holder alice",
  ],
  about: [
    "Writes the whole new authority: what is in force, with what the flags change. As many holders as a change needs sign it, and every key",
    "that it adds. What it weakens waits 14 days, a single holder's change 7; the rest holds at once.",
    "PACKAGE may be a committee or a log, for their members and what they are for.",
  ],
  flags: { ...EDIT_FLAGS, ...DETAILS_FLAGS, ...SIGN },
  operands: [1, 500],
  run: async (values, operands, context) => {
    const policy = loadPolicy(context);
    const ids = readSubjectIds(operands, policy, values.registry);
    const view = await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
    const { line, packages } = requireOneAuthority(ids, view);
    const details = editDetails(ids[0]!, line.details, values, "authority change");
    const payload = encodeChange(nodeCrypto, {
      logs: [policy.log.origin],
      packages,
      authority: editAuthority(line.authority, values, "authority change", context),
      details,
    });
    const name = `${fileNameFor(ids)}.change`;
    return deliver({ command: "authority change", payload, view, name }, values, context);
  },
});
