import { statusOfFile } from "../../authority/file-status.ts";
import { CARRIER_FLAGS } from "../../carriers/carrier.ts";
import { type Command, defineCommand } from "../../command.ts";
import { EXIT } from "../../failure.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { openRelease } from "./open-release.ts";

export const releaseStatus: Command = defineCommand({
  name: "release status",
  usage: "[FILE.touchmark|DIGEST] [--branch NAME | --inbox]",
  examples: ["touchmark release status widget-1.0.1.tgz.touchmark", "touchmark release status sha256:9f2c… --inbox"],
  about: ["How many have signed, and whom it waits for. Exit code 0 once it may be published, 1 until then."],
  flags: CARRIER_FLAGS,
  operands: [0, 1],
  run: async (values, [typed = ""], context) => {
    const policy = loadPolicy(context);
    const { file, found } = await openRelease(typed, values, policy, context);
    const { complete, document, lines } = await statusOfFile(file, found, policy, context);
    context.ui.result({ ok: complete, ...document }, lines);
    return complete ? EXIT.ok : EXIT.rejected;
  },
});
