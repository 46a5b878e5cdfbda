import { encodeVerifierKey, MAX_POLICY_BYTES, parseVerifierKey, quorumOverlap } from "@touchmark/log";
import { usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { readWhole } from "../files/read-file.ts";
import { parseQuorum } from "./quorum-file.ts";

/** Lines for a policy's `log.quorum` [P-10], and how many witnesses any two quorums share. */
export interface ChosenQuorum {
  readonly lines: string[];
  readonly overlap: number;
}

/** The quorum of these witnesses, or that of a file; null if there is neither. Throws `USAGE`, `BAD_KEY`, `QUORUM_MALFORMED` and what the system throws. */
export function chooseQuorum(
  witnesses: readonly string[],
  file: string | undefined,
  logKey: string,
): ChosenQuorum | null {
  if (file !== undefined && witnesses.length > 0)
    throw usageError("init", "--witness and --quorum exclude each other.");
  if (file !== undefined) return fromFile(file, logKey);
  if (witnesses.length === 0) return null;
  const names = witnesses.map((_, i) => `W${i + 1}`);
  return chosen([
    ...witnesses.map((vkey, i) => `witness ${names[i]} ${encodeVerifierKey(parseVerifierKey(vkey))}`),
    `group witnesses ${leastTolerant(witnesses.length)} ${names.join(" ")}`,
    "quorum witnesses",
  ]);
}

/** The least k of n with 2k - n > 1, which tolerates one dishonest witness; all of one, which can't. */
function leastTolerant(count: number): number {
  return Math.min(count, Math.floor((count + 1) / 2) + 1);
}

function fromFile(file: string, logKey: string): ChosenQuorum {
  const bytes = readWhole(file, MAX_POLICY_BYTES);
  const { logs } = parseQuorum(bytes);
  const wanted = encodeVerifierKey(parseVerifierKey(logKey));
  if (logs.length > 0 && !logs.some(({ key }) => encodeVerifierKey(key) === wanted))
    throw new CliError(
      "QUORUM_MALFORMED",
      "The policy of witnesses is for other logs than --log-key.",
      "Ask the log's operator for its own.",
    );
  // The log stands in the policy already [P-11]; what else says nothing is left out.
  const lines = Buffer.from(bytes).toString("utf8").split("\n");
  return chosen(lines.map((line) => line.trim()).filter((line) => !/^(?:$|#|log[ \t])/.test(line)));
}

function chosen(lines: string[]): ChosenQuorum {
  const overlap = quorumOverlap(parseQuorum(Buffer.from(`${lines.join("\n")}\n`)));
  return { lines, overlap };
}
