import { HOLD_FLAGS, holdReleases } from "../authority/hold-statement.ts";
import { type Command, defineCommand } from "../command.ts";

export const hold: Command = defineCommand({
  name: "hold",
  usage: "PACKAGE@VERSION… --reason TEXT [--osv ID] [--renew] [--out FILE.touchmark]",
  examples: ['touchmark hold @acme/widget@1.0.1 --reason "the build machine was broken into" --sign --submit'],
  about: [
    "These versions must not be installed. By as many holders as a release needs it lasts until it is lifted; by fewer 3 days, twice renewed.",
  ],
  flags: HOLD_FLAGS,
  operands: [1, 500],
  run: (values, operands, context) => holdReleases(null, operands, values, "hold", context),
});
