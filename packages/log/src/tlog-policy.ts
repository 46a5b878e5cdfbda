/** C2SP tlog-policy (https://c2sp.org/tlog-policy): which logs are known, which witnesses, and which of them have to have cosigned. */
import { cleanText, encodeHex } from "@touchmark/core";
import { cosignerKey } from "./cosignature.ts";
import { LogError } from "./error.ts";
import {
  COSIGNATURE_ED25519,
  COSIGNATURE_ML_DSA_44,
  NOTE_ED25519,
  parseVerifierKey,
  type VerifierKey,
} from "./note.ts";

export type PolicyLog = { readonly key: VerifierKey; readonly url: string | undefined };

/** `name` is the policy's own, `key` the one whose cosignatures count: of type 0x04 or 0x06. */
export type PolicyWitness = {
  readonly kind: "witness";
  readonly name: string;
  readonly key: VerifierKey;
  readonly url: string | undefined;
};

/** Counts as having cosigned if at least `threshold` of its members do. */
export type PolicyGroup = {
  readonly kind: "group";
  readonly name: string;
  readonly threshold: number;
  readonly members: readonly PolicyMember[];
};

export type PolicyMember = PolicyWitness | PolicyGroup;

/** `quorum` is null where no cosignature is demanded (`quorum none`). */
export type TlogPolicy = {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  readonly groups: readonly PolicyGroup[];
  readonly quorum: PolicyMember | null;
};

//
export const MAX_POLICY_BYTES: number = 512 * 1024;
const MAX_LOGS = 64;
const MAX_WITNESSES = 60;
const MAX_GROUPS = 64;

/** Reads a policy file to. Throws `BAD_POLICY`, with the line's number. */
export function parseTlogPolicy(bytes: Uint8Array): TlogPolicy {
  if (bytes.length > MAX_POLICY_BYTES) throw new LogError("BAD_POLICY", "The policy of witnesses is too long.");
  // Octets, not characters: what the policy means is not to hang on Unicode.
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1").split("\n");
  if (lines.pop() !== "") throw new LogError("BAD_POLICY", "The last line of the policy of witnesses does not end.");
  const draft: Draft = { logs: [], names: new Map(), members: new Set(), keys: new Set(), quorum: undefined };
  for (const [at, line] of lines.entries()) {
    try {
      readLine(line, draft);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      const message = `Line ${at + 1} of the policy of witnesses: ${error.message}`;
      throw new LogError("BAD_POLICY", message, { hint: error.hint, cause: error });
    }
  }
  if (draft.quorum === undefined) throw new LogError("BAD_POLICY", "The policy of witnesses has no quorum line.");
  const defined = [...draft.names.values()];
  return {
    logs: draft.logs,
    witnesses: defined.filter((one) => one.kind === "witness"),
    groups: defined.filter((one) => one.kind === "group"),
    quorum: draft.quorum,
  };
}

type Draft = {
  readonly logs: PolicyLog[];
  /** By name, as octets. */
  readonly names: Map<string, PolicyMember>;
  /** Names that are a group's member already. */
  readonly members: Set<string>;
  /** `log` or `witness` with a public key in hex. */
  readonly keys: Set<string>;
  quorum: PolicyMember | null | undefined;
};

function readLine(line: string, draft: Draft): void {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line)) throw bad("it has control characters.");
  const items = line.split(/[ \t]+/).filter((item) => item !== "");
  const [keyword, ...rest] = items;
  if (keyword === undefined || keyword.startsWith("#")) return;
  switch (keyword) {
    case "log":
      return readLog(rest, draft);
    case "witness":
      return readWitness(rest, draft);
    case "group":
      return readGroup(rest, draft);
    case "quorum":
      return readQuorum(rest, draft);
    default:
      throw bad(`"${shown(keyword)}" is none of log, witness, group, quorum.`);
  }
}

//
function readLog(items: readonly string[], draft: Draft): void {
  const [vkey, url, ...more] = items;
  if (vkey === undefined || more.length > 0) throw bad("a log has a verifier key and perhaps an address.");
  const key = parseVerifierKey(decode(vkey));
  if (!LOG_TYPES.includes(key.type)) throw bad("the key is of a type that cannot sign checkpoints.");
  takeKey("log", key, draft);
  draft.logs.push({ key, url: url && decode(url) });
  if (draft.logs.length > MAX_LOGS) throw bad(`there are more than ${MAX_LOGS} logs.`);
}

//
function readWitness(items: readonly string[], draft: Draft): void {
  const [name, vkey, url, ...more] = items;
  if (name === undefined || vkey === undefined || more.length > 0) {
    throw bad("a witness has a name, a verifier key and perhaps an address.");
  }
  const key = cosignerKey(parseVerifierKey(decode(vkey)));
  takeKey("witness", key, draft);
  define(name, { kind: "witness", name: decode(name), key, url: url && decode(url) }, draft);
}

//
function readGroup(items: readonly string[], draft: Draft): void {
  const [name, threshold, ...names] = items;
  if (name === undefined || threshold === undefined || names.length === 0) {
    throw bad("a group has a name, a threshold and members.");
  }
  const members = names.map((member) => {
    const found = find(member, draft);
    if (draft.members.has(member)) throw bad(`"${shown(member)}" is a member already; a name can be one only once.`);
    draft.members.add(member);
    return found;
  });
  const needed = readThreshold(threshold, members.length);
  define(name, { kind: "group", name: decode(name), threshold: needed, members }, draft);
}

function readThreshold(text: string, count: number): number {
  if (text === "all") return count;
  if (text === "any") return 1;
  const threshold = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : 0;
  if (threshold >= 1 && threshold <= count) return threshold;
  throw bad(`the threshold is none of all, any, or a number from 1 to ${count}, the number of members.`);
}

//
function readQuorum(items: readonly string[], draft: Draft): void {
  const [name, ...more] = items;
  if (name === undefined || more.length > 0) throw bad("a quorum is one name.");
  if (draft.quorum !== undefined) throw bad("there is a quorum line already.");
  draft.quorum = name === NONE ? null : find(name, draft);
}

function define(name: string, member: PolicyMember, draft: Draft): void {
  if (name === NONE) throw bad('the name "none" is taken.');
  if (draft.names.has(name)) throw bad(`the name "${shown(name)}" is taken.`);
  draft.names.set(name, member);
  const count = [...draft.names.values()].filter(({ kind }) => kind === member.kind).length;
  const limit = member.kind === "witness" ? MAX_WITNESSES : MAX_GROUPS;
  if (count > limit) throw bad(`there are more than ${limit} of them.`);
}

/** Names must be defined on lines before, so that no group can hold itself. */
function find(name: string, draft: Draft): PolicyMember {
  const found = draft.names.get(name);
  if (found === undefined) throw bad(`nothing before it has the name "${shown(name)}".`);
  return found;
}

/** Two verifier keys are the same where their public key is, whatever their names and types. */
function takeKey(kind: "log" | "witness", key: VerifierKey, draft: Draft): void {
  const owner = `${kind} ${encodeHex(key.publicKey)}`;
  if (draft.keys.has(owner)) throw bad(`another ${kind} has the same key.`);
  draft.keys.add(owner);
}

function decode(octets: string): string {
  return Buffer.from(octets, "latin1").toString("utf8");
}

function shown(octets: string): string {
  return cleanText(decode(octets), 100);
}

function bad(what: string): LogError {
  return new LogError("BAD_POLICY", what);
}

const NONE = "none";
const LOG_TYPES = [NOTE_ED25519, COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44];
