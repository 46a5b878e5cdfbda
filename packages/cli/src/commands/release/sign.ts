import { statementChains } from "@touchmark/core";
import { statusOfFile } from "../../authority/file-status.ts";
import { askLog } from "../../authority/log-view.ts";
import { CARRIER_FLAGS, sendOut } from "../../carriers/carrier.ts";
import { type Command, defineCommand } from "../../command.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { addOwnSignature, signedResult, SIGNING_FLAGS } from "../../statements/add-signature.ts";
import { openRelease } from "./open-release.ts";

export const releaseSign: Command = defineCommand({
  name: "release sign",
  usage: "[FILE.touchmark|DIGEST] [--branch NAME | --inbox] [--holder LABEL] [--yes]",
  examples: [
    "touchmark release sign widget-1.0.1.tgz.touchmark --branch touchmark/releases",
    "touchmark release sign sha256:9f2c… --inbox",
  ],
  about: [
    "Fetches the release with the signatures that others have given, shows it, adds one with a touch, and gives it back the way it came.",
    "Where the tarball is at hand, touchmark sign FILE.tgz compares it with the statement before the touch.",
  ],
  flags: { ...SIGNING_FLAGS, ...CARRIER_FLAGS },
  operands: [0, 1],
  run: async (values, [typed = ""], context) => {
    const { ui } = context;
    const policy = loadPolicy(context);
    const { file, found } = await openRelease(typed, values, policy, context);
    const ids = statementChains(found.statement);
    const view = await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
    const authority = view.state(ids[0]!).lines[0]?.authority ?? null;
    const signed = await addOwnSignature(found, { file, listed: null, authority }, values, context);
    const carried = await sendOut(file, values, policy, context);
    const status = await statusOfFile(file, signed.found, policy, context);
    const { document, lines } = signedResult(file, signed);
    const votes = status.votes.map((vote) => ({ ...vote }));
    ui.result({ ...document, votes, complete: status.complete, carried }, [
      ...lines,
      ...status.lines.slice(-status.votes.length),
      ...carried,
    ]);
    return 0;
  },
});
