import { encodeAdopt } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../../authority/deliver.ts";
import { readCommitteeId } from "../../authority/edit-authority.ts";
import { askLog } from "../../authority/log-view.ts";
import { fileNameFor, followed } from "../../authority/subjects.ts";
import { type Command, defineCommand } from "../../command.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { AUTHORITY_FLAGS, newAuthority } from "../../statements/new-authority.ts";
import { readSubjectId } from "../../statements/subject-ids.ts";

const { uv: _uv, ...SIGN } = STATEMENT_FLAGS;

export const adoptPropose: Command = defineCommand({
  name: "adopt propose",
  usage: "PACKAGE --key CARD… --threshold M [--committee ID --committee ID] [--out FILE.touchmark]",
  examples: [
    "touchmark adopt propose left-pad --key erin.card --threshold 1 --committee committee:care --committee committee:js",
    "touchmark adopt propose left-pad --key successor.card --threshold 1",
  ],
  about: [
    "Asks to take over a package of which nothing was heard for a year. Every key of the candidates signs; a successor, and anybody where the mode",
    "is open, needs no committee and waits 21 days, everybody else needs two committees that the log listens to, and waits 90 days.",
    "In that time any one old key, and any sign of life, ends it. Then: touchmark adopt finish.",
  ],
  flags: {
    ...AUTHORITY_FLAGS,
    committee: { value: "ID", many: true, help: "a committee whose members sign as well" },
    ...SIGN,
  },
  operands: [1, 1],
  run: async (values, [typed = ""], context) => {
    const policy = loadPolicy(context);
    const id = readSubjectId(typed, policy, values.registry);
    const authority = newAuthority(values, "adopt propose", context);
    const committees = values.committee.map((one) => readCommitteeId(one, "committee", "adopt propose"));
    const asked = Object.fromEntries([id, ...committees].map((one) => [one, []]));
    const view = await askLog(asked, policy, context);
    const { previous } = followed([id], view).get(id)!;
    const logs = [policy.log.origin];
    const payload = encodeAdopt(nodeCrypto, { logs, packageId: id, previous, authority, committees });
    return deliver({ command: "adopt propose", payload, view, name: `${fileNameFor([id])}.adopt` }, values, context);
  },
});
