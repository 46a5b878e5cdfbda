import { encodeHex, encodeVeto, lineInForce, type PackageState, windowEnd } from "@touchmark/core";
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
    const all = followed(ids, view);
    for (const [id, { previous }] of all) {
      const state = view.state(id);
      // Of what waits and may be vetoed it would be the veto.
      const hit = waitingIn({ ...state, adoption: null }, lineInForce(state) ?? state.lines.at(-1) ?? null).find(
        (waiting) => waiting.vetoable && encodeHex(waiting.reference) === encodeHex(previous),
      );
      if (hit)
        throw new CliError(
          "NOT_THERE",
          `The last entry of ${id} is a ${hit.what} that waits: a sign of life would veto it.`,
          "If that is what you mean: touchmark veto",
        );
    }
    const leftOut = ids.filter((id) => isLively(view.state(id), view.time));
    const lines = leftOut.map(
      (id) => `${id} is left out: its last entry, less than a day old, is sign of life enough.`,
    );
    const entries = new Map([...all].flatMap(([id, { previous }]) => (leftOut.includes(id) ? [] : [[id, previous]])));
    if (entries.size === 0) {
      context.ui.result({ ok: true, leftOut }, lines);
      return 0;
    }
    const payload = encodeVeto(nodeCrypto, { logs: [policy.log.origin], entries });
    const name = `${fileNameFor([...entries.keys()])}.heartbeat`;
    const command = "authority heartbeat";
    const document = { leftOut };
    return deliver({ command, payload, view, name, lines, document, atOnce: true }, values, context);
  },
});

// the log takes no sign of life so soon, unless an adoption waits.
function isLively({ last, adoption }: PackageState, time: number): boolean {
  return last !== null && adoption === null && time < windowEnd("sign-of-life", last.time);
}
