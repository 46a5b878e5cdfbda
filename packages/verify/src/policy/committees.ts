import { isCommitteeId, isObject, type Json, type JsonObject, type Power, type ProofLetter } from "@touchmark/core";

const MAX_COMMITTEES = 64;
const PINNED = /^sha256:[0-9a-f]{64}$/;
const POWERS: readonly string[] = ["adopt", "endorse", "expedite", "hold", "review"] satisfies Power[];
const LETTERS: readonly string[] = ["a", "b", "c", "d", "e"] satisfies ProofLetter[];

/** A committee that counts for whoever has this policy [P-20]. */
export interface RecognisedCommittee {
  /** The authority digest by which its line is pinned. */
  authority: string;
  powers: readonly Power[];
}

/** What a rule asks of a package's authority and its releases beside signatures [P-21] to [P-23]. */
export interface AuthorityDemands {
  /** The letters that a claim in force has to have to count. */
  proof: readonly ProofLetter[];
  /** Committees, one of which must have called a version good; none asked if empty. */
  review: readonly string[];
  /** Whether releases count that a committee stood in for a holder of. */
  expedited: boolean;
}

/** What is asked where the policy says nothing. */
export const NO_DEMANDS: AuthorityDemands = { proof: ["a"], review: [], expedited: false };

/** Reads `committees` [P-20]; what is wrong is added to `problems`. */
export function readCommittees(value: Json | undefined, problems: string[]): Map<string, RecognisedCommittee> {
  const committees = new Map<string, RecognisedCommittee>();
  if (value === undefined) return committees;
  if (!isObject(value)) {
    problems.push("committees is not an object");
    return committees;
  }
  const members = Object.entries(value);
  if (members.length > MAX_COMMITTEES) problems.push(`committees names more than ${MAX_COMMITTEES}`);
  for (const [id, member] of members) {
    const what = `committees[${JSON.stringify(id)}]`;
    if (!isCommitteeId(id)) problems.push(`${JSON.stringify(id)} is not a committee's id`);
    if (!isObject(member) || Object.keys(member).toSorted().join() !== "authority,powers") {
      problems.push(`${what} does not have exactly the keys authority and powers`);
      continue;
    }
    const { authority, powers } = member;
    const pinned = typeof authority === "string" && PINNED.test(authority) ? authority : undefined;
    if (pinned === undefined) problems.push(`the authority of ${what} is not "sha256:" and 64 hex digits`);
    const listed = readChoices(powers, POWERS);
    if (listed === undefined) problems.push(`the powers of ${what} are not some of ${POWERS.join(", ")}, none twice`);
    if (pinned !== undefined && listed !== undefined)
      committees.set(id, { authority: pinned, powers: listed as Power[] });
  }
  return committees;
}

/** Reads `proof`, `review` and `expedited` of a rule [P-21] to [P-23]; what is wrong is added to `problems`. */
export function readAuthorityDemands(
  rule: JsonObject,
  committees: ReadonlyMap<string, RecognisedCommittee>,
  what: string,
  problems: string[],
): AuthorityDemands {
  const { proof = ["a"], review, expedited = "deny" } = rule;
  const letters = readChoices(proof, LETTERS);
  if (letters === undefined) problems.push(`${what}.proof is not some of the letters a to e, none twice`);
  const able = [...committees].filter(([, { powers }]) => powers.includes("review")).map(([id]) => id);
  const reviewers = review === undefined ? [] : readChoices(review, able);
  if (reviewers === undefined)
    problems.push(`${what}.review does not name committees of the policy that have the power to review, each once`);
  if (expedited !== "allow" && expedited !== "deny") problems.push(`${what}.expedited is neither allow nor deny`);
  return {
    proof: (letters ?? []) as ProofLetter[],
    review: reviewers ?? [],
    expedited: expedited === "allow",
  };
}

/** A list of at least one of the known words, none twice; undefined for anything else. */
function readChoices(value: Json | undefined, known: readonly string[]): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || new Set(value).size !== value.length) return undefined;
  return value.every((item) => typeof item === "string" && known.includes(item)) ? (value as string[]) : undefined;
}
