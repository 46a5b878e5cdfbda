import { readCommitteeId } from "../../authority/edit-authority.ts";
import { HOLD_FLAGS, holdReleases } from "../../authority/hold-statement.ts";
import { type Command, defineCommand } from "../../command.ts";

export const committeeHold: Command = defineCommand({
  name: "committee hold",
  usage: "committee:ID PACKAGE@VERSION… --reason TEXT [--osv ID] [--renew] [--out FILE.touchmark]",
  examples: ['touchmark committee hold committee:care left-pad@1.3.1 --reason "sends the environment to a stranger"'],
  about: [
    "Keeps versions away from whoever follows the committee, for 14 days, twice renewed. Only what was released within 30 days, unless --osv names",
    "a public record of what is wrong with it.",
  ],
  flags: HOLD_FLAGS,
  operands: [2, 500],
  run: (values, [committee = "", ...releases], context) =>
    holdReleases(readCommitteeId(committee, "ID", "committee hold"), releases, values, "committee hold", context),
});
