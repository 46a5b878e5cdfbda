import { type AuthorityDraft, encodeChange } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../authority/deliver.ts";
import { draftCard, draftOf } from "../authority/edit-authority.ts";
import { askLog } from "../authority/log-view.ts";
import { fileNameFor, requireOneAuthority } from "../authority/subjects.ts";
import { type Command, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readCards, refuseTwice } from "../keys/read-cards.ts";
import { readSubjectIds } from "../statements/subject-ids.ts";
import { readThreshold } from "../statements/new-authority.ts";

export const recover: Command = defineCommand({
  name: "recover",
  usage: "PACKAGE… --key CARD… [--threshold M] [--recovery-key CARD… --recovery-threshold N] [--out FILE.touchmark]",
  examples: ["touchmark recover @acme/widget --key new-alice.card --key new-bob.card --threshold 2"],
  about: [
    "When the holders' keys are lost: new keys, signed by as many recovery holders as the authority asks for, and by every new key.",
    "It waits 30 days in public; any one live or recovery key can veto it. What isn't named stays as it is.",
  ],
  flags: {
    ...STATEMENT_FLAGS,
    key: { value: "CARD", many: true, help: "a key card of a holder from now on" },
    threshold: { value: "M", help: "how many holders a release needs" },
    "change-threshold": { value: "C", help: "how many holders a change needs" },
    "recovery-key": { value: "CARD", many: true, help: "a key card of new recovery keys, in place of those there are" },
    "recovery-threshold": { value: "N", help: "how many of their holders a recovery needs" },
  },
  operands: [1, 500],
  run: async (values, operands, context) => {
    const policy = loadPolicy(context);
    if (values.key.length === 0) throw usageError("recover", "--key is missing: the keys that hold it from now on.");
    const ids = readSubjectIds(operands, policy, values.registry);
    const view = await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
    const { line, packages } = requireOneAuthority(ids, view);
    if (line.authority.recovery === null)
      throw new CliError(
        "NOT_THERE",
        `${ids[0]} has no recovery keys.`,
        "As long as enough holders have a key: touchmark authority change",
      );
    const keys = readCards(values.key, context);
    const recovering = readCards(values["recovery-key"], context);
    refuseTwice([...keys, ...recovering], "recover");
    if ((recovering.length === 0) !== (values["recovery-threshold"] === undefined))
      throw usageError("recover", "--recovery-key and --recovery-threshold go together.");
    const before = draftOf(line.authority);
    const holders = new Set(keys.map(({ holder }) => holder)).size;
    const threshold =
      values.threshold === undefined
        ? Math.min(before.releaseThreshold, holders)
        : readThreshold("threshold", values.threshold, keys, "recover");
    const { changeThreshold: _old, ...kept } = before;
    const authority: AuthorityDraft = {
      ...kept,
      keys: keys.map(draftCard),
      releaseThreshold: threshold,
      ...(values["change-threshold"] === undefined
        ? {}
        : { changeThreshold: readThreshold("change-threshold", values["change-threshold"], keys, "recover") }),
      ...(recovering.length === 0
        ? {}
        : {
            recovery: {
              threshold: readThreshold("recovery-threshold", values["recovery-threshold"]!, recovering, "recover"),
              keys: recovering.map(draftCard),
            },
          }),
    };
    const payload = encodeChange(nodeCrypto, {
      logs: [policy.log.origin],
      packages,
      authority,
      details: line.details,
    });
    return deliver(
      { command: "recover", payload, view, name: `${fileNameFor(ids)}.recovery`, recovering: true },
      values,
      context,
    );
  },
});
