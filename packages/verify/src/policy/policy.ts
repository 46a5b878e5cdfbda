import { isObject, isPackagePattern, isRegistryName, type Json, type JsonObject, parseJson } from "@touchmark/core";
import { NOTE_ED25519, parseVerifierKey, type TlogPolicy, type VerifierKey } from "@touchmark/log";
import { VerifyError } from "../errors.ts";
import { type RegistryOf, registryMatcher } from "../npm/registry-address.ts";
import {
  type AuthorityDemands,
  NO_DEMANDS,
  readAuthorityDemands,
  readCommittees,
  type RecognisedCommittee,
} from "./committees.ts";
import { type AttestationJudge, type KeyDemands, readAttestationRoots, readKeyDemands } from "./key-demands.ts";
import { type Exception, readExceptions } from "./exceptions.ts";
import { readQuorum } from "./quorum.ts";

const MAX_POLICY = 1024 * 1024; // [C-15]
const DAY = 86_400;
const PINNED = /^sha256:[0-9a-f]{64}$/;

export type Level = "observe" | "ratchet" | "strict";

/** What one pattern of the policy asks for [P-4] to [P-6], [P-21] to [P-23]. */
export interface PackageRule extends AuthorityDemands {
  level: Level;
  /** The only authority that counts, by its digest, or null. */
  authority: string | null;
  /** What is asked of the keys whose signatures count [P-15], or null. */
  keys: KeyDemands | null;
}

/** A validated `touchmark.json`. */
export interface Policy {
  /** Registry name → the addresses that serve it, each ending in a slash. */
  registries: Map<string, URL[]>;
  /** `quorum` is null where no cosignatures are demanded [P-10]. */
  log: { url: string; origin: string; key: VerifierKey; quorum: TlogPolicy | null };
  /** By pattern: a name, `@scope/*` or `*`. */
  rules: Map<string, PackageRule>;
  sources: { git: boolean; remote: boolean; file: boolean };
  exceptions: Exception[];
  /** Seconds [P-9]. */
  freshness: { online: number; offline: number };
  /** DER of the certificates that may vouch for makers of keys [P-16]. */
  attestationRoots: Uint8Array[];
  /** By id [P-20]. */
  committees: ReadonlyMap<string, RecognisedCommittee>;
  /** Who judges attestations by them: handed in by whoever can, since nothing here reads CBOR. Null: what needs it is unchecked [V-33]. */
  judgeAttestation: AttestationJudge | null;
}

/**
 * Reads `touchmark.json` [P-1] to [P-23]. `now` is in seconds: an exception past its day is an error of the policy.
 * Throws `POLICY_MALFORMED` or `EXCEPTION_BAD` with all that is wrong in one message.
 */
export function parsePolicy(bytes: Uint8Array, now: number): Policy {
  const problems: string[] = [];
  const fields = readDocument(bytes);
  knownKeys(
    fields,
    [
      "version",
      "registries",
      "log",
      "packages",
      "sources",
      "exceptions",
      "freshness",
      "attestationRoots",
      "committees",
    ],
    "the policy",
    problems,
  );
  if (fields["version"] !== 1) problems.push("version is not 1");
  const registries = readRegistries(fields["registries"], problems);
  const log = readLog(fields["log"], problems);
  const committees = readCommittees(fields["committees"], problems);
  const rules = readRules(fields["packages"], committees, problems);
  const sources = readSources(fields["sources"], problems);
  const freshness = readFreshness(fields["freshness"], problems);
  const demands = [...rules.values()].map(({ keys }) => keys);
  const attestationRoots = readAttestationRoots(fields["attestationRoots"], demands, problems);
  if (problems.length > 0 || log === null) {
    throw new VerifyError(
      "POLICY_MALFORMED",
      `touchmark.json is not a valid policy: ${problems.join("; ")}.`,
      "docs/spec/07-policy.md shows a complete one.",
    );
  }
  const exceptions = readExceptions(fields["exceptions"], now);
  return {
    registries,
    log,
    rules,
    sources,
    exceptions,
    freshness,
    attestationRoots,
    committees,
    judgeAttestation: null,
  };
}

const NO_RULE: PackageRule = { level: "ratchet", authority: null, keys: null, ...NO_DEMANDS };

/** The rule for a package name: the most exact pattern that matches [P-4]; `ratchet` when none does. */
export function ruleFor(policy: Policy, name: string): PackageRule {
  const scope = name.startsWith("@") ? `${name.slice(0, name.indexOf("/"))}/*` : undefined;
  return (
    policy.rules.get(name) ??
    (scope === undefined ? undefined : policy.rules.get(scope)) ??
    policy.rules.get("*") ??
    NO_RULE
  );
}

/** Tells the policy's name of the registry that an address belongs to [P-3]. */
export function registriesOf(policy: Policy): RegistryOf {
  return registryMatcher(
    Object.fromEntries([...policy.registries].map(([name, urls]) => [name, urls.map(({ href }) => href)])),
  );
}

function readDocument(bytes: Uint8Array): JsonObject {
  let value: Json;
  try {
    value = parseJson(bytes, { bytes: MAX_POLICY });
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : "";
    throw new VerifyError("POLICY_MALFORMED", `touchmark.json cannot be read: ${detail}`, "", cause);
  }
  if (!isObject(value)) throw new VerifyError("POLICY_MALFORMED", "touchmark.json is not a JSON object.");
  return value;
}

function knownKeys(fields: JsonObject, known: string[], what: string, problems: string[]): void {
  const unknown = Object.keys(fields).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    problems.push(
      `${what} has the unknown ${unknown.length === 1 ? "key" : "keys"} ${unknown.map((key) => JSON.stringify(key)).join(", ")}`,
    );
}

