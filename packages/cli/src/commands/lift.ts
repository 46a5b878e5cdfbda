import { LIFT_FLAGS, liftHold } from "../authority/hold-statement.ts";
import { type Command, defineCommand } from "../command.ts";

export const lift: Command = defineCommand({
  name: "lift",
  usage: "PACKAGE[@VERSION] [--entry INDEX] [--out FILE.touchmark]",
  examples: ["touchmark lift @acme/widget@1.0.1"],
  about: ["Ends a hold by the package's own holders; as many sign it as a change needs."],
  flags: LIFT_FLAGS,
  operands: [1, 1],
  run: (values, [typed], context) => liftHold(null, typed, values, "lift", context),
});
