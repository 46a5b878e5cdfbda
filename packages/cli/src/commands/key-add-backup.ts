import { type Command, defineCommand } from "../command.ts";
import { CliError } from "../error.ts";
import { touchmarkHome } from "../files/home.ts";
import { describeKey, enrol, ENROL_FLAGS, readHolder } from "../keys/enrol.ts";
import { keyDocument, readKeys } from "../keys/key-store.ts";

export const keyAddBackup: Command = defineCommand({
  name: "key add-backup",
  usage: "--holder LABEL [--device D] [--algorithm es256|ed25519] [--uv]",
  examples: ["touchmark key add-backup --holder alice"],
  about: [
    "Enrols a second security key of a holder, for the day when the first one is lost.",
    "It is no second vote: a threshold counts holders, and both keys are the same one's.",
    "It helps only where the claim lists it: make the key card anew before the claim is written.",
  ],
  flags: ENROL_FLAGS,
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const holder = readHolder("key add-backup", values.holder);
    if (!readKeys(touchmarkHome(context.io)).some((key) => key.holder === holder)) {
      throw new CliError(
        "NO_KEY",
        `No key of ${holder} is enrolled here that this one could be the backup of.`,
        `Enrol the first with: touchmark key enroll --holder ${holder}`,
      );
    }
    const key = await enrol("key add-backup", values, context);
    context.ui.result({ ok: true, key: keyDocument(key) }, [
      `Enrolled another key of ${holder}.`,
      ...describeKey(key),
      "",
      `It is no second vote: thresholds count holders, and ${holder} remains one.`,
      `A claim must list it before it can sign: touchmark key export --holder ${holder} has all keys of ${holder}.`,
      "Keep it somewhere else than the first.",
    ]);
    return 0;
  },
});
