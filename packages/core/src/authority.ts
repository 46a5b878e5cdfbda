import { encodeHex, encodeUtf8, parseBase64 } from "./bytes.ts";
import type { Crypto } from "./crypto.ts";
import { CoreError, require } from "./errors.ts";
import { readArray, readBoolean, readInteger, readObject, readString, requireSorted } from "./fields.ts";
import { encodeCanonicalJson, type Json, type JsonObject } from "./json.ts";
import { isFingerprint, type Key, keyFingerprint, parseKey } from "./key.ts";
import { isCommitteeId, isHolder } from "./package-id.ts";
import { checkClientDataSize } from "./webauthn.ts";

const MAX_KEYS = 32; // [C-15]
const MAX_ATTESTATION = 8192; // [C-15]
const MAX_SUCCESSORS = 8; // [S-13]
const ATTESTATION_FORMAT = /^[a-z0-9-]{1,32}$/;
const KEYS = [
  "keys",
  "releaseThreshold",
  "changeThreshold",
  "recovery",
  "successors",
  "adoption",
  "userVerification",
  "deviceBound",
  "expedite",
];

/** A key, and the person who holds it. */
export interface HeldKey {
  holder: string;
  key: Key;
  fingerprint: string;
  /** The attestation object of the enrolment [K-16], and a browser's clientDataJSON [K-17]; kept, not interpreted here. */
  attestation: { format: string; object: Uint8Array; clientData: Uint8Array | null } | null;
}

/** Who may speak for a package [S-12], [S-13]. */
export interface Authority {
  keys: HeldKey[];
  releaseThreshold: number;
  changeThreshold: number;
  recovery: { threshold: number; keys: HeldKey[] } | null;
  successors: string[];
  adoption: "ask" | "open" | "never";
  userVerification: boolean;
  deviceBound: boolean;
  /** Id of the committee whose members may stand in for one holder of a release. */
  expedite: string | null;
  /** `sha256:` and hex [S-14]. */
  digest: string;
}

/** What a person chooses; `encodeAuthority` sorts and fills in the rest. */
export interface AuthorityDraft {
  keys: { holder: string; record: string; attestation?: { format: string; object: string; clientData?: string } }[];
  releaseThreshold: number;
  changeThreshold?: number;
  recovery?: { threshold: number; keys: { holder: string; record: string }[] };
  successors?: string[];
  adoption?: "ask" | "open" | "never";
  userVerification?: boolean;
  deviceBound?: boolean;
  expedite?: string;
}

/** Reads an authority. Throws `MALFORMED`, `BAD_KEY`, `TOO_LARGE`. */
export function parseAuthority(crypto: Crypto, value: Json | undefined): Authority {
  const fields = readObject(value, "S-12", "authority", KEYS, ["expedite"]);
  const text = encodeCanonicalJson(fields);
  const known = recalled.get(text);
  if (known) return known;
  const authority = readAuthority(crypto, fields, text);
  if (recalled.size >= MAX_RECALLED) recalled.clear();
  recalled.set(text, authority);
  return authority;
}

// The same people hold many packages: an authority that stands in a hundred claims is read once. Nothing in it is ever changed.
const MAX_RECALLED = 256;
const recalled = new Map<string, Authority>();

function readAuthority(crypto: Crypto, fields: JsonObject, text: string): Authority {
  const keys = readKeys(crypto, fields["keys"], "keys");
  const recovery = fields["recovery"] === null ? null : readRecovery(crypto, fields["recovery"]);
  const listed = [...keys, ...(recovery?.keys ?? [])];
  requireDistinct(listed);
  const holders = countHolders(keys);
  const releaseThreshold = readInteger(fields["releaseThreshold"], "S-13", "release threshold", 1, holders);
  const leastChange = leastChangeThreshold(releaseThreshold, holders);
  return {
    keys,
    releaseThreshold,
    changeThreshold: readInteger(fields["changeThreshold"], "S-13", "change threshold", leastChange, holders),
    recovery,
    successors: readSuccessors(fields["successors"], listed),
    adoption: readString(fields["adoption"], "S-13", "adoption mode", /^(?:ask|open|never)$/) as Authority["adoption"],
    userVerification: readBoolean(fields["userVerification"], "S-12", "userVerification"),
    deviceBound: readBoolean(fields["deviceBound"], "S-12", "deviceBound"),
    expedite: fields["expedite"] === undefined ? null : readExpedite(fields["expedite"], releaseThreshold),
    digest: `sha256:${encodeHex(crypto.sha256(encodeUtf8(text)))}`, // [S-14]
  };
}

