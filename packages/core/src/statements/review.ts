import { encodeHex } from "../bytes.ts";
import { readObject, readString } from "../fields.ts";
import type { Json } from "../json.ts";
import { isCommitteeId, parseReleaseId } from "../package-id.ts";
import { readBase, readDigests } from "./release.ts";
import { encodeStatement, readSubjects, type StatementParts } from "./statement-form.ts";
import { encodeBySubject, readBySubject, readReference } from "./subjects.ts";

/** What a committee found in one version. */
export interface ReviewedVersion {
  packageId: string;
  version: string;
  /** Hex SHA-512 of the .tgz that was reviewed. */
  sha512: string;
  /** Hex SHA-512 of the tar in it. */
  tarSha512: string;
  /** The version that it was compared with. */
  base: string | null;
  verdict: "good" | "bad" | "unclear";
  /** `rules` is the hex SHA-256 of what the tool went by. */
  tool: { name: string; version: string; rules: string } | null;
}

/** A review: these bytes were looked at [S-39]. */
export interface Review {
  kind: "review";
  logs: string[];
  /** A committee's id. */
  by: string;
  /** Reference [S-26] of the review that this one follows; nobody looks it up. */
  replaces: Uint8Array | null;
  /** By release id. */
  reviews: Map<string, ReviewedVersion>;
}

export interface ReviewDraft {
  logs: string[];
  by: string;
  replaces: Uint8Array | null;
  /** By release id, which says package and version. */
  reviews: ReadonlyMap<string, Omit<ReviewedVersion, "packageId" | "version">>;
}

/** Reads what is particular to a review [S-39]. Throws `MALFORMED`. */
export function parseReview({ subject, logs, predicate }: StatementParts): Review {
  const subjects = readSubjects(subject, (name, digest) => ({ name, ...parseReleaseId(name), ...readDigests(digest) }));
  const fields = readObject(predicate, "S-39", "review", ["logs", "by", "replaces", "reviews"]);
  const names = subjects.map(({ name }) => name);
  const findings = readBySubject(fields["reviews"], "S-39", "list of reviews", names, readFindings);
  return {
    kind: "review",
    logs,
    by: readString(fields["by"], "C-17", "id of the committee that reviews", isCommitteeId),
    replaces: fields["replaces"] === null ? null : readReference(fields["replaces"], "replaced review"),
    reviews: new Map(subjects.map(({ name, ...version }) => [name, { ...version, ...findings.get(name)! }])),
  };
}

/** The payload of a review. The subjects are sorted here; the caller validates by parsing the result. */
export function encodeReview({ logs, by, replaces, reviews }: ReviewDraft): Uint8Array {
  const subject = [...reviews.keys()].toSorted().map((name) => {
    const { sha512, tarSha512 } = reviews.get(name)!;
    return { name, digest: { sha512, tarSha512 } };
  });
  return encodeStatement(subject, "review", logs, {
    by,
    replaces: replaces && encodeHex(replaces),
    reviews: encodeBySubject(reviews, ({ base, verdict, tool }) => ({
      base,
      verdict,
      tool: tool && { name: tool.name, version: tool.version, rules: tool.rules },
    })),
  });
}

function readFindings(value: Json | undefined): Pick<ReviewedVersion, "base" | "verdict" | "tool"> {
  const fields = readObject(value, "S-39", "review's findings", ["base", "verdict", "tool"]);
  const verdict = readString(fields["verdict"], "S-39", "verdict", /^(?:good|bad|unclear)$/);
  return {
    base: readBase(fields["base"]),
    verdict: verdict as ReviewedVersion["verdict"],
    tool: fields["tool"] === null ? null : readTool(fields["tool"]),
  };
}

function readTool(value: Json | undefined): ReviewedVersion["tool"] {
  const fields = readObject(value, "S-39", "review's tool", ["name", "version", "rules"]);
  return {
    name: readString(fields["name"], "S-39", "tool's name", /^[\x21-\x7e]{1,64}$/),
    version: readString(fields["version"], "S-39", "tool's version", /^[\x21-\x7e]{1,64}$/),
    rules: readString(fields["rules"], "S-39", "digest of the tool's rules", /^[0-9a-f]{64}$/),
  };
}
