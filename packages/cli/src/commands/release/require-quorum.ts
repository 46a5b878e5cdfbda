import type { FileStatus } from "../../authority/file-status.ts";
import { describeVotes } from "../../authority/missing-signatures.ts";
import { CliError } from "../../error.ts";

/** Throws `NO_QUORUM`, or what the rules hold against it, unless a release may be published now. */
export function requireQuorum({ complete, votes, refusal }: FileStatus, file: string): void {
  if (complete) return;
  const said =
    refusal === null
      ? votes.map((vote) => describeVotes(vote)).join("; ") || "nobody has claimed what it is about"
      : refusal.message.replace(/\.$/, "");
  throw new CliError(
    "NO_QUORUM",
    `Not to be published yet: ${said}.`,
    refusal === null || refusal.hint === "" ? `They sign it with: touchmark release sign ${file}` : refusal.hint,
  );
}
