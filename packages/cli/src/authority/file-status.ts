import { CoreError, judgeRelease, type JsonObject, releasesOf, statementChains } from "@touchmark/core";
import type { Policy } from "@touchmark/verify";
import type { Context } from "../command.ts";
import { cleanText } from "@touchmark/core";
import { describeStatement } from "../statements/describe.ts";
import type { StatementFile } from "../statements/statement-file.ts";
import { labelOf, statedAuthority } from "../statements/describe.ts";
import { askLog, type LogView } from "./log-view.ts";
import { countVotes, describeVotes, isEnough, type Votes } from "./missing-signatures.ts";

/** How far a statement in a file is. */
export interface FileStatus {
  votes: Votes[];
  /** As many as it takes have signed, and the rules have nothing against it. */
  complete: boolean;
  /** Why the rules would refuse a release now, although enough have signed. */
  refusal: { code: string; message: string; hint: string } | null;
  document: JsonObject;
  lines: string[];
}

/** Asks the log what a statement still needs. Throws `NO_EVIDENCE`. */
export async function statusOfFile(
  file: string,
  found: StatementFile,
  policy: Policy,
  context: Context,
): Promise<FileStatus> {
  const { statement } = found;
  const committees = statement.kind === "adopt" ? statement.committees : [];
  const ids = [...statementChains(statement), ...committees];
  const view = await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
  const votes = countVotes(statement, found.signers, view);
  const refusal = isEnough(votes) ? judgeNow(found, view) : null;
  const complete = votes.length > 0 && isEnough(votes) && refusal === null;
  const [id = ""] = statementChains(statement);
  const authority = statedAuthority(statement) ?? view.state(id).lines[0]?.authority ?? null;
  const labels = [...new Set(found.signers.map((signer) => labelOf(signer, authority, [])).toSorted())];
  return {
    votes,
    complete,
    refusal,
    document: {
      file,
      kind: statement.kind,
      statement: `sha256:${found.digest}`,
      subjects: ids,
      signers: found.signers,
      votes: votes.map((vote) => ({ ...vote })),
      complete,
      refusal,
    },
    lines: [
      cleanText(file),
      ...describeStatement(statement, found.digest, labels).map((line) => `  ${line}`),
      ...votes.map((vote) => `  ${describeVotes(vote)}`),
      ...(votes.length === 0 ? ["  nobody has claimed what it is about"] : []),
      ...(refusal === null ? [] : [`  ${refusal.message} [${refusal.code}]`, `  hint: ${refusal.hint}`]),
    ],
  };
}

// Counting says whom to ask; what is enough the rules say.
function judgeNow({ statement, signed }: StatementFile, view: LogView): FileStatus["refusal"] {
  if (statement.kind !== "release") return null;
  try {
    for (const id of statementChains(statement))
      if (releasesOf(statement, id).length > 0) judgeRelease(view.state(id), id, signed.signers, view.time, view.world);
    return null;
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    const { code, message, hint } = error;
    return { code, message, hint };
  }
}
