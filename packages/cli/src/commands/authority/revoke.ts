import { encodeRevoke } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../../authority/deliver.ts";
import { readFingerprint } from "../../authority/edit-authority.ts";
import { askLog } from "../../authority/log-view.ts";
import { fileNameFor } from "../../authority/subjects.ts";
import { type Command, defineCommand, usageError } from "../../command.ts";
import { CliError } from "../../error.ts";
import { touchmarkHome } from "../../files/home.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { knownSubjects } from "../../keys/known-subjects.ts";
import { readKeys } from "../../keys/key-store.ts";
import { readSubjectIds } from "../../statements/subject-ids.ts";

export const authorityRevoke: Command = defineCommand({
  name: "authority revoke",
  usage: "--key FINGERPRINT [PACKAGE…] [--by-holders] [--out FILE.touchmark]",
  examples: [
    "touchmark authority revoke --key SHA256:mVP…",
    "touchmark authority revoke --key SHA256:mVP… @acme/widget --by-holders",
  ],
  about: [
    "The key is void from then on, for all of its packages; what it signed before stays good. It cannot be undone.",
    "A key that is enrolled here revokes itself, alone and at once, over all packages that are known here: those that somebody here has signed for,",
    "those in touchmark.lock and in the claims of this folder. A key that is lost or stolen is revoked by its co-holders: --by-holders and the packages.",
  ],
  flags: {
    ...STATEMENT_FLAGS,
    key: { value: "FINGERPRINT", many: true, help: "the key that is to be void" },
    "by-holders": { help: "as many holders sign it as a change needs" },
  },
  operands: [0, 500],
  run: async (values, operands, context) => {
    const { io } = context;
    const policy = loadPolicy(context);
    if (values.key.length === 0) throw usageError("authority revoke", "--key is missing.");
    const keys = values.key.map((key) => readFingerprint(key, "key", "authority revoke"));
    const enrolled = readKeys(touchmarkHome(io));
    const byItself = !values["by-holders"];
    const [own] = keys;
    if (byItself && (keys.length > 1 || !enrolled.some(({ fingerprint }) => fingerprint === own)))
      throw new CliError(
        "NO_KEY",
        "A key revokes itself alone, and this one is not enrolled here.",
        "Its co-holders can revoke it: --by-holders, and name the packages.",
      );
    if (!byItself && operands.length === 0)
      throw usageError("authority revoke", "With --by-holders the packages have to be named.");
    const named = readSubjectIds(operands, policy, values.registry);
    const asked = named.length > 0 ? named : await knownSubjects(policy, context);
    const view = await askLog(Object.fromEntries(asked.map((id) => [id, []])), policy, context);
    const ids = named.length > 0 ? named : asked.filter((id) => holds(own!, id));
    if (ids.length === 0)
      throw new CliError("NOT_THERE", "No package is known here that this key has a say in.", "Name the packages.");
    const payload = encodeRevoke(nodeCrypto, { logs: [policy.log.origin], subjects: ids, keys });
    return deliver(
      {
        command: "authority revoke",
        payload,
        view,
        name: `${fileNameFor(ids)}.revoke`,
        ...(byItself && own !== undefined ? { atOnce: true, key: own } : {}),
      },
      { ...values, holder: byItself ? undefined : values.holder },
      context,
    );

    function holds(key: string, id: string): boolean {
      return view
        .state(id)
        .lines.some(
          ({ authority, revoked }) =>
            !revoked.has(key) &&
            [...authority.keys, ...(authority.recovery?.keys ?? [])].some(({ fingerprint }) => fingerprint === key),
        );
    }
  },
});