function readRegistries(value: Json | undefined, problems: string[]): Map<string, URL[]> {
  const registries = new Map<string, URL[]>();
  if (!isObject(value) || Object.keys(value).length === 0) {
    problems.push("registries names no registry");
    return registries;
  }
  const seen = new Set<string>();
  for (const [name, list] of Object.entries(value)) {
    if (!isRegistryName(name)) problems.push(`${JSON.stringify(name)} is not a registry name`);
    const addresses = Array.isArray(list) ? list : [];
    if (addresses.length === 0) problems.push(`registry ${name} has no list of addresses`);
    registries.set(
      name,
      addresses.flatMap((address) => readAddress(address, name, seen, problems)),
    );
  }
  return registries;
}

function readAddress(value: Json, name: string, seen: Set<string>, problems: string[]): URL[] {
  const url = typeof value === "string" ? URL.parse(value) : null;
  const good = url !== null && (url.protocol === "https:" || url.protocol === "http:") && url.pathname.endsWith("/");
  if (!good || url.search !== "" || url.hash !== "" || url.username !== "") {
    problems.push(`registry ${name} has an address that is not an http(s) URL ending in "/"`);
    return [];
  }
  if (seen.has(url.href)) problems.push(`the address ${url.href} stands twice`);
  seen.add(url.href);
  return [url];
}

function readLog(value: Json | undefined, problems: string[]): Policy["log"] | null {
  if (!isObject(value)) {
    problems.push("log is missing");
    return null;
  }
  knownKeys(value, ["url", "origin", "key", "quorum"], "log", problems);
  const { url, origin, key } = value;
  const quorum = readQuorum(value["quorum"], problems);
  if (typeof url === "string" && !isLogAddress(url)) {
    problems.push('log.url is not an https address ending in "/" (http is for loopback only)');
  }
  if (typeof key !== "string" || typeof origin !== "string" || typeof url !== "string") {
    problems.push("log.origin, log.key or log.url is missing");
    return null;
  }
  try {
    const parsed = parseVerifierKey(key);
    if (parsed.name !== origin) problems.push("log.key is not a key of log.origin");
    if (parsed.type !== NOTE_ED25519) problems.push("log.key is a cosigner's key, not a log's");
    return { url, origin, key: parsed, quorum };
  } catch {
    problems.push("log.key is not a note verifier key (name+hash+key)");
    return null;
  }
}

// [P-2]
function isLogAddress(address: string): boolean {
  const url = URL.parse(address);
  if (url === null || url.search !== "" || url.hash !== "" || !url.pathname.endsWith("/")) return false;
  return (
    url.protocol === "https:" || (url.protocol === "http:" && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname))
  );
}

function readRules(
  value: Json | undefined,
  committees: Policy["committees"],
  problems: string[],
): Map<string, PackageRule> {
  const rules = new Map<string, PackageRule>();
  if (value === undefined) return rules;
  if (!isObject(value)) {
    problems.push("packages is not an object");
    return rules;
  }
  for (const [pattern, rule] of Object.entries(value)) {
    if (!isPackagePattern(pattern)) problems.push(`${JSON.stringify(pattern)} is not a name, "@scope/*" or "*"`);
    if (!isObject(rule)) {
      problems.push(`packages[${JSON.stringify(pattern)}] is not an object`);
      continue;
    }
    const what = `packages[${JSON.stringify(pattern)}]`;
    knownKeys(rule, ["level", "authority", "keys", "proof", "review", "expedited"], what, problems);
    const { level = "ratchet", authority = null } = rule;
    const keys = readKeyDemands(rule["keys"], `${what}.keys`, problems);
    const demands = readAuthorityDemands(rule, committees, what, problems);
    if (level !== "observe" && level !== "ratchet" && level !== "strict") {
      problems.push(`the level of ${JSON.stringify(pattern)} is not observe, ratchet or strict`);
    } else if (authority !== null && (typeof authority !== "string" || !PINNED.test(authority))) {
      problems.push(`the authority of ${JSON.stringify(pattern)} is not "sha256:" and 64 hex digits`);
    } else {
      rules.set(pattern, { level, authority, keys, ...demands });
    }
  }
  return rules;
}

function readSources(value: Json | undefined, problems: string[]): Policy["sources"] {
  const sources = { git: false, remote: false, file: false };
  if (value === undefined) return sources;
  if (!isObject(value)) {
    problems.push("sources is not an object");
    return sources;
  }
  knownKeys(value, Object.keys(sources), "sources", problems);
  for (const kind of ["git", "remote", "file"] as const) {
    const choice = value[kind] ?? "deny";
    if (choice !== "allow" && choice !== "deny") problems.push(`sources.${kind} is neither allow nor deny`);
    sources[kind] = choice === "allow";
  }
  return sources;
}

function readFreshness(value: Json | undefined, problems: string[]): Policy["freshness"] {
  const freshness = { online: DAY, offline: 7 * DAY };
  if (value === undefined) return freshness;
  if (!isObject(value)) {
    problems.push("freshness is not an object");
    return freshness;
  }
  knownKeys(value, Object.keys(freshness), "freshness", problems);
  for (const kind of ["online", "offline"] as const) {
    const seconds = value[kind] ?? freshness[kind];
    if (typeof seconds === "number" && Number.isSafeInteger(seconds) && seconds > 0) freshness[kind] = seconds;
    else problems.push(`freshness.${kind} is not a whole number of seconds`);
  }
  return freshness;
}
