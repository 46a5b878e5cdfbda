import { hash } from "node:crypto";
import type { Json, JsonObject } from "../../src/index.ts";
import { get, LOG, put, reversed } from "./payload-parts.ts";

/** One payload of a kind of statement. */
export interface KindCase {
  /** The rule that the case is about. */
  rule: string;
  name: string;
  payload: string;
  /** Of good payloads only: [S-6]; [S-40]; and what it says, with bytes in hex and an authority by its digest [S-14]. */
  digest: string | null;
  chains: string[] | null;
  parsed: JsonObject | null;
  error: { code: string; rule: string } | null;
}

type Path = (string | number)[];

/** A payload that is taken. `members` are those of what it says beside kind and logs. */
export function good(rule: string, name: string, value: JsonObject, chains: string[], members: JsonObject): KindCase {
  const payload = JSON.stringify(value);
  const parsed = { kind: kindOf(value), logs: get(value, ["predicate", "logs"]), ...members };
  return { rule, name, payload, digest: hash("sha256", payload), chains, parsed, error: null };
}

/** `by` is the rule that refuses, where it isn't the one that the case is about. */
export function bad(rule: string, name: string, value: Json, by = rule, code = "MALFORMED"): KindCase {
  const payload = JSON.stringify(value);
  return { rule, name, payload, digest: null, chains: null, parsed: null, error: { code, rule: by } };
}

/** A good payload with one value after another in one place, each refused. */
export function badValues(
  rule: string,
  value: JsonObject,
  path: Path,
  values: Record<string, Json>,
  by = rule,
  code = "MALFORMED",
): KindCase[] {
  return Object.entries(values).map(([name, part]) =>
    bad(rule, `${path.at(-1)}: ${name}`, put(value, path, part), by, code),
  );
}

/** An object of a good payload: each of its members missing, another one, in the opposite order, and something else in its place. */
export function strictly(rule: string, value: JsonObject, path: Path, optional: string[] = []): KindCase[] {
  const object = get(value, path) as JsonObject;
  const at = path.join(".");
  const keys = Object.keys(object);
  const ofPredicate = path.length === 1;
  return [
    ...keys
      .filter((key) => !optional.includes(key))
      .map((key) => {
        const by = ofPredicate && key === "logs" ? "S-8" : rule;
        return bad(rule, `${at} without ${key}`, put(value, [...path, key]), by);
      }),
    bad(rule, `${at} with another member`, put(value, [...path, "note"], "")),
    ...(keys.length > 1 ? [bad(rule, `${at} in another order`, put(value, path, reversed(object)))] : []),
    ...[[object], 7, "", ...(keys.length > 1 ? [true] : [])].map((other) =>
      bad(rule, `${at} as ${JSON.stringify(other).slice(0, 10)}`, put(value, path, other), ofPredicate ? "S-6" : rule),
    ),
  ];
}

/** Subjects with the hash of their name for a digest [S-25]. */
export function subjectsOf(...names: string[]): Json[] {
  return names.map((name) => ({ name, digest: { sha256: hash("sha256", name) } }));
}

/** Good payloads' subjects broken. `wrong`: names that the kind is not about, and the rule that says so. */
export function badSubjects(value: JsonObject, wrong: Record<string, string>): KindCase[] {
  const digest: Path = ["subject", 0, "digest"];
  const [first] = get(value, ["subject"]) as JsonObject[];
  return [
    bad("S-25", "a subject with the digest of another", put(value, digest, { sha256: hash("sha256", "other") })),
    bad(
      "S-25",
      "a subject's digest by sha512",
      put(value, digest, { sha512: hash("sha512", first!["name"] as string) }),
    ),
    bad("S-25", "a subject with two digests", put(value, [...digest, "sha512"], "")),
    bad(
      "S-25",
      "a subject's digest in capitals",
      put(value, digest, { sha256: upper(get(value, [...digest, "sha256"])) }),
    ),
    bad("S-7", "no subjects", put(value, ["subject"], [])),
    bad("S-7", "a subject twice", put(value, ["subject"], [first!, first!])),
    ...Object.entries(wrong).map(([name, rule]) =>
      bad(rule, `a subject ${name}`, put(value, ["subject"], subjectsOf(name))),
    ),
  ];
}

export function statement(kind: string, subject: Json[], members: JsonObject): JsonObject {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject,
    predicateType: `urn:touchmark:${kind}:v1`,
    predicate: { logs: [LOG], ...members },
  };
}

/** The reference of an entry that there might be [S-26]. */
export function reference(name: string): string {
  return hash("sha256", `entry: ${name}`);
}

/** What no reference is [S-26]. */
export const NO_REFERENCES: Record<string, Json> = {
  "a number": 1,
  "31 bytes": "00".repeat(31),
  "33 bytes": "00".repeat(33),
  capitals: "AB".repeat(32),
  base64: Buffer.alloc(32, 1).toString("base64"),
  nothing: "",
};

export function digestOfAuthority(authority: JsonObject): string {
  return `sha256:${hash("sha256", JSON.stringify(authority))}`;
}

function kindOf(value: JsonObject): string {
  return (value["predicateType"] as string).split(":")[2]!;
}

function upper(value: Json): string {
  return (value as string).toUpperCase();
}
