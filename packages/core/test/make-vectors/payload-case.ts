import { hash } from "node:crypto";
import { isObject, type JsonObject } from "../../src/index.ts";

/** One statement's payload, as text. */
export interface PayloadCase {
  /** The rule that the case is about. */
  rule: string;
  name: string;
  payload: string;
  /** Of good payloads only: [S-6], and [S-14] for claims. */
  digest: string | null;
  authorityDigest: string | null;
  error: { code: string; rule: string } | null;
}

export function good(rule: string, name: string, value: JsonObject): PayloadCase {
  return { rule, name, payload: JSON.stringify(value), ...digests(value), error: null };
}

/** `by` is the rule that refuses, where it isn't the one that the case is about. */
export function bad(rule: string, name: string, value: unknown, code = "MALFORMED", by = rule): PayloadCase {
  return badText(rule, name, JSON.stringify(value), code, by);
}

export function badText(rule: string, name: string, payload: string, code = "MALFORMED", by = rule): PayloadCase {
  return { rule, name, payload, digest: null, authorityDigest: null, error: { code, rule: by } };
}

/** The digests of a statement [S-6] and of the authority that it may have [S-14]. */
export function digests(value: JsonObject): { digest: string; authorityDigest: string | null } {
  const authority = isObject(value["predicate"]) ? value["predicate"]["authority"] : undefined;
  return {
    digest: hash("sha256", JSON.stringify(value)),
    authorityDigest: authority === undefined ? null : `sha256:${hash("sha256", JSON.stringify(authority))}`,
  };
}
