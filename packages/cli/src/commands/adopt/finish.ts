import { encodeAdoptFinal, parsePackageId } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../../authority/deliver.ts";
import { askLog } from "../../authority/log-view.ts";
import { NEW_NAME_FLAG, pointers, readNewName } from "../../authority/successor-name.ts";
import { fileNameFor } from "../../authority/subjects.ts";
import { type Command, defineCommand } from "../../command.ts";
import { CliError } from "../../error.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { readSubjectId } from "../../statements/subject-ids.ts";

export const adoptFinish: Command = defineCommand({
  name: "adopt finish",
  usage: "PACKAGE [--new-name NAME@RANGE] [--out FILE.touchmark]",
  examples: ["touchmark adopt finish left-pad --sign --submit --new-name @care/left-pad@^1.3.1"],
  about: [
    "Takes the package over, once the window is over and within 30 days from then: as many of the candidates as a release needs sign it.",
    "The npm name does not move by this; --new-name prints what points from the old name to a new one, for npm, pnpm and yarn.",
  ],
  flags: { ...STATEMENT_FLAGS, ...NEW_NAME_FLAG },
  operands: [1, 1],
  run: async (values, [typed = ""], context) => {
    const policy = loadPolicy(context);
    const id = readSubjectId(typed, policy, values.registry);
    const target = values["new-name"] === undefined ? null : readNewName(values["new-name"], "adopt finish");
    const view = await askLog({ [id]: [] }, policy, context);
    const { adoption } = view.state(id);
    if (adoption === null)
      throw new CliError(
        "NOT_THERE",
        `No adoption of ${id} waits.`,
        "It may have been vetoed, or somebody showed a sign of life: touchmark adopt status",
      );
    const payload = encodeAdoptFinal(nodeCrypto, {
      logs: [policy.log.origin],
      packageId: id,
      adoption: adoption.place.leafHash,
    });
    const shown = target === null ? null : pointers(parsePackageId(id).name, target);
    return deliver(
      {
        command: "adopt finish",
        payload,
        view,
        name: `${fileNameFor([id])}.adopt-final`,
        ...(shown === null ? {} : { document: { pointers: shown.document }, lines: shown.lines }),
      },
      values,
      context,
    );
  },
});
