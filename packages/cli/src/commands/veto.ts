import { encodeVeto, lineInForce } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../authority/deliver.ts";
import { describeWaiting } from "../authority/describe-authority.ts";
import { askLog } from "../authority/log-view.ts";
import { type Waiting, waitingIn } from "../authority/pending.ts";
import { fileNameFor } from "../authority/subjects.ts";
import { type Command, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readSubjectId } from "../statements/subject-ids.ts";

export const veto: Command = defineCommand({
  name: "veto",
  usage: "PACKAGE [--entry INDEX] [--out FILE.touchmark]",
  examples: ["touchmark veto @acme/widget", "touchmark veto @acme/widget --entry 41"],
  about: [
    "Says no to what waits: a recovery, a single holder's change, new payout addresses, an adoption. One live or recovery key is enough.",
    "Signed and handed in at once; with --out only the statement is written. Where several things wait, --entry names one.",
  ],
  flags: { ...STATEMENT_FLAGS, entry: { value: "INDEX", help: "the entry that is vetoed" } },
  operands: [1, 1],
  run: async (values, [typed = ""], context) => {
    const policy = loadPolicy(context);
    const id = readSubjectId(typed, policy, values.registry);
    const view = await askLog({ [id]: [] }, policy, context);
    const state = view.state(id);
    const lines = lineInForce(state) ? [state.lines[0]!] : state.lines;
    const waiting = [
      ...waitingIn(state, null),
      ...lines.flatMap((line) => waitingIn({ ...state, adoption: null }, line)),
    ];
    const chosen = choose(id, waiting, values.entry, (one) => describeWaiting(one, view.time));
    const payload = encodeVeto(nodeCrypto, {
      logs: [policy.log.origin],
      entries: new Map([[id, chosen.reference]]),
    });
    return deliver(
      {
        command: "veto",
        payload,
        view,
        name: `${fileNameFor([id])}.veto`,
        atOnce: true,
        document: { vetoed: { what: chosen.what, entry: chosen.entry } },
        lines: [`This stops: ${describeWaiting(chosen, view.time)}.`],
      },
      values,
      context,
    );
  },
});

function choose(
  id: string,
  waiting: readonly Waiting[],
  entry: string | undefined,
  describe: (one: Waiting) => string,
): Waiting {
  if (entry !== undefined && !/^\d{1,15}$/.test(entry)) throw usageError("veto", "--entry is no index of an entry.");
  const possible = waiting.filter(({ vetoable }) => vetoable);
  const meant = entry === undefined ? possible : waiting.filter((one) => one.entry === Number(entry));
  const [first, second] = meant;
  if (first === undefined)
    throw new CliError(
      "NOT_THERE",
      `Nothing of ${id} that can be vetoed waits${entry === undefined ? "" : ` in entry ${entry}`}.`,
      "touchmark authority show tells what waits.",
    );
  if (second !== undefined)
    throw usageError("veto", `Several things wait: ${meant.map(describe).join("; ")}.`, "Choose with --entry.");
  if (first.vetoable) return first;
  throw new CliError(
    "NOT_THERE",
    `The ${first.what} in entry ${first.entry} of ${id} can't be vetoed.`,
    "A change by the holders can be replaced by a later one: touchmark authority change",
  );
}
