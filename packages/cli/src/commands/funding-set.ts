import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { encodeFunding, type FundingChannel } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../authority/deliver.ts";
import { askLog } from "../authority/log-view.ts";
import { fileNameFor, requireOneAuthority } from "../authority/subjects.ts";
import { type Command, defineCommand, usageError } from "../command.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readWhole } from "../files/read-file.ts";
import { readSubjectIds } from "../statements/subject-ids.ts";

const MAX_MANIFEST = 4 * 1024 * 1024;

export const fundingSet: Command = defineCommand({
  name: "funding set",
  usage: "PACKAGE… --channel TYPE=ADDRESS… | --no-channels [--manifest FILE] [--need 1000USD] [--out FILE.touchmark]",
  examples: ["touchmark funding set @acme/widget --channel open-collective=acme --channel github=acme --need 500USD"],
  about: [
    "Where money for these packages goes. It takes the place of what was said before; as many holders sign it as a change needs.",
    "New addresses wait 14 days, in which any one key can veto them.",
  ],
  flags: {
    ...STATEMENT_FLAGS,
    channel: { value: "TYPE=ADDRESS", many: true, help: "an account or address, as github=acme" },
    "no-channels": { help: "no address any more" },
    manifest: { value: "FILE", help: "a funding.json; its digest is signed" },
    need: { value: "AMOUNT", help: "what is needed each month, as 1000USD" },
  },
  operands: [1, 500],
  run: async (values, operands, context) => {
    if (values.channel.length > 0 === values["no-channels"])
      throw usageError("funding set", "--channel is missing; for no address any more say --no-channels.");
    const channels = values.channel.map(readChannel);
    const needs = values.need === undefined ? null : readNeed(values.need);
    const manifest =
      values.manifest === undefined
        ? null
        : createHash("sha256")
            .update(readWhole(resolve(context.io.cwd, values.manifest), MAX_MANIFEST))
            .digest("hex");
    const policy = loadPolicy(context);
    const ids = readSubjectIds(operands, policy, values.registry);
    const view = await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
    const { packages } = requireOneAuthority(ids, view);
    const payload = encodeFunding(nodeCrypto, { logs: [policy.log.origin], packages, channels, manifest, needs });
    return deliver({ command: "funding set", payload, view, name: `${fileNameFor(ids)}.funding` }, values, context);
  },
});

function readChannel(typed: string): FundingChannel {
  const at = typed.indexOf("=");
  const [type, address] = [typed.slice(0, at), typed.slice(at + 1)];
  if (at > 0 && /^[a-z][a-z0-9-]{0,31}$/.test(type) && /^[\x21-\x7e]{1,256}$/.test(address)) return { type, address };
  throw usageError("funding set", "--channel is not TYPE=ADDRESS.", "As in github=acme or open-collective=acme.");
}

function readNeed(typed: string): { currency: string; monthly: number } {
  const [, monthly, currency] = /^(\d{1,10})([A-Z]{3})$/.exec(typed) ?? [];
  if (monthly !== undefined && currency !== undefined) return { currency, monthly: Number(monthly) };
  throw usageError("funding set", "--need is not a whole number and a currency.", "As in 1000USD.");
}
