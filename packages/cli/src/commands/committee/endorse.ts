import { encodeEndorse } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../../authority/deliver.ts";
import { readCommitteeId } from "../../authority/edit-authority.ts";
import { askLog } from "../../authority/log-view.ts";
import { fileNameFor } from "../../authority/subjects.ts";
import { type Command, defineCommand, usageError } from "../../command.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { readSubjectIds } from "../../statements/subject-ids.ts";
import { chooseClaim } from "../claim-prove.ts";

export const committeeEndorse: Command = defineCommand({
  name: "committee endorse",
  usage: "committee:ID PACKAGE… [--claim INDEX] [--confirm LETTER…] [--out FILE.touchmark]",
  examples: ["touchmark committee endorse committee:care left-pad --confirm b --confirm d"],
  about: [
    "The committee's word that a claim is by the people whose package it is: stronger than any proof, where the committee is recognised.",
    "--confirm names the proofs that it has looked into.",
  ],
  flags: {
    ...STATEMENT_FLAGS,
    claim: { value: "INDEX", help: "the entry of the claim, where there are several" },
    confirm: { value: "LETTER", many: true, help: "a proof that was looked into: a, b, c or d" },
  },
  operands: [2, 500],
  run: async (values, [committee = "", ...operands], context) => {
    const by = readCommitteeId(committee, "ID", "committee endorse");
    if (values.confirm.some((letter) => !/^[abcd]$/.test(letter)))
      throw usageError("committee endorse", "--confirm is not a, b, c or d.");
    const policy = loadPolicy(context);
    const ids = readSubjectIds(operands, policy, values.registry);
    const view = await askLog(Object.fromEntries([by, ...ids].map((id) => [id, []])), policy, context);
    const confirms = [...new Set(values.confirm)];
    const claims = new Map(
      ids.map((id) => [id, { claim: chooseClaim(id, view, values.claim).claim.leafHash, confirms }]),
    );
    const payload = encodeEndorse(nodeCrypto, { logs: [policy.log.origin], by, claims });
    return deliver(
      { command: "committee endorse", payload, view, name: `${fileNameFor(ids)}.endorse` },
      values,
      context,
    );
  },
});
