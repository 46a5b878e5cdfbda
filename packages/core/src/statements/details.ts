import { require } from "../errors.ts";
import { readArray, readInteger, readObject, readString, requireSorted } from "../fields.ts";
import type { Json, JsonObject } from "../json.ts";
import { isCommitteeId, isPackagePattern, parseSubjectId } from "../package-id.ts";

const MAX_SCOPE = 64;
const MAX_TERM_DAYS = 1096;
const MAX_COMMITTEES = 64;
const POWERS: readonly string[] = ["adopt", "endorse", "expedite", "hold", "review"] satisfies Power[];

/** What a committee may do [S-28]. */
export type Power = "adopt" | "endorse" | "expedite" | "hold" | "review";

/** What a committee is for, whom a log listens to; null for a package [S-28]. */
export type Details =
  | { kind: "committee"; scope: string[]; powers: Power[]; termDays: number }
  | { kind: "charter"; committees: string[] }
  | null;

/** The member that the claim or change of this subject has after its authority; null for a package [S-28]. */
export function detailsMember(subjectId: string): "committee" | "charter" | null {
  switch (parseSubjectId(subjectId).kind) {
    case "package":
      return null;
    case "committee":
      return "committee";
    case "log":
      return "charter";
  }
}

/** Reads what `detailsMember` names. Throws `MALFORMED`, `TOO_LARGE`. */
export function readDetails(member: "committee" | "charter" | null, predicate: JsonObject): Details {
  if (member === null) return null;
  return member === "committee" ? readCommittee(predicate[member]) : readCharter(predicate[member]);
}

/** The member and its value; lists are sorted. */
export function encodeDetails(details: Details): JsonObject {
  if (details === null) return {};
  if (details.kind === "charter") return { charter: { committees: details.committees.toSorted() } };
  const { scope, powers, termDays } = details;
  return { committee: { scope: scope.toSorted(), powers: powers.toSorted(), termDays } };
}

function readCommittee(value: Json | undefined): Details {
  const fields = readObject(value, "S-28", "committee", ["scope", "powers", "termDays"]);
  const scope = readArray(fields["scope"], "S-28", "committee's scope", MAX_SCOPE).map((item) =>
    readString(item, "S-28", "pattern of the scope", isPackagePattern),
  );
  require(scope.length > 0, "S-28", "The committee's scope is empty.");
  requireSorted(scope, "S-28", "patterns of the scope");
  const powers = readArray(fields["powers"], "S-28", "list of powers", POWERS.length).map((item) =>
    readString(item, "S-28", "power", (text) => POWERS.includes(text)),
  );
  requireSorted(powers, "S-28", "powers");
  const termDays = readInteger(fields["termDays"], "S-28", "term in days", 1, MAX_TERM_DAYS);
  return { kind: "committee", scope, powers: powers as Power[], termDays };
}

function readCharter(value: Json | undefined): Details {
  const fields = readObject(value, "S-28", "charter", ["committees"]);
  return { kind: "charter", committees: readCommittees(fields["committees"], "S-28", MAX_COMMITTEES) };
}

/** Ids of committees, sorted, none twice. */
export function readCommittees(value: Json | undefined, rule: string, most: number): string[] {
  const committees = readArray(value, rule, "list of committees", most).map((item) =>
    readString(item, "C-17", "committee's id", isCommitteeId),
  );
  requireSorted(committees, rule, "committees");
  return committees;
}
