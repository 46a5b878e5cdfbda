import { readCommitteeId } from "../../authority/edit-authority.ts";
import { LIFT_FLAGS, liftHold } from "../../authority/hold-statement.ts";
import { type Command, defineCommand } from "../../command.ts";

export const committeeLift: Command = defineCommand({
  name: "committee lift",
  usage: "committee:ID [PACKAGE@VERSION] [--entry INDEX] [--out FILE.touchmark]",
  examples: ["touchmark committee lift committee:care left-pad@1.3.1"],
  about: ["Ends a hold by the committee; as many of its members sign it as a change needs."],
  flags: LIFT_FLAGS,
  operands: [1, 2],
  run: (values, [committee = "", typed], context) =>
    liftHold(readCommitteeId(committee, "ID", "committee lift"), typed, values, "committee lift", context),
});
