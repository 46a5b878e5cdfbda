import { encodeHex, encodeVeto, lineInForce } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../../authority/deliver.ts";
import { askLog } from "../../authority/log-view.ts";
import { waitingIn } from "../../authority/pending.ts";
import { fileNameFor, followed } from "../../authority/subjects.ts";
import { type Command, defineCommand } from "../../command.ts";
import { CliError } from "../../error.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { readSubjectIds } from "../../statements/subject-ids.ts";

export const authorityHeartbeat: Command = defineCommand({
  name: "authority heartbeat",
  usage: "PACKAGE… [--out FILE.touchmark]",
  examples: ["touchmark authority heartbeat @acme/widget"],
  about: [
    "A sign of life with one touch: the package is no orphan, and an adoption that waits ends. One key is enough.",
    "Signed and handed in at once; with --out only the statement is written.",
  ],
  flags: STATEMENT_FLAGS,
  operands: [1, 500],
  run: async (values, operands, context) => {
    const policy = loadPolicy(context);
    const ids = readSubjectIds(operands, policy, values.registry);
    const view = await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
    const entries = new Map([...followed(ids, view)].map(([id, { previous }]) => [id, previous]));
    for (const [id, reference] of entries) {
      const state = view.state(id);
      // Of what waits and may be vetoed it would be the veto.
      const hit = waitingIn({ ...state, adoption: null }, lineInForce(state) ?? state.lines.at(-1) ?? null).find(
        (waiting) => waiting.vetoable && encodeHex(waiting.reference) === encodeHex(reference),
      );
      if (hit)
        throw new CliError(
          "NOT_THERE",
          `The last entry of ${id} is a ${hit.what} that waits: a sign of life would veto it.`,
          "If that is what you mean: touchmark veto",
        );
    }
    const payload = encodeVeto(nodeCrypto, { logs: [policy.log.origin], entries });
    const name = `${fileNameFor(ids)}.heartbeat`;
    return deliver({ command: "authority heartbeat", payload, view, name, atOnce: true }, values, context);
  },
});
