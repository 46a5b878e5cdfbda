import { encodeHex, parseHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { require } from "../errors.ts";
import { readObject, readString } from "../fields.ts";
import type { Json, JsonObject } from "../json.ts";
import { isPackageId, packageIdHash, parseReleaseId, parseSubjectId } from "../package-id.ts";
import { readSubjects } from "./statement-form.ts";

/** Where a statement goes on from: the package's last authority entry [S-17]. */
export interface Followed {
  /** An entry reference [S-26]. */
  previous: Uint8Array;
}

/** Subjects that are ids of the kind that `parse` takes, each with the hash of its id for a digest [S-25]. Gives their names. */
export function readIdSubjects(
  crypto: Crypto,
  subject: Json[],
  parse: (name: string) => unknown = parseSubjectId,
): string[] {
  return readSubjects(subject, (name, digest) => {
    parse(name);
    const { sha256 } = readObject(digest, "S-25", "subject's digest", ["sha256"]);
    const hash = encodeHex(packageIdHash(crypto, name));
    require(sha256 === hash, "S-25", "A subject's digest is not that of its id.");
    return name;
  });
}

/** As `readIdSubjects`, of a kind that has one subject. */
export function readOneSubject(
  crypto: Crypto,
  subject: Json[],
  rule: string,
  parse: (name: string) => unknown = parseSubjectId,
): string {
  const [name, ...more] = readIdSubjects(crypto, subject, parse);
  require(name !== undefined && more.length === 0, rule, "The statement has more than one subject.");
  return name;
}

/** The subjects of a claim or change [S-11]: packages, or one committee or log alone. */
export function readAuthoritySubjects(crypto: Crypto, subject: Json[], rule: string): string[] {
  const names = readIdSubjects(crypto, subject);
  const good = names.length === 1 || names.every(isPackageId);
  require(good, rule, "A committee or a log is not the only subject.", "It has a statement of its own.");
  return names;
}

/** Subjects that are release ids, where no bytes are meant [S-25]. Gives the ids. */
export function readReleaseSubjects(crypto: Crypto, subject: Json[]): string[] {
  return readIdSubjects(crypto, subject, parseReleaseId);
}

/** The subjects of these names, which are sorted here. */
export function encodeIdSubjects(crypto: Crypto, names: Iterable<string>): Json[] {
  return [...names].toSorted().map((name) => ({ name, digest: { sha256: encodeHex(packageIdHash(crypto, name)) } }));
}

/** An object with a member for each subject, in their order [S-25]. */
export function readBySubject<T>(
  value: Json | undefined,
  rule: string,
  what: string,
  names: string[],
  read: (value: Json | undefined) => T,
): Map<string, T> {
  const members = readObject(value, rule, what, names);
  return new Map(names.map((name) => [name, read(members[name])]));
}

/** As `readBySubject`, written. */
export function encodeBySubject<T>(values: ReadonlyMap<string, T>, encode: (value: T) => Json): JsonObject {
  const names = [...values.keys()].toSorted();
  return Object.fromEntries(names.map((name) => [name, encode(values.get(name)!)]));
}

/** The `packages` of a statement that goes on from an entry of each: never the first [S-29]. */
export function readFollowed(value: Json | undefined, rule: string, names: string[]): Map<string, Followed> {
  return readBySubject(value, rule, "statement's packages", names, (item) => {
    const { previous } = readObject(item, rule, "package", ["previous"]);
    return { previous: readReference(previous, "previous entry") };
  });
}

export function encodeFollowed(packages: ReadonlyMap<string, Followed>): JsonObject {
  return encodeBySubject(packages, ({ previous }) => ({ previous: encodeHex(previous) }));
}

/** The hex of an entry's RFC 6962 leaf hash [S-26]. */
export function readReference(value: Json | undefined, what: string): Uint8Array {
  return parseHex(readString(value, "S-26", what, /^[0-9a-f]{64}$/));
}
