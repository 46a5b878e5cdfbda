import { UNCLAIMED } from "@touchmark/core";
import { deliver, STATEMENT_FLAGS } from "../../authority/deliver.ts";
import { DETAILS_FLAGS, editDetails, readCommitteeId } from "../../authority/edit-authority.ts";
import { fileNameFor } from "../../authority/subjects.ts";
import { type Command, defineCommand, usageError } from "../../command.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { draftClaim, encodeEarlierFile } from "../../statements/draft-claim.ts";
import { AUTHORITY_FLAGS, newAuthority } from "../../statements/new-authority.ts";

const { uv: _uv, ...SIGN } = STATEMENT_FLAGS;
const { committee: _committee, ...DETAILS } = DETAILS_FLAGS;
const { expedite: _expedite, successor: _successor, ...MEMBERS } = AUTHORITY_FLAGS;

export const committeeCreate: Command = defineCommand({
  name: "committee create",
  usage:
    "committee:ID --key CARD… --threshold M --power POWER… [--scope PATTERN…] [--term-days N] [--out FILE.touchmark]",
  examples: [
    "touchmark committee create committee:care --key a.card --key b.card --key c.card --threshold 2 --power hold --power review --scope '@acme/*'",
  ],
  about: [
    "Founds a committee: who sits in it, how many decide, what it may do, for which packages and for how long. Every key of it signs.",
    "It counts only for those who recognise it: a consumer by touchmark.json, a log by its charter.",
  ],
  flags: { ...MEMBERS, ...DETAILS, ...SIGN },
  operands: [1, 1],
  run: async (values, [typed = ""], context) => {
    const id = readCommitteeId(typed, "ID", "committee create");
    if (values.power.length === 0)
      throw usageError("committee create", "--power is missing.", "adopt, endorse, expedite, hold or review.");
    const policy = loadPolicy(context);
    const authority = newAuthority({ ...values, successor: [], expedite: undefined }, "committee create", context);
    const details = editDetails(id, null, { ...values, committee: [] }, "committee create");
    const claimed = new Map([[id, { earlier: [], previous: null, proof: null }]]);
    const payload = draftClaim(policy.log.origin, claimed, authority, details);
    return deliver(
      {
        command: "committee create",
        payload,
        view: { policy, state: () => UNCLAIMED },
        name: `${fileNameFor([id])}.claim`,
        earlier: encodeEarlierFile(claimed),
      },
      values,
      context,
    );
  },
});
