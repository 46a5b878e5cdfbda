import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { encodeEnvelope } from "@touchmark/core";
import { statusOfFile } from "../../authority/file-status.ts";
import { CARRIER_FLAGS, sendOut } from "../../carriers/carrier.ts";
import { type Command, defineCommand, usageError } from "../../command.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { writeWhole } from "../../files/write-file.ts";
import { chooseRegistry } from "../../statements/choose-registry.ts";
import { describeChanges } from "../../statements/describe-changes.ts";
import { draftRelease, readHeldTarball } from "../../statements/draft-release.ts";
import { checkSameRelease } from "../../statements/same-release.ts";
import { readStatementFile, unsignedStatement } from "../../statements/statement-file.ts";

export const releasePropose: Command = defineCommand({
  name: "release propose",
  usage: "FILE.tgz… [--base VERSION] [--stage ID] [--branch NAME | --inbox] [--out FILE.touchmark]",
  examples: [
    "touchmark release propose widget-1.0.1.tgz --base 1.0.0 --repository https://git.example/widget --commit $GITHUB_SHA",
    "touchmark release propose widget-1.0.1.tgz --stage 7c1e2a --branch touchmark/releases",
  ],
  about: [
    "Writes a release that nobody has signed: which bytes, measured against which version, how much changed. It takes no key, so CI can do it.",
    "The file goes to the signers as it is, in a branch of the repository (--branch) or in the log's inbox (--inbox).",
  ],
  flags: {
    base: {
      value: "VERSION",
      many: true,
      help: "the version that the change is measured against; NAME@VERSION with several tarballs",
    },
    "base-tarball": { value: "FILE", many: true, help: "the base's tarball, to count what changed" },
    stage: { value: "ID", help: "the registry's id of the staged publish, for one tarball" },
    repository: { value: "URL", help: "where the source is, with --commit" },
    commit: { value: "HEX", help: "the commit that was built" },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
    out: { value: "FILE", help: "the release; <tarball>.touchmark when left out, needed with several tarballs" },
    ...CARRIER_FLAGS,
  },
  operands: [1, 500],
  run: async (values, operands, context) => {
    const command = "release propose";
    const { io, ui } = context;
    const { repository, commit, stage } = values;
    const file = values.out ?? (operands.length === 1 ? `${operands[0]}.touchmark` : undefined);
    if (file === undefined) throw usageError(command, "--out is missing.", "Several tarballs make one file: name it.");
    if ((repository === undefined) !== (commit === undefined))
      throw usageError(command, "--repository and --commit go together.");
    if (stage !== undefined && operands.length > 1) throw usageError(command, "--stage is for one tarball.");
    const policy = loadPolicy(context);
    const registry = chooseRegistry(policy, values.registry);
    const held = [];
    for (const tarball of operands) held.push(await readHeldTarball(resolve(io.cwd, tarball), registry));
    const source = repository === undefined || commit === undefined ? undefined : { repository, commit };
    const payload = draftRelease(held, { origin: policy.log.origin, bases: values.base, source, stage });
    const drafted = unsignedStatement(payload);
    const path = resolve(io.cwd, file);
    const there = existsSync(path) ? readStatementFile(path) : null;
    if (there !== null) checkSameRelease(there, drafted, file, { bases: true, source: source !== undefined });
    const found = there ?? drafted;
    const changes = await describeChanges(
      found.statement,
      held,
      values["base-tarball"].map((one) => resolve(io.cwd, one)),
    );
    const status = await statusOfFile(file, found, policy, context);
    await writeWhole(path, encodeEnvelope(found.envelope));
    const carried = await sendOut(file, values, policy, context);
    ui.result({ ok: true, ...status.document, changes: Object.fromEntries(changes), carried }, [
      ...status.lines,
      ...[...changes].map(([id, said]) => `  ${id}: ${said}`),
      `Wrote ${file}.`,
      ...carried,
    ]);
    return 0;
  },
});