/** The JSON value of an authority, complete and sorted. It is validated when the statement it goes into is parsed. */
export function encodeAuthority(draft: AuthorityDraft): Json {
  const holders = new Set(draft.keys.map(({ holder }) => holder)).size;
  return {
    keys: encodeKeys(draft.keys),
    releaseThreshold: draft.releaseThreshold,
    changeThreshold: draft.changeThreshold ?? leastChangeThreshold(draft.releaseThreshold, holders),
    recovery: draft.recovery ? { threshold: draft.recovery.threshold, keys: encodeKeys(draft.recovery.keys) } : null,
    successors: (draft.successors ?? []).toSorted(),
    adoption: draft.adoption ?? "ask",
    userVerification: draft.userVerification ?? false,
    deviceBound: draft.deviceBound ?? false,
    ...(draft.expedite === undefined ? {} : { expedite: draft.expedite }),
  };
}

/** Distinct holders among keys: the only thing that is ever counted [S-5]. */
export function countHolders(keys: { holder: string }[]): number {
  // There are 32 at most and two as a rule: comparing them is quicker than a set.
  return keys.filter(({ holder }, at) => keys.findIndex((first) => first.holder === holder) === at).length;
}

function leastChangeThreshold(releaseThreshold: number, holders: number): number {
  return Math.max(releaseThreshold, Math.floor(holders / 2) + 1); // [S-13]
}

function encodeKeys(keys: AuthorityDraft["keys"]): Json[] {
  return keys
    .toSorted((a, b) => (sortKey(a.holder, a.record) < sortKey(b.holder, b.record) ? -1 : 1))
    .map(({ holder, record, attestation }) => ({ holder, key: record, ...(attestation ? { attestation } : {}) }));
}

function readKeys(crypto: Crypto, value: Json | undefined, what: string): HeldKey[] {
  const keys = readArray(value, "S-12", what, MAX_KEYS).map((item) => readHeldKey(crypto, item));
  require(keys.length > 0, "S-12", `The ${what} are empty.`);
  requireSorted(
    keys.map(({ holder, key }) => sortKey(holder, key.record)),
    "S-12",
    what,
  );
  return keys;
}

function sortKey(holder: string, record: string): string {
  return `${holder} ${record}`;
}

function readHeldKey(crypto: Crypto, value: Json): HeldKey {
  const fields = readObject(value, "S-12", "key of the authority", ["holder", "key", "attestation"], ["attestation"]);
  const key = parseKey(readString(fields["key"], "S-12", "key record", () => true));
  return {
    holder: readString(fields["holder"], "C-12", "holder's label", isHolder),
    key,
    fingerprint: keyFingerprint(crypto, key),
    attestation: fields["attestation"] === undefined ? null : readAttestation(fields["attestation"]),
  };
}

function readAttestation(value: Json): HeldKey["attestation"] {
  const fields = readObject(value, "K-16", "attestation", ["format", "object", "clientData"], ["clientData"]);
  const format = readString(fields["format"], "K-16", "attestation format", ATTESTATION_FORMAT);
  const object = parseBase64(readString(fields["object"], "K-16", "attestation object", () => true));
  if (object.length > MAX_ATTESTATION) throw new CoreError("TOO_LARGE", "C-15", "An attestation is too long.");
  return { format, object, clientData: readClientData(fields["clientData"]) };
}

function readClientData(value: Json | undefined): Uint8Array | null {
  if (value === undefined) return null;
  const clientData = parseBase64(readString(value, "K-17", "clientDataJSON", () => true));
  checkClientDataSize(clientData);
  return clientData;
}

function readRecovery(crypto: Crypto, value: Json | undefined): Authority["recovery"] {
  const fields = readObject(value, "S-12", "recovery", ["threshold", "keys"]);
  const keys = readKeys(crypto, fields["keys"], "recovery keys");
  return { threshold: readInteger(fields["threshold"], "S-13", "recovery threshold", 1, countHolders(keys)), keys };
}

function readSuccessors(value: Json | undefined, listed: HeldKey[]): string[] {
  const successors = readArray(value, "S-13", "successors", MAX_SUCCESSORS).map((item) =>
    readString(item, "S-13", "successor", isFingerprint),
  );
  requireSorted(successors, "S-13", "successors");
  const own = listed.find(({ fingerprint }) => successors.includes(fingerprint));
  require(own ===
    undefined, "S-13", "A key of the authority is its own successor.", "Name a key that it does not list.");
  return successors;
}

function readExpedite(value: Json, releaseThreshold: number): string {
  const committee = readString(value, "S-13", "committee that may expedite", isCommitteeId);
  require(releaseThreshold >= 2, "S-13", "Releases can be expedited only where they need two holders or more.");
  return committee;
}

function requireDistinct(keys: HeldKey[]): void {
  const fingerprints = new Set(keys.map(({ fingerprint }) => fingerprint));
  require(fingerprints.size === keys.length, "S-12", "One key stands twice in the authority.");
}
