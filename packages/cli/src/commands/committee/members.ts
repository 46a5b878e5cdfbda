import type { Command } from "../../command.ts";
import { defineCommand } from "../../command.ts";
import { readCommitteeId } from "../../authority/edit-authority.ts";
import { describeState } from "../../authority/describe-authority.ts";
import { askLog } from "../../authority/log-view.ts";
import { loadPolicy } from "../../files/policy-file.ts";

export const committeeMembers: Command = defineCommand({
  name: "committee members",
  usage: "committee:ID",
  examples: ["touchmark committee members committee:care"],
  about: [
    "Who sits in a committee, what it may do, for which packages and until when; and whether the log listens to it.",
    "They are changed as any authority is: touchmark authority change committee:ID --add-key CARD --remove-holder LABEL",
  ],
  flags: {},
  operands: [1, 1],
  run: async (_values, [typed = ""], context) => {
    const { ui } = context;
    const id = readCommitteeId(typed, "ID", "committee members");
    const policy = loadPolicy(context);
    const view = await askLog({ [id]: [] }, policy, context);
    const { lines, document } = describeState(id, view.state(id), view.entries(id), view.time, () => undefined);
    const chartered = view.world.recognised.has(id);
    ui.result({ ok: true, ...document, chartered }, [
      ui.bold(id),
      ...lines,
      chartered ? "The log listens to it." : "The log does not listen to it: its charter does not name it.",
    ]);
    return 0;
  },
});
