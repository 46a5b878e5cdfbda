import { isHex } from "../bytes.ts";
import { readObject, readString } from "../fields.ts";
import type { Json } from "../json.ts";
import { isVersion, parseReleaseId } from "../package-id.ts";
import { encodeStatement, readSubjects, type StatementParts } from "./statement-form.ts";

/** One released version: the two digests that say which bytes are meant [S-18]. */
export interface ReleasedVersion {
  packageId: string;
  version: string;
  /** Hex SHA-512 of the .tgz. */
  sha512: string;
  /** Hex SHA-512 of the tar in it. */
  tarSha512: string;
  base: string | null;
  stage: string | null;
}

/** A release: these bytes are these versions. */
export interface Release {
  kind: "release";
  logs: string[];
  /** By release id. */
  releases: Map<string, ReleasedVersion>;
  source: { repository: string; commit: string } | null;
}

export interface ReleaseDraft {
  logs: string[];
  releases: { releaseId: string; sha512: string; tarSha512: string; base?: string; stage?: string }[];
  source?: { repository: string; commit: string };
}

/** Reads what is particular to a release [S-18], [S-19]. Throws `MALFORMED`. */
export function parseRelease({ subject, logs, predicate }: StatementParts): Release {
  const subjects = readSubjects(subject, (name, digest) => ({
    name,
    id: parseReleaseId(name),
    digests: readDigests(digest),
  }));
  const fields = readObject(predicate, "S-18", "release", ["logs", "releases", "source"], ["source"]);
  const names = subjects.map(({ name }) => name);
  const details = readObject(fields["releases"], "S-18", "list of releases", names);
  const releases = new Map<string, ReleasedVersion>();
  // Spelled out: a log reads a great many of them, and copying objects into each other costs as much as all the rest.
  for (const { name, id, digests } of subjects) {
    const { base, stage } = readDetails(details[name]);
    const { packageId, version } = id;
    releases.set(name, { packageId, version, sha512: digests.sha512, tarSha512: digests.tarSha512, base, stage });
  }
  return {
    kind: "release",
    logs,
    releases,
    source: fields["source"] === undefined ? null : readSource(fields["source"]),
  };
}

/** The payload of a release. The subjects are sorted here; the caller validates by parsing the result. */
export function encodeRelease(draft: ReleaseDraft): Uint8Array {
  const sorted = draft.releases.toSorted((a, b) => (a.releaseId < b.releaseId ? -1 : 1));
  const releases: Record<string, Json> = {};
  for (const { releaseId, base, stage } of sorted)
    releases[releaseId] = { base: base ?? null, ...(stage === undefined ? {} : { stage }) };
  const subject = sorted.map(({ releaseId, sha512, tarSha512 }) => ({
    name: releaseId,
    digest: { sha512, tarSha512 },
  }));
  const { source } = draft;
  return encodeStatement(subject, "release", draft.logs, {
    releases,
    ...(source ? { source: { repository: source.repository, commit: source.commit } } : {}),
  });
}

/** The digests of a subject whose bytes are meant [S-18]. */
export function readDigests(value: Json): { sha512: string; tarSha512: string } {
  const fields = readObject(value, "S-18", "subject's digest", ["sha512", "tarSha512"]);
  return { sha512: readDigest(fields["sha512"]), tarSha512: readDigest(fields["tarSha512"]) };
}

/** A base version, or null [S-18]. */
export function readBase(value: Json | undefined): string | null {
  return value === null ? null : readString(value, "S-18", "base version", isVersion);
}

function readDigest(value: Json | undefined): string {
  return readString(value, "S-18", "digest", isSha512);
}

function isSha512(text: string): boolean {
  return isHex(text, 128);
}

function readDetails(value: Json | undefined): { base: string | null; stage: string | null } {
  const fields = readObject(value, "S-18", "release's details", ["base", "stage"], ["stage"]);
  const { base, stage } = fields;
  return {
    base: readBase(base),
    stage: stage === undefined ? null : readString(stage, "S-18", "stage id", /^[\x21-\x7e]{1,128}$/),
  };
}

function readSource(value: Json): Release["source"] {
  const fields = readObject(value, "S-19", "source", ["repository", "commit"]);
  return {
    repository: readString(fields["repository"], "S-19", "repository", /^[\x21-\x7e]{1,256}$/),
    commit: readString(fields["commit"], "S-19", "commit", /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/),
  };
}
